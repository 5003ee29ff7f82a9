import { setTimeout as sleep } from "node:timers/promises";
import type { V1PodSpec } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { Session } from "./session";

/** A workload that takes a synced secret as environment. */
export interface Consumer {
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly name: string;
}

/** The namespace's workloads that take a key of a Kubernetes Secret as environment. */
export async function findConsumers(
  { api, environment, permitted }: Session,
  secretName: string,
  key: string,
): Promise<Consumer[]> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { aidbox: namespace } = environment.namespaces;
  const [deployments, statefulSets, daemonSets] = await Promise.all([
    permitted(apps.listNamespacedDeployment({ namespace })),
    permitted(apps.listNamespacedStatefulSet({ namespace })),
    permitted(apps.listNamespacedDaemonSet({ namespace })),
  ]);
  const workloads = [
    ...deployments.items.map((each) => ({ kind: "Deployment" as const, each })),
    ...statefulSets.items.map((each) => ({ kind: "StatefulSet" as const, each })),
    ...daemonSets.items.map((each) => ({ kind: "DaemonSet" as const, each })),
  ];
  return workloads
    .filter(({ each }) => takes(each.spec?.template.spec, secretName, key))
    .map(({ kind, each }) => ({ kind, name: each.metadata?.name ?? "" }));
}

function takes(pod: V1PodSpec | undefined, secretName: string, key: string): boolean {
  const containers = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
  return containers.some(
    ({ env, envFrom }) =>
      env?.some(
        ({ valueFrom }) => valueFrom?.secretKeyRef?.name === secretName && valueFrom.secretKeyRef.key === key,
      ) === true || envFrom?.some(({ secretRef }) => secretRef?.name === secretName) === true,
  );
}

/**
 * Waits until a Kubernetes Secret has a value.
 *
 * @returns whether it came in time
 */
export async function waitForSynced(
  { api, environment, permitted }: Session,
  name: string,
  key: string,
  value: string,
  deadline: number,
): Promise<boolean> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const wanted = Buffer.from(value).toString("base64");
  while (Date.now() < deadline) {
    const { data } = await permitted(core.readNamespacedSecret({ namespace: environment.namespaces.aidbox, name }));
    if (data?.[key] === wanted) return true;
    await sleep(250);
  }
  return false;
}

/**
 * Rolls a workload, as `kubectl rollout restart` does, and waits until all of it is new and ready.
 *
 * @param seconds how long to wait
 * @returns whether it was done in time
 */
export async function restart(session: Session, { kind, name }: Consumer, seconds = 300): Promise<boolean> {
  const { api, environment, permitted } = session;
  const { aidbox: namespace } = environment.namespaces;
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
  const request = { namespace, name, body: { spec: { template: { metadata: { annotations } } } } };
  const merge = api.client.setHeaderOptions("Content-Type", api.client.PatchStrategy.MergePatch);
  const patch = {
    Deployment: () => apps.patchNamespacedDeployment(request, merge),
    StatefulSet: () => apps.patchNamespacedStatefulSet(request, merge),
    DaemonSet: () => apps.patchNamespacedDaemonSet(request, merge),
  };
  const isRolled = {
    Deployment: async () => {
      const { metadata, spec, status } = await apps.readNamespacedDeployment({ namespace, name });
      const counts = [status?.updatedReplicas, status?.availableReplicas, status?.replicas];
      return isSeen(metadata, status) && counts.every((count) => (count ?? 0) === (spec?.replicas ?? 1));
    },
    StatefulSet: async () => {
      const { metadata, spec, status } = await apps.readNamespacedStatefulSet({ namespace, name });
      const counts = [status?.updatedReplicas, status?.readyReplicas];
      return isSeen(metadata, status) && counts.every((count) => (count ?? 0) === (spec?.replicas ?? 1));
    },
    DaemonSet: async () => {
      const { metadata, status } = await apps.readNamespacedDaemonSet({ namespace, name });
      const counts = [status?.updatedNumberScheduled, status?.numberReady];
      return isSeen(metadata, status) && counts.every((count) => (count ?? 0) === status?.desiredNumberScheduled);
    },
  };
  await permitted<unknown>(patch[kind]());
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (await permitted(isRolled[kind]())) return true;
    await sleep(500);
  }
  return false;
}

/** Whether the controller has looked at the workload since it was changed. */
function isSeen(
  metadata: { readonly generation?: number } | undefined,
  status: { readonly observedGeneration?: number } | undefined,
): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
}
