import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { HttpLibrary, RequestContext, ResponseContext } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};

// A fake that answers the calls of its own process without a connection: half of the time of the operators' tests went to
// sockets. What is about connections, as one that gets lost, goes by the network still.

export interface DirectRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** By names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface DirectAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: string;
}

/** @returns undefined where the request is to go by the network */
export type Answerer = (request: DirectRequest) => (() => DirectAnswer | Promise<DirectAnswer>) | undefined;

/** By address. All files of a worker have one: what they call is loaded once too. */
const answerers = ((globalThis as Record<symbol, unknown>)[Symbol.for("aidbox-secrets: answerers")] ??=
  new Map()) as Map<string, Answerer>;

/** Has a fake answer what is asked at its address. @returns what ends that */
export async function answerWithin(address: string, answer: Answerer): Promise<() => void> {
  await interceptCalls();
  answerers.set(address, answer);
  return () => answerers.delete(address);
}

const isIntercepted = Symbol.for("aidbox-secrets: calls are intercepted");

async function interceptCalls(): Promise<void> {
  const worker = globalThis as Record<symbol, unknown>;
  if (worker[isIntercepted] === true) return;
  worker[isIntercepted] = true;
  const { fetch } = globalThis;
  globalThis.fetch = (input, init = {}) => directFetch(input, init) ?? fetch(input, init);
  const file = resolve(__dirname, "../node_modules/@kubernetes/client-node/dist/gen/http/isomorphic-fetch.js");
  const [{ IsomorphicFetchHttpLibrary: library }, client] = await Promise.all([
    import(pathToFileURL(file).href) as Promise<{ IsomorphicFetchHttpLibrary: { prototype: HttpLibrary } }>,
    import("@kubernetes/client-node"),
  ]);
  const send = library.prototype.send.bind(library.prototype);
  library.prototype.send = (request: RequestContext) => {
    const url = new URL(request.getUrl());
    const method = request.getHttpMethod().toString();
    const answered = ask(url, method, request.getHeaders(), request.getBody());
    if (answered === undefined) return send(request);
    const direct = (): Promise<ResponseContext> =>
      answered.then(({ status, headers = {}, body }) => {
        const read = { text: () => Promise.resolve(body), binary: () => Promise.resolve(Buffer.from(body)) };
        return new client.ResponseContext(status, inSmallLetters(headers), read);
      });
    return { toPromise: direct } as unknown as ReturnType<HttpLibrary["send"]>;
  };
}

function directFetch(input: string | URL | Request, init: RequestInit): Promise<Response> | undefined {
  const { signal } = init;
  if (input instanceof Request || signal?.aborted === true) return undefined;
  const headers = Object.fromEntries(new Headers(init.headers));
  const answered = ask(new URL(input), init.method ?? "GET", headers, init.body ?? undefined);
  if (answered === undefined) return undefined;
  const response = answered.then(
    ({ status, headers: of = {}, body }) => new Response(status === 204 ? null : body, { status, headers: of }),
  );
  if (signal == null) return response;
  return new Promise((settle, fail) => {
    signal.addEventListener("abort", () => {
      fail(signal.reason as Error);
    });
    response.then(settle, fail);
  });
}

function ask(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<DirectAnswer> | undefined {
  if (body !== undefined && typeof body !== "string") return undefined;
  const request = { method, path: `${url.pathname}${url.search}`, headers: inSmallLetters(headers), body };
  const answered = answerers.get(url.origin)?.(request);
  if (answered === undefined) return undefined;
  // An answer by the network does not come before others have had their turn either.
  return new Promise<void>((turn) => setImmediate(turn))
    .then(answered)
    .then((answer) => ({ ...answer, headers: { date: new Date().toUTCString(), ...answer.headers } }));
}

function inSmallLetters(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
