import { auditVolumeName } from "../../constructs/platform/vault/audit-log";
import type { VaultEnvironment } from "../config/environment";
import type { KubeApi } from "./kube-api";

/**
 * Where the servers of a Vault of the stack's own keep their audit log. A StatefulSet's volumes cannot change, so one that was
 * made without a volume for it never gets one; nor does one that takes its place, since Vault itself knows the file's path.
 *
 * @returns undefined where there are no servers yet, and no storage of former ones
 */
export async function presentAuditPlace(
  api: KubeApi,
  { vault, namespaces }: VaultEnvironment,
): Promise<"volume" | "storage" | undefined> {
  const namespace = namespaces.vault;
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const found = await api.find(apps.readNamespacedStatefulSet({ namespace, name: vault.release }));
  if (found !== undefined) {
    const volumes = found.spec?.volumeClaimTemplates ?? [];
    return volumes.some(({ metadata }) => metadata?.name === auditVolumeName) ? "volume" : "storage";
  }
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const [data, audit] = await Promise.all(
    ["data", auditVolumeName].map((volume) =>
      api.find(core.readNamespacedPersistentVolumeClaim({ namespace, name: `${volume}-${vault.release}-0` })),
    ),
  );
  return audit !== undefined ? "volume" : data !== undefined ? "storage" : undefined;
}
