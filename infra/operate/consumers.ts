import type { V1DaemonSet, V1Deployment, V1PodSpec, V1StatefulSet } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import { environmentAnnotation, type RollSchedule } from "../../constructs/kubernetes";
import { mostReplicas, rollOf } from "../../constructs/kubernetes/aidbox/roll";
import { settle } from "../../constructs/settle";
import { isObserved, isRolledOut } from "../cluster/rollout";
import { waitUntil } from "../cluster/wait-until";
import type { Environment } from "../config/environment";
import { seconds } from "../config/quantity";
import { republishes } from "../config/rotation-bound";
import { nextRoll, rollAtOnce } from "./pending-roll";
import { allPermitted } from "./permission-denied";
import type { Session } from "./session";

/** A workload that takes a synced secret as environment. */
export interface Consumer {
  /** Kind of the workload. */
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  /** Its name in Aidbox's namespace. */
  readonly name: string;
  /** Whether the Republisher rolls it without being asked. */
  readonly rollsByItself: boolean;
  /** When it does, at the soonest; none where that is at once, or never. */
  readonly rollsAt?: Date;
}

/**
 * The namespace's workloads that take one of some keys of a Kubernetes Secret as environment.
 *
 * @param schedule what the Republisher's roll waits for; none where it does not wait
 */
export async function findConsumers(
  { api, environment, permitted }: Session,
  secretName: string,
  keys: readonly string[],
  schedule?: RollSchedule,
): Promise<Consumer[]> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { aidbox: namespace } = environment.namespaces;
  const [deployments, statefulSets, daemonSets] = await allPermitted([
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
    .filter(({ each }) => takes(each.spec?.template.spec, secretName, keys))
    .map(({ kind, each }) => {
      const name = each.metadata?.name ?? "";
      const rollsByItself = isRolledByRepublisher(environment, kind, each.metadata);
      const rollsAt = schedule && rollsByItself ? nextRoll(schedule, each.metadata?.annotations) : undefined;
      return { kind, name, rollsByItself, ...(rollsAt === undefined ? {} : { rollsAt }) };
    });
}

/** Whether the Republisher has noted what the pods have by now, so that it sees a change of it. */
function isRolledByRepublisher(
  environment: Environment,
  kind: Consumer["kind"],
  metadata: { readonly name?: string; readonly annotations?: Record<string, string> } | undefined,
): boolean {
  const isAidbox = kind === "Deployment" && metadata?.name === environment.aidbox.name;
  return isAidbox && republishes(environment) && metadata.annotations?.[environmentAnnotation] !== undefined;
}

function takes(pod: V1PodSpec | undefined, secretName: string, keys: readonly string[]): boolean {
  const containers = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
  return containers.some(
    ({ env, envFrom }) =>
      env?.some(
        ({ valueFrom }) => valueFrom?.secretKeyRef?.name === secretName && keys.includes(valueFrom.secretKeyRef.key),
      ) === true || envFrom?.some(({ secretRef }) => secretRef?.name === secretName) === true,
  );
}

/**
 * Waits until a Kubernetes Secret has some values.
 *
 * @returns whether it came in time
 */
export async function waitForSynced(
  { api, environment, permitted }: Session,
  name: string,
  values: ReadonlyMap<string, string | Buffer>,
  deadline: number,
): Promise<boolean> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const wanted = [...values].map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const);
  const reference = { namespace: environment.namespaces.aidbox, name };
  const hasIt = async (): Promise<boolean> => {
    const found = await permitted(api.find(core.readNamespacedSecret(reference)));
    return wanted.every(([key, value]) => found?.data?.[key] === value);
  };
  return waitUntil(hasIt, deadline, 250);
}

/** What the Republisher has rolled Aidbox for last; none where it never did. */
export async function lastRoll({ api, environment, permitted }: Session): Promise<string | undefined> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { namespaces, aidbox } = environment;
  const { spec } = await permitted(apps.readNamespacedDeployment({ namespace: namespaces.aidbox, name: aidbox.name }));
  return spec?.template.metadata?.annotations?.[environmentAnnotation];
}

