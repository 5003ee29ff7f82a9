/** A workload, as far as its controller's view of it goes. */
export interface Workload {
  readonly metadata?: { readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number };
}

/** A Deployment, as far as its roll goes. */
export interface RolledDeployment extends Workload {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** Whether the controller has looked at a workload since it was changed: what its status says before is of the former one. */
export function isObserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
}

/** Whether all of a Deployment's pods are new and available, and no former one is left. */
export function isRolledOut(deployment: RolledDeployment): boolean {
  const { spec, status } = deployment;
  const counts = [status?.updatedReplicas, status?.availableReplicas, status?.replicas];
  return isObserved(deployment) && counts.every((count) => (count ?? 0) === (spec?.replicas ?? 1));
}
