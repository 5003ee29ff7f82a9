import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { isStored } from "../../../config/stores/vault/server";
import { VaultSession } from "./session";

/** How long the cluster may take to notice a changed StatefulSet, in seconds. */
const noticeSeconds = 30;

/** The servers of a Vault of the stack's own, as their StatefulSet counts them. */
export interface ServerRevisions {
  /** Names of all pods. */
  readonly all: readonly string[];
  /** Those that still run what an earlier `up` wrote. */
  readonly outdated: readonly string[];
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
  let containers: readonly string[] = [];
  const isNoticed = async (): Promise<boolean> => {
    const found = await permitted(api.find(apps.readNamespacedStatefulSet(reference)));
    wanted = found?.status?.updateRevision;
    containers = (found?.spec?.template.spec?.containers ?? []).map(({ name }) => name);
    return (found?.status?.observedGeneration ?? 0) >= (found?.metadata?.generation ?? 0);
  };
  await waitUntil(isNoticed, Date.now() + noticeSeconds * 1000);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  const names = (pods: typeof items): string[] => pods.map(({ metadata }) => metadata?.name ?? "").sort();
  const isOutdated = ({ metadata }: (typeof items)[number]): boolean =>
    metadata?.labels?.["controller-revision-hash"] !== wanted;
  return { all: names(items), outdated: wanted === undefined ? [] : names(items.filter(isOutdated)), containers };
}

/** What to say after an `up` that left servers as they were; empty where there is none. */
export async function outdatedNotice(environment: VaultEnvironment): Promise<string> {
  if (!isStored(environment.vault)) return "";
  const { all, outdated } = await serverRevisions(await VaultSession.open(environment));
  return outdated.length === 0 ? "" : `${describeOutdated(all, outdated)}: ${ownCommand("vault:roll", environment)}`;
}

export function describeOutdated(all: readonly string[], outdated: readonly string[]): string {
  return `${outdated.join(", ")} of ${all.length} servers of Vault ${outdated.length === 1 ? "runs" : "run"} what an earlier up wrote`;
}
