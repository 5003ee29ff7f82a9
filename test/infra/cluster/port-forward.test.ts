import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { KubeApi } from "../../../infra/cluster/kube-api";
import { openPortForward } from "../../../infra/cluster/port-forward";

const target = { namespace: "vault", labelSelector: "component=server", port: 8200 };
/** A cluster that nobody may ask: no connection is made in these tests. */
const api = {} as Partial<KubeApi> as KubeApi;

let other: Server;
let port: number;
beforeEach(async () => {
  other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  port = (other.address() as AddressInfo).port;
});
afterEach(async () => {
  if (other.listening) await new Promise((resolve) => other.close(resolve));
});

test("a port that another program listens on is refused, with what to do", async () => {
  await expect(openPortForward(api, target, port)).rejects.toThrow(
    new Error(
      `Port ${port} of 127.0.0.1, by which this stack reaches its Vault, is taken. Another run of this stack, or ` +
        "another program, listens there. End it, or set vault.localPort to a free port.",
    ),
  );
});

test("a port that a forward of this program listens on is refused too", async () => {
  await new Promise((resolve) => other.close(resolve));
  await openPortForward(api, target, port);
  await expect(openPortForward(api, target, port)).rejects.toThrow(`Port ${port} of 127.0.0.1`);
});

test("no address but 127.0.0.1 leads to Vault, be it one of the same machine", async () => {
  const forward = await openPortForward(api, target, 0);
  const reached = await new Promise<boolean>((resolve) => {
    const socket = connect({ port: forward.port, host: "127.0.0.2", timeout: 1000 });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.on("connect", () => {
      end(true);
    });
    for (const event of ["error", "timeout"]) {
      socket.on(event, () => {
        end(false);
      });
    }
  });
  expect(reached).toBe(false);
});

test("a port that cannot be listened on for another reason fails with that reason", async () => {
  await expect(openPortForward(api, target, 65536)).rejects.toThrow("65536");
});
