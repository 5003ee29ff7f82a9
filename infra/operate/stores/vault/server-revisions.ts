import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import { ownCommand } from "../../../config/command-line";
import { isStored } from "../../../config/stores/vault/server";
import type { VaultSession } from "./session";

/** How long the cluster may take to notice a changed StatefulSet, in seconds. */
const noticeSeconds = 30;

/** The servers of a Vault of the stack's own, as their StatefulSet counts them. */
export interface ServerRevisions {
  /** Names of all pods. */
  readonly all: readonly string[];
  /** Those that still run what an earlier `up` wrote. */
  readonly outdated: readonly string[];
  /** The images of Vault that these run, and which a server that is made now does not. */
  readonly formerImages: readonly string[];
  /** Image of Vault of a server that is made now. @default - the StatefulSet is gone */
  readonly image?: string | undefined;
  /** Names of the containers of a server that is made now. */
  readonly containers: readonly string[];
}

/**
 * Which servers run what the last `up` wrote. The chart's StatefulSet replaces no pod by itself (`OnDelete`), since each that
 * restarts is sealed, and a leader that goes is felt.
 *
 * @throws PermissionDeniedError
 */
export async function serverRevisions({ api, environment, permitted }: VaultSession): Promise<ServerRevisions> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace, labelSelector } = vaultServerPods(environment);
  const reference = { namespace, name: environment.vault.release };
  let wanted: string | undefined;
  let containers: readonly ContainerImage[] = [];
  const isNoticed = async (): Promise<boolean> => {
    const found = await permitted(api.find(apps.readNamespacedStatefulSet(reference)));
    wanted = found?.status?.updateRevision;
    containers = found?.spec?.template.spec?.containers ?? [];
    return (found?.status?.observedGeneration ?? 0) >= (found?.metadata?.generation ?? 0);
  };
  await waitUntil(isNoticed, Date.now() + noticeSeconds * 1000);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  const names = (pods: typeof items): string[] => pods.map(({ metadata }) => metadata?.name ?? "").sort();
  const isOutdated = ({ metadata }: (typeof items)[number]): boolean =>
    metadata?.labels?.["controller-revision-hash"] !== wanted;
  const outdated = wanted === undefined ? [] : items.filter(isOutdated);
  const image = vaultImageOf(containers);
  const former = outdated.map(({ spec }) => vaultImageOf(spec?.containers ?? []));
  return {
    all: names(items),
    outdated: names(outdated),
    formerImages: [...new Set(former)].filter((each) => each !== undefined && each !== image) as string[],
    image,
    containers: containers.map(({ name }) => name),
  };
}

interface ContainerImage {
  readonly name: string;
  readonly image?: string;
}

function vaultImageOf(containers: readonly ContainerImage[]): string | undefined {
  return containers.find(({ name }) => name === "vault")?.image;
}

/** What to say of servers that an `up` left as they were; empty where there is none. @throws PermissionDeniedError */
export async function outdatedNotice(session: VaultSession): Promise<string> {
  const { environment } = session;
  if (!isStored(environment.vault)) return "";
  const revisions = await serverRevisions(session);
  return revisions.outdated.length === 0
    ? ""
    : `${describeOutdated(revisions)}: ${ownCommand("vault:roll", environment)}`;
}

export function describeOutdated({ all, outdated, formerImages, image }: ServerRevisions): string {
  const run = outdated.length === 1 ? "runs" : "run";
  const images = formerImages.length === 0 ? "" : ` (${formerImages.join(", ")}, and not ${image ?? "it"})`;
  return `${outdated.join(", ")} of ${all.length} servers of Vault ${run} what an earlier up wrote${images}`;
}