/** What `kubectl rollout restart` sets. */
const restartAnnotation = "kubectl.kubernetes.io/restartedAt";

/** How long a roll may take, in seconds: longer where each step waits for a pod's end. */
function rollSeconds({ aidbox }: Environment): number {
  const stepSeconds = rollOf(aidbox).waitsForEnd ? seconds(aidbox.terminationGracePeriod ?? "30s") + 10 : 0;
  return 300 + mostReplicas(aidbox) * stepSeconds;
}

/** How often it is asked for a roll at once: its next round takes the wish away where it sees no change yet. */
const askAgainMilliseconds = 5000;

/**
 * Waits until the Republisher has rolled Aidbox, and all of it is new and ready.
 *
 * @param before what it had rolled it for before
 * @param atOnce whether not to wait for what its rolls wait for
 * @returns whether it was done in time
 */
export async function waitForOwnRoll(
  session: Session,
  { kind, name }: Consumer,
  before: string | undefined,
  atOnce: boolean,
): Promise<boolean> {
  const deadline = Date.now() + rollSeconds(session.environment) * 1000;
  let asked = 0;
  const hasBegun = await waitUntil(async () => {
    if ((await lastRoll(session)) !== before) return true;
    if (atOnce && Date.now() - asked > askAgainMilliseconds) {
      asked = Date.now();
      await rollAtOnce(session);
    }
    return false;
  }, deadline);
  return hasBegun && waitUntilRolled(session, kind, name, deadline);
}

/**
 * Rolls a workload, as `kubectl rollout restart` does, and waits until all of it is new and ready.
 *
 * @returns whether it was done in time
 */
export async function restart(session: Session, { kind, name }: Consumer): Promise<boolean> {
  const { api, environment, permitted } = session;
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const stamp = new Date().toISOString();
  const annotations = { [restartAnnotation]: stamp };
  const body = { spec: { template: { metadata: { annotations } } } };
  const request = { namespace: environment.namespaces.aidbox, name, body };
  const merge = api.client.setHeaderOptions("Content-Type", api.client.PatchStrategy.MergePatch);
  const patch = {
    Deployment: () => apps.patchNamespacedDeployment(request, merge),
    StatefulSet: () => apps.patchNamespacedStatefulSet(request, merge),
    DaemonSet: () => apps.patchNamespacedDaemonSet(request, merge),
  };
  const reference = { namespace: environment.namespaces.aidbox, name };
  const read = {
    Deployment: () => apps.readNamespacedDeployment(reference),
    StatefulSet: () => apps.readNamespacedStatefulSet(reference),
    DaemonSet: () => apps.readNamespacedDaemonSet(reference),
  };
  await settle({
    what: `${kind} ${name}`,
    write: async () => {
      await permitted<unknown>(patch[kind]());
      return true;
    },
    lookUp: async () => {
      const { spec } = await permitted<V1Deployment | V1StatefulSet | V1DaemonSet>(read[kind]());
      return spec?.template.metadata?.annotations?.[restartAnnotation] === stamp || undefined;
    },
  });
  return waitUntilRolled(session, kind, name, Date.now() + rollSeconds(environment) * 1000);
}

async function waitUntilRolled(
  { api, environment, permitted }: Session,
  kind: Consumer["kind"],
  name: string,
  deadline: number,
): Promise<boolean> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const reference = { namespace: environment.namespaces.aidbox, name };
  const isRolled = {
    Deployment: async () => isRolledOut(await apps.readNamespacedDeployment(reference)),
    StatefulSet: async () => {
      const found = await apps.readNamespacedStatefulSet(reference);
      const counts = [found.status?.updatedReplicas, found.status?.readyReplicas];
      return isObserved(found) && counts.every((count) => (count ?? 0) === (found.spec?.replicas ?? 1));
    },
    DaemonSet: async () => {
      const found = await apps.readNamespacedDaemonSet(reference);
      const { status } = found;
      const counts = [status?.updatedNumberScheduled, status?.numberReady];
      return isObserved(found) && counts.every((count) => (count ?? 0) === status?.desiredNumberScheduled);
    },
  };
  return waitUntil(() => permitted(isRolled[kind]()), deadline);
}
