import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { republishAnnotation } from "../../constructs/kubernetes";
import { aidboxLabels, labelSelector } from "../../constructs/kubernetes/labels";
import { settle } from "../../constructs/settle";
import { postgresName } from "../config/database";
import { execute } from "./execute";
import type { Session } from "./session";

/** The Aidbox pods that run and are to stay. */
export async function runningPods(session: Session): Promise<V1Pod[]> {
  return (await aidboxPods(session)).filter((pod) => containerOf(session, pod)?.state?.running !== undefined);
}

/** The Aidbox pods that are to stay, whatever their state. */
export async function aidboxPods(session: Session): Promise<V1Pod[]> {
  const { api, environment } = session;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await session.permitted(
    core.listNamespacedPod({
      namespace: environment.namespaces.aidbox,
      labelSelector: labelSelector(aidboxLabels(environment.aidbox.name)),
    }),
  );
  return items.filter(
    ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase !== "Failed",
  );
}

/** Pods of the PostgreSQL for development; none where there is none. */
export async function postgresPods({ api, environment, permitted }: Session): Promise<V1Pod[]> {
  if (environment.database?.mode !== "development") return [];
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const instance = postgresName(environment.aidbox.name);
  const { items } = await permitted(
    core.listNamespacedPod({
      namespace: environment.namespaces.aidbox,
      labelSelector: labelSelector({ "app.kubernetes.io/instance": instance }),
    }),
  );
  return items;
}

/** State of the container that runs Aidbox. */
export function containerOf({ environment }: Session, pod: V1Pod) {
  return pod.status?.containerStatuses?.find(({ name }) => name === environment.aidbox.name);
}

export function nameOf(pod: V1Pod): string {
  return pod.metadata?.name ?? "";
}

/** When the pod's volumes were last asked to be published again; none where never. */
export function lastRepublished(pod: V1Pod): Date | undefined {
  const time = new Date(pod.metadata?.annotations?.[republishAnnotation] ?? "");
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Has kubelet publish a pod's volumes again at once. Changes an annotation, and so restarts nothing. */
export async function republish(session: Session, pod: string, now = new Date().toISOString()): Promise<void> {
  const { api, environment } = session;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const body = { metadata: { annotations: { [republishAnnotation]: now } } };
  await session.permitted(
    core.patchNamespacedPodStatus(
      { namespace: environment.namespaces.aidbox, name: pod, body },
      api.client.setHeaderOptions("Content-Type", api.client.PatchStrategy.MergePatch),
    ),
  );
}

/** Has kubelet publish the volumes of the PostgreSQL for development again, where there is one. */
export async function republishPostgres(session: Session): Promise<void> {
  const now = new Date().toISOString();
  const pods = await postgresPods(session);
  await Promise.all(
    pods.map((pod) =>
      settle({
        what: `pod ${nameOf(pod)}`,
        write: () => republish(session, nameOf(pod), now).then(() => true),
        lookUp: async () => {
          const asked = (await postgresPods(session)).find((each) => nameOf(each) === nameOf(pod));
          return asked?.metadata?.annotations?.[republishAnnotation] === now || undefined;
        },
      }),
    ),
  );
}

/** What a pod's files have. */
export interface PodDigests {
  readonly pod: string;
  /** SHA-256 by path; those that are not there are left out. */
  readonly digests: ReadonlyMap<string, string>;
}

/** What the files of some pods have; a pod that goes away meanwhile, as in a roll, is left out. */
export async function digestsInPods(
  session: Session,
  pods: readonly V1Pod[],
  files: readonly string[],
): Promise<PodDigests[]> {
  const read = async (pod: string): Promise<PodDigests[]> => {
    try {
      return [{ pod, digests: await fileDigests(session, pod, files) }];
    } catch (error) {
      const left = await runningPods(session);
      if (left.some((each) => nameOf(each) === pod)) throw error;
      return [];
    }
  };
  return (await Promise.all(pods.map((pod) => read(nameOf(pod))))).flat();
}

/**
 * SHA-256 of files in a pod's Aidbox container, in hexadecimal, by path; those that are not there are left out. The
 * content does not leave the pod. Needs `sha256sum` in the image.
 */
export async function fileDigests(
  session: Session,
  pod: string,
  files: readonly string[],
): Promise<Map<string, string>> {
  const { environment } = session;
  const place = { namespace: environment.namespaces.aidbox, pod, container: environment.aidbox.name };
  const stdout = (await execute(session.api, place, ["sha256sum", ...files])).stdout.toString();
  return new Map(
    stdout.split("\n").flatMap((line): [string, string][] => {
      const [, digest, file] = /^\\?([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
      return digest === undefined || file === undefined ? [] : [[file, digest]];
    }),
  );
}
