import type { V1Deployment } from "@kubernetes/client-node" with { "resolution-mode": "import" };

interface Workload {
  readonly metadata?: { readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number };
}

/** Whether the controller has looked at a workload since it was changed: what its status says before is of the former one. */
export function isObserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
}

/** Whether all of a Deployment's pods are new and available, and no former one is left. */
export function isRolledOut(deployment: V1Deployment): boolean {
  const { spec, status } = deployment;
  const counts = [status?.updatedReplicas, status?.availableReplicas, status?.replicas];
  return isObserved(deployment) && counts.every((count) => (count ?? 0) === (spec?.replicas ?? 1));
}
