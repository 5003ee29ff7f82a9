import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, Socket } from "node:net";
import { NoAnswerError, UnknownOutcomeError } from "../../../constructs/settle";
import { openWebSocket } from "../../../infra/cluster/bounded-calls";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { assertClusterAnswers } from "../../../infra/operate/assert-reachable";
import { restart } from "../../../infra/operate/consumers";
import { UnreachableError } from "../../../infra/operate/errors";
import { execute } from "../../../infra/operate/execute";
import { Session } from "../../../infra/operate/session";
import { ConnectProxy } from "../../connect-proxy";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";
import { Checkout } from "../cli/checkout";
import { Site } from "../operate/site";

let site: Site;
beforeEach(async () => {
  site = await Site.start();
  site.cluster.isRemote = true;
  process.env.KUBECONFIG = site.cluster.kubeconfig;
});
afterEach(async () => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  await site.stop();
});

/** Takes connections, and never says a word. */
class MuteServer {
  public readonly connections: Socket[] = [];
  private readonly server: Server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    this.connections.push(socket);
  });

  public async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }

  public async stop(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe("a call that the API server never answers", () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "clearImmediate", "queueMicrotask", "Date"] });
  });

  test("ends after 30 s, and says which it was", async () => {
    site.cluster.isMute = true;
    const { client, config } = await KubeApi.connect("somewhere");
    const call = errorOf(config.makeApiClient(client.CoreV1Api).listNamespacedPod({ namespace: "health" }));
    await site.cluster.asked();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await call).toBeInstanceOf(NoAnswerError);
    expect((await call).message).toBe("the API server gave no answer to GET /api/v1/namespaces/health/pods for 30 s");
  });

  test("says so of the cluster, where it is the first", async () => {
    site.cluster.isMute = true;
    const call = errorOf(assertClusterAnswers(await Session.connect(site.environment)));
    await site.cluster.asked();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await call).toBeInstanceOf(UnreachableError);
    expect((await call).message).toBe(
      "the cluster of context somewhere does not answer: the API server gave no answer to GET /version for 30 s",
    );
  });
});

