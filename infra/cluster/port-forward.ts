import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { openWebSocket } from "./bounded-calls";
import type { KubeApi } from "./kube-api";

export interface PortForwardTarget {
  readonly namespace: string;
  readonly labelSelector: string;
  /** TCP port of the pod. */
  readonly port: number;
}

export interface PortForward {
  /** Port of 127.0.0.1. */
  readonly port: number;
  /** Why the last connection that failed did so, where one failed. */
  readonly lastError: () => unknown;
}

/**
 * Forwards a port of 127.0.0.1 to a pod. Nothing of it keeps the process alive, so it closes by itself with the last
 * resource.
 *
 * @param localPort a free one where 0
 * @returns once the port is listened on; each connection picks a running pod anew
 * @throws Error where the local port is taken: what answers there may be another stack's Vault
 */
export async function openPortForward(
  api: KubeApi,
  target: PortForwardTarget,
  localPort: number,
): Promise<PortForward> {
  let lastError: unknown;
  const server = createServer((socket) => {
    socket.unref();
    socket.on("error", () => socket.destroy());
    forward(api, target, socket).catch((error: unknown) => {
      lastError = error;
      socket.destroy(); // the caller sees a reset connection and tries again
    });
  });
  await listen(server, localPort);
  server.unref();
  return { port: (server.address() as AddressInfo).port, lastError: () => lastError };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `Port ${port} of 127.0.0.1, by which this stack reaches its Vault, is taken. Another run of this stack, or ` +
                "another program, listens there. End it, or set vault.localPort to a free port.",
            )
          : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function forward(api: KubeApi, target: PortForwardTarget, socket: Socket): Promise<void> {
  const pod = await findRunningPod(api, target);
  // Not exported from the package's index, though PortForward's own constructor takes one.
  const { WebSocketHandler } = await import("@kubernetes/client-node/dist/web-socket-handler.js");
  const handler = new WebSocketHandler(api.config, (uri, protocols, options) => {
    const tunnel = openWebSocket(uri, protocols, options);
    tunnel.on("upgrade", (response) => response.socket.unref());
    tunnel.on("close", () => socket.destroy());
    socket.on("close", () => {
      tunnel.close();
    });
    return tunnel;
  });
  const portForward = new api.client.PortForward(api.config, true, handler);
  await portForward.portForward(target.namespace, pod, [target.port], socket, null, socket);
}

async function findRunningPod(api: KubeApi, { namespace, labelSelector }: PortForwardTarget): Promise<string> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const pods = await core.listNamespacedPod({
    namespace,
    labelSelector,
    fieldSelector: "status.phase=Running",
  });
  const left = pods.items.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  const name = left.sort((one, other) => rankOf(one) - rankOf(other))[0]?.metadata?.name;
  if (name === undefined) throw new Error(`No running pod in namespace ${namespace} has the labels ${labelSelector}`);
  return name;
}

/** A Vault's active server first, then one that is unsealed: they label their own pods. */
function rankOf({ metadata }: V1Pod): number {
  const { "vault-active": active, "vault-sealed": sealed } = metadata?.labels ?? {};
  return active === "true" ? 0 : sealed === "true" ? 2 : 1;
}
