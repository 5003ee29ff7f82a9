import { isObserved, isRolledOut, type RolledDeployment } from "../../../infra/cluster/rollout";

const metadata = { generation: 2 };
const status = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const spec = { replicas: 2 };

test.each<[what: string, deployment: RolledDeployment, isSo: boolean]>([
  ["whose pods are all new and available", { metadata, spec, status }, true],
  ["of which a former pod is left", { metadata, spec, status: { ...status, replicas: 3 } }, false],
  ["of which a pod is a former one", { metadata, spec, status: { ...status, updatedReplicas: 1 } }, false],
  ["of which a new pod is not available", { metadata, spec, status: { ...status, availableReplicas: 1 } }, false],
  ["that its controller has not looked at since", { metadata: { generation: 3 }, spec, status }, false],
  ["that nobody has looked at yet", { metadata: { generation: 1 }, spec }, false],
  ["that is scaled to none", { metadata, spec: { replicas: 0 }, status: { observedGeneration: 2 } }, true],
  [
    "that says no number, which is one",
    { metadata, status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 } },
    true,
  ],
])("a Deployment %s", (_, deployment, isSo) => {
  expect(isRolledOut(deployment)).toBe(isSo);
});

test("a workload without a status was looked at by nobody", () => {
  expect(isObserved({ metadata: { generation: 1 } })).toBe(false);
  expect(isObserved({})).toBe(false);
});
