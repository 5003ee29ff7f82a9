import { KubeApi } from "../../../infra/cluster/kube-api";
import { waitForServedSecrets } from "../../../infra/cluster/served-secrets";

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: Date };
  readonly status: object;
}

const now = Date.parse("2026-03-04T05:06:07Z");
const reference = { namespace: "aidbox", name: "aidbox" };

/** A pod whose wait for its files ended some seconds ago; undefined where it goes on. */
function pod(endedBefore: number | undefined, more: Partial<Pod["metadata"]> = {}): Pod {
  const state =
    endedBefore === undefined
      ? { running: {} }
      : { terminated: { exitCode: 0, finishedAt: new Date(now - endedBefore * 1000) } };
  return {
    metadata: { name: "aidbox-0", ...more },
    status: { initContainerStatuses: [{ name: "wait-for-secrets", state }] },
  };
}

class FakeCluster {
  public deployment = {
    metadata: { generation: 2 },
    spec: { replicas: 1, selector: { matchLabels: { "app.kubernetes.io/name": "aidbox" } } },
    status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 0 },
  };
  public pods: Pod[] = [];
  public log = "waiting for /run/vault-secrets/client-secret: missing\n";
  public readonly asked: string[] = [];
  public readonly selectors: string[] = [];

  public readonly api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: {},
    config: {
      makeApiClient: () => ({
        readNamespacedDeployment: () => Promise.resolve(this.deployment),
        readNamespacedPodLog: ({ name, container }: { name: string; container: string }) => {
          this.asked.push(`${name} ${container}`);
          return Promise.resolve(this.log);
        },
        listNamespacedPod: ({ labelSelector }: { labelSelector: string }) => {
          this.selectors.push(labelSelector);
          return Promise.resolve({ items: this.pods });
        },
      }),
    },
  });
}

let cluster: FakeCluster;
let isOver: boolean;
let over: Promise<unknown>;

beforeEach(() => {
  cluster = new FakeCluster();
  isOver = false;
  jest.spyOn(console, "log").mockImplementation();
  jest.useFakeTimers({ now, doNotFake: ["nextTick", "setImmediate"] });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function start(): void {
  over = waitForServedSecrets(cluster.api, reference, (file) => `${file} has nothing in it`, 600).then(
    () => (isOver = true),
    (error: unknown) => error,
  );
}

/** Whether it is over after some seconds. */
async function overAfter(seconds: number): Promise<boolean> {
  await jest.advanceTimersByTimeAsync(seconds * 1000);
  return isOver;
}

test("an Aidbox that is ready is not waited for", async () => {
  cluster.deployment.status.availableReplicas = 1;
  start();
  expect(await overAfter(0)).toBe(true);
});

test("one whose roll is not seen yet is, though the old pods are ready", async () => {
  cluster.deployment.status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  start();
  expect(await overAfter(30)).toBe(false);
  cluster.deployment.status.observedGeneration = 2;
  expect(await overAfter(1)).toBe(true);
});

test("one that has its secrets has a minute more to become ready", async () => {
  cluster.pods = [pod(0)];
  start();
  expect(await overAfter(58)).toBe(false);
  expect(await overAfter(4)).toBe(true);
  expect(cluster.selectors[0]).toBe("app.kubernetes.io/name=aidbox");
});

test("one that has had them for longer is left as it is at once", async () => {
  cluster.pods = [pod(3600)];
  start();
  expect(await overAfter(0)).toBe(true);
});

test("a node whose clock is ahead does not make it wait for longer", async () => {
  cluster.pods = [pod(-600)];
  start();
  expect(await overAfter(62)).toBe(true);
});

test("one whose new pod is not made yet is waited for, though the old one has its secrets", async () => {
  cluster.deployment.status.updatedReplicas = 0;
  cluster.pods = [pod(3600)];
  start();
  expect(await overAfter(30)).toBe(false);
  cluster.deployment.status.updatedReplicas = 1;
  cluster.pods = [pod(3600), pod(3600)];
  expect(await overAfter(1)).toBe(true);
});

test("a pod that was evicted is not waited for", async () => {
  cluster.pods = [{ ...pod(undefined), status: { phase: "Failed" } }, pod(3600)];
  start();
  expect(await overAfter(1)).toBe(true);
});

test.each<[what: string, pods: Pod[]]>([
  ["has no pod yet", []],
  ["waits for its files", [pod(undefined)]],
  ["has them in one of two pods, as in a roll", [pod(3600), pod(undefined)]],
  ["has them in a pod that is going alone", [pod(3600, { deletionTimestamp: new Date(now) })]],
])("one that %s is waited for, and the error names how to find the cause", async (_, pods) => {
  cluster.pods = pods;
  start();
  expect(await overAfter(590)).toBe(false);
  await jest.advanceTimersByTimeAsync(120_000);
  expect(String(await over)).toMatch(
    /Deployment aidbox\/aidbox did not get its secrets in 600 s: it has its secrets in \d of \d pods\. Run `npm run verify`/,
  );
});

test("one that waits for a value that is empty is given up soon, by the secret's name", async () => {
  cluster.pods = [pod(3600), pod(undefined)];
  start();
  expect(await overAfter(9)).toBe(false);
  // A log is not asked for at each look.
  expect(cluster.asked).toEqual(["aidbox-0 wait-for-secrets"]);
  cluster.log = "waiting for /run/vault-secrets/client-secret: empty\n";
  await jest.advanceTimersByTimeAsync(6000);
  expect(String(await over)).toBe("Error: /run/vault-secrets/client-secret has nothing in it");
});
