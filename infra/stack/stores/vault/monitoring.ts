import type { Chart } from "cdk8s";
import { Duration } from "cdk8s";
import { parseSchedule } from "../../../../constructs/cron";
import { PodMonitor, type WatchedVault } from "../../../../constructs/kubernetes/monitoring";
import {
  vaultMetricsPortName,
  vaultServerLabels,
  vaultSnapshotsName,
  vaultTlsNames,
} from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../../config/environment";
import { durationOf } from "../../../config/quantity";
import { hasMetrics, isStored, snapshotsOf } from "../../../config/stores/vault/server";

/**
 * Has the stack's own Vault looked at.
 *
 * @param certificateEnd when its servers' certificate ends, where the stack issues it
 * @returns what is watched; none where Vault is others', or in dev mode
 */
export function watchVault(
  chart: Chart,
  environment: VaultEnvironment,
  certificateEnd: Date | undefined,
): WatchedVault | undefined {
  const { vault, namespaces, monitoring } = environment;
  if (monitoring === undefined || !hasMetrics(environment)) return undefined;
  const names = vaultTlsNames(vault.release);
  new PodMonitor(chart, "vault", {
    name: vault.release,
    namespace: namespaces.vault,
    labels: monitoring.labels,
    podLabels: vaultServerLabels(vault.release),
    port: vaultMetricsPortName,
    interval: durationOf(monitoring.interval),
    path: "/v1/sys/metrics",
    params: { format: ["prometheus"] },
    tls: { caConfigMap: names.ca, serverName: `${vault.release}.${namespaces.vault}.svc` },
  });
  const snapshots = snapshotsOf(environment);
  const isCertManagers = isStored(vault) && vault.certManager !== undefined;
  return {
    namespace: namespaces.vault,
    name: vault.release,
    ...(isCertManagers ? { certificate: names.server } : {}),
    ...(isCertManagers || certificateEnd === undefined ? {} : { certificateEnd }),
    ...(snapshots === undefined
      ? {}
      : {
          snapshots: {
            cronJob: vaultSnapshotsName(vault.release),
            longestInterval: Duration.seconds(longestInterval(snapshots.schedule)),
            ...(snapshots.copies === undefined ? {} : { areCopied: true }),
          },
        }),
  };
}

/** The same time for every run, so that the rules are. A leap year is in it, and each day of the week. */
const reference = new Date("2028-03-01T00:00:00Z");

/** The longest time between two of the last runs of a schedule, in seconds. */
function longestInterval(schedule: string): number {
  const runs = parseSchedule(schedule).previousRuns(50, reference);
  const gaps = runs.slice(1).map((run, index) => (runs[index]!.getTime() - run.getTime()) / 1000);
  return Math.max(...gaps);
}
