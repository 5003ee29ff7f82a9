import { waitForDaemonSet } from "../../../infra/cluster/daemon-set";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { errorOf } from "../../mocks";

const reference = { namespace: "kube-system", name: "csi" };
const ready = { observedGeneration: 2, desiredNumberScheduled: 2, numberReady: 2, updatedNumberScheduled: 2 };

let status: object | undefined;
const read = jest.fn(() => Promise.resolve({ metadata: { generation: 2 }, status }));
const api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
  client: {},
  config: { makeApiClient: () => ({ readNamespacedDaemonSet: read }) },
});

let told: jest.SpyInstance;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] });
  told = jest.spyOn(console, "log").mockImplementation();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test("one that is ready on every node is not waited for", async () => {
  status = ready;
  await waitForDaemonSet(api, reference);
  expect(read).toHaveBeenCalledWith(reference);
  expect(told).not.toHaveBeenCalled();
});

test.each<[what: string, status: object | undefined, words: string]>([
  ["without a status", undefined, "is ready on 0 of 0 nodes"],
  ["that is wanted on no node yet", { observedGeneration: 2, desiredNumberScheduled: 0 }, "is ready on 0 of 0 nodes"],
  ["that is ready on one of two nodes", { ...ready, numberReady: 1 }, "is ready on 1 of 2 nodes"],
  [
    "whose pods are ready, and one of a former version",
    { ...ready, updatedNumberScheduled: 1 },
    "is ready on 1 of 2 nodes",
  ],
  ["that its controller has not looked at since", { ...ready, observedGeneration: 1 }, "is ready on 2 of 2 nodes"],
])("one %s is waited for, and told of once, until time is up", async (_, given, words) => {
  status = given;
  const failed = errorOf(waitForDaemonSet(api, reference, 10));
  await jest.advanceTimersByTimeAsync(10_000);
  expect((await failed).message).toBe(
    `DaemonSet kube-system/csi did not get ready in 10 s: it ${words}. See \`kubectl describe\` of its pods.`,
  );
  const lines = told.mock.calls.map(([line]) => String(line));
  expect(lines.filter((line) => line.includes("Waiting: DaemonSet kube-system/csi"))).toHaveLength(1);
});

test("one that gets ready meanwhile ends the wait", async () => {
  status = { ...ready, numberReady: 0 };
  const waiting = waitForDaemonSet(api, reference, 10);
  await jest.advanceTimersByTimeAsync(1000);
  status = ready;
  await jest.advanceTimersByTimeAsync(1000);
  await waiting;
});
