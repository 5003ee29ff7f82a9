import { setTimeout as sleep } from "node:timers/promises";
import type * as KubernetesClient from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeConfig, RequestContext, ResponseContext } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import WebSocket, { type ClientOptions } from "ws";
import { NoAnswerError } from "../../constructs/settle";
import { LastingConnections } from "./lasting-connections";

/** How long an API server may take to answer a call, in seconds. */
export const callSeconds = 30;

/** How long it may take to open a connection into a pod, in milliseconds. */
const handshakeMilliseconds = 10_000;

/**
 * Has every call by this config end in time, with NoAnswerError: the client itself waits for ever where an API server takes
 * a connection and says nothing. One that has too many requests is asked again for 30 s.
 */
export function boundCalls(client: typeof KubernetesClient, config: KubeConfig): void {
  const connections = new LastingConnections();
  config.makeApiClient = (type) => {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("the kubeconfig's context has no cluster");
    const standard = client.createConfiguration({
      baseServer: new client.ServerConfiguration(server, {}),
      authMethods: { default: config },
    });
    const send = (request: RequestContext): Promise<ResponseContext> =>
      unlessBusy(() =>
        answerInTime(client, request, () =>
          connections.send(request, () => standard.httpApi.send(request).toPromise()),
        ),
      );
    return new type({ ...standard, httpApi: client.wrapHttpLibrary({ send }) });
  };
}

/**
 * Asks again where an API server has too many requests (429), which carries nothing out, once it may have less, as it says
 * itself. So does kubectl; the client gives up at once.
 */
async function unlessBusy(exchange: () => Promise<ResponseContext>): Promise<ResponseContext> {
  const end = Date.now() + callSeconds * 1000;
  for (;;) {
    const answer = await exchange();
    const waitMilliseconds = Math.max(Number(answer.headers["retry-after"]) || 0, 1) * 1000;
    if (answer.httpStatusCode !== 429 || Date.now() + waitMilliseconds > end) return answer;
    await sleep(waitMilliseconds);
  }
}

async function answerInTime(
  client: typeof KubernetesClient,
  request: RequestContext,
  send: () => Promise<ResponseContext>,
): Promise<ResponseContext> {
  const late = new AbortController();
  request.setSignal(late.signal);
  const timer = setTimeout(() => {
    late.abort();
  }, callSeconds * 1000);
  try {
    const { httpStatusCode, headers, body } = await send();
    const content = await body.binary(); // a body may never end, too
    const read = { binary: () => Promise.resolve(content), text: () => Promise.resolve(content.toString()) };
    return new client.ResponseContext(httpStatusCode, headers, read);
  } catch (error) {
    if (!late.signal.aborted) throw error;
    const path = new URL(request.getUrl()).pathname;
    throw new NoAnswerError("the API server", `${request.getHttpMethod()} ${path}`, callSeconds);
  } finally {
    clearTimeout(timer);
  }
}

/** A websocket to the API server, for the client's own handlers, which set no bound either. */
export function openWebSocket(uri: string, protocols: string[], options: ClientOptions): WebSocket {
  return new WebSocket(uri, protocols, { ...options, handshakeTimeout: handshakeMilliseconds });
}