describe("an API server that has too many requests", () => {
  hurryTimers();
  const busy = (): void => {
    site.cluster.intercept = () => ({
      status: 429,
      body: { message: "too many requests" },
      headers: { "Retry-After": "7" },
    });
  };
  const createPod = async (): Promise<unknown> => {
    const { client, config } = await KubeApi.connect("somewhere");
    const body = Object.assign(new client.V1Pod(), { apiVersion: "v1", kind: "Pod", metadata: { name: "new" } });
    return config.makeApiClient(client.CoreV1Api).createNamespacedPod({ namespace: "health", body });
  };

  test("is asked again once the time that it says has passed, with the same body", async () => {
    busy();
    const start = Date.now();
    const call = createPod();
    await site.cluster.asked();
    site.cluster.intercept = undefined;
    expect(await call).toMatchObject({ metadata: { name: "new" } });
    expect(site.cluster.requests.map(({ verb, body }) => [verb, (body as { kind: string }).kind])).toEqual([
      ["create", "Pod"],
      ["create", "Pod"],
    ]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(7000);
  });

  test("is asked for 30 s at most", async () => {
    busy();
    const start = Date.now();
    let error: unknown;
    void errorOf(createPod()).then((given) => (error = given));
    while (error === undefined) {
      await new Promise(setImmediate);
      await jest.advanceTimersByTimeAsync(20);
    }
    expect(error).toMatchObject({ code: 429 });
    expect(site.cluster.requests).toHaveLength(5);
    expect(Date.now() - start).toBeLessThan(30_000);
  });
});

describe("the connections of calls", () => {
  const pods = async (api: KubeApi): Promise<unknown> =>
    api.config.makeApiClient(api.client.CoreV1Api).listNamespacedPod({ namespace: "health" });
  const createPod = async (api: KubeApi, name: string): Promise<unknown> => {
    const body = Object.assign(new api.client.V1Pod(), { apiVersion: "v1", kind: "Pod", metadata: { name } });
    return api.config.makeApiClient(api.client.CoreV1Api).createNamespacedPod({ namespace: "health", body });
  };

  test("are shared by reads, and each write has its own", async () => {
    const api = await KubeApi.connect("somewhere");
    for (let reads = 0; reads < 3; reads++) await pods(api);
    expect(site.cluster.connections).toBe(1);
    for (const name of ["first", "second"]) await createPod(api, name);
    expect(site.cluster.connections).toBe(3);
    await pods(api);
    expect(site.cluster.connections).toBe(3);
  });

  test("that the API server has closed meanwhile are opened anew", async () => {
    const api = await KubeApi.connect("somewhere");
    await pods(api);
    site.cluster.closeAtNextRequest();
    await pods(api);
    expect(site.cluster.requests.map(({ verb }) => verb)).toEqual(["list", "list"]);
    expect(site.cluster.connections).toBe(2);
  });

  test("fail a read where each is closed", async () => {
    const api = await KubeApi.connect("somewhere");
    site.cluster.loses = () => true;
    expect(await errorOf(pods(api))).toMatchObject({ code: "ECONNRESET" });
    expect(site.cluster.requests).toHaveLength(2);
  });
});

describe("a roll whose answer is lost", () => {
  const deployment = { kind: "Deployment", name: "aidbox", rollsByItself: false } as const;

  test("is looked up, and was asked for once", async () => {
    site.cluster.loses = ({ verb }) => verb === "patch";
    expect(await restart(await Session.connect(site.environment), deployment)).toBe(true);
    expect(site.cluster.writes).toEqual(["patch deployments aidbox"]);
  });

  test("is called unknown where it cannot be looked up", async () => {
    site.cluster.loses = ({ verb }) => verb === "patch";
    site.cluster.intercept = ({ verb }) =>
      verb === "get" ? { status: 403, body: { message: "not today" } } : undefined;
    const error = await errorOf(restart(await Session.connect(site.environment), deployment));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
  });
});

test("a websocket that the API server never opens ends after 10 s, and its connection with it", async () => {
  const setSocketTimeout = jest.spyOn(Socket.prototype, "setTimeout");
  setSocketTimeout.mockImplementation(function (this: Socket, milliseconds) {
    setTimeout(() => this.emit("timeout"), milliseconds / 100);
    return this;
  });
  const mute = new MuteServer();
  const port = await mute.start();
  const socket = openWebSocket(`ws://127.0.0.1:${port}/`, ["v4.channel.k8s.io"], {});
  const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
  expect(error.message).toBe("Opening handshake has timed out");
  expect(setSocketTimeout.mock.calls.map(([milliseconds]) => milliseconds)).toContain(10_000);
  const [connection] = mute.connections;
  if (!connection!.closed) await new Promise((resolve) => connection!.on("close", resolve));
  await mute.stop();
});

describe("where the API server is mute", () => {
  hurryTimers(500);

  test("verify, status and rotate end, each with its exit code and why", async () => {
    const mute = new MuteServer();
    const port = await mute.start();
    const checkout = new Checkout();
    checkout.setContexts({ "kind-aidbox": `https://127.0.0.1:${port}` });
    const verified = await checkout.run(["verify"]);
    const others = [
      await checkout.run(["status"]),
      await checkout.run(["rotate", "client-secret", "--generate", "32"]),
    ];
    await mute.stop();
    checkout.dispose();
    const why =
      "the cluster of context kind-aidbox does not answer: the API server gave no answer to GET /version for 30 s";
    expect(verified.code).toBe(5);
    expect(verified.stdout).toContain(why);
    for (const { code, stderr } of others) expect([code, stderr.trim().split("\n").at(-1)]).toEqual([4, why]);
  });
});

describe("an API server behind a proxy", () => {
  let proxy: ConnectProxy;
  beforeEach(async () => {
    proxy = await ConnectProxy.start(() => Number(new URL(site.cluster.address).port));
    const kubeconfig = readFileSync(site.cluster.kubeconfig, "utf8");
    writeFileSync(site.cluster.kubeconfig, kubeconfig.replace(/127\.0\.0\.1:\d+/, "kubernetes.example:6443"));
  });
  afterEach(async () => {
    for (const each of ["HTTP_PROXY", "NO_PROXY"]) Reflect.deleteProperty(process.env, each);
    await proxy.stop();
  });

  async function ask(): Promise<unknown> {
    const api = await KubeApi.connect(site.environment.kubeContext);
    await api.config.makeApiClient(api.client.VersionApi).getCode();
    const [pod] = site.cluster.files.keys();
    return execute(api, { namespace: "health", pod: pod!, container: "aidbox" }, ["sha256sum"]);
  }

  test("is asked by it, and so are commands in pods", async () => {
    process.env.HTTP_PROXY = proxy.address;
    await ask();
    expect(proxy.asked).toEqual(["kubernetes.example:6443", "kubernetes.example:6443"]);
  });

  test("is asked by the kubeconfig's own, which wins as it does for kubectl", async () => {
    process.env.HTTP_PROXY = "http://127.0.0.1:1";
    const kubeconfig = readFileSync(site.cluster.kubeconfig, "utf8");
    writeFileSync(
      site.cluster.kubeconfig,
      kubeconfig.replace("cluster:", `cluster:\n      proxy-url: ${proxy.address}`),
    );
    await ask();
    expect(proxy.asked).toHaveLength(2);
  });

  test("is asked without it where NO_PROXY says so", async () => {
    Object.assign(process.env, { HTTP_PROXY: proxy.address, NO_PROXY: "example" });
    expect(await errorOf(ask())).toMatchObject({ code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string });
    expect(proxy.asked).toEqual([]);
  });
});
