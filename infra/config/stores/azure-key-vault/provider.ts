import type { MarkedRelease } from "../../../../constructs/platform/release-mark";
import { csiProviderName } from "../../../../constructs/stores/azure-key-vault/names";
import type { KeyVaultEnvironment } from "../../environment";
import type { StoreReleases } from "../store-releases";

/** The Helm release of Azure's CSI provider, whose DaemonSet is called so too; none where the cluster has it. */
export function keyVaultProvider({ azureKeyVault, namespaces }: KeyVaultEnvironment): MarkedRelease | undefined {
  if (azureKeyVault.csiProvider === "there") return undefined;
  return { releaseName: csiProviderName, namespace: namespaces.csiProvider };
}

/** What the provider's release has in the cluster that nobody else may have. */
export function keyVaultReleases(environment: KeyVaultEnvironment): StoreReleases {
  const provider = keyVaultProvider(environment);
  if (provider === undefined) return { namespaces: [], clusterRoleBindings: [] };
  return {
    // Its pods use host paths and the node's network, which no other level admits.
    namespaces: [{ id: "csi-provider", key: "namespaces.csiProvider", name: provider.namespace, level: "privileged" }],
    clusterRoleBindings: [],
  };
}
