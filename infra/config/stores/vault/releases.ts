import { csiProviderName, reviewerBindingName } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../environment";
import type { StoreReleases } from "../store-releases";
import { csiProviderRelease } from "./server";

/** What Vault's releases have in the cluster that nobody else may have. */
export function vaultReleases(environment: VaultEnvironment): StoreReleases {
  const { vault, namespaces } = environment;
  const provider = csiProviderRelease(environment);
  const key = "vault.release";
  return {
    namespaces: [
      // Beside a Vault that is there already nothing runs in it.
      ...(vault.mode === "external" && !namespaces.options.vault.create
        ? []
        : [{ id: "vault", key: "namespaces.vault", name: namespaces.vault, level: "restricted" as const }]),
      // Its pods use host paths, which no other level admits.
      ...(vault.csiProvider
        ? [
            {
              id: "csi-provider",
              key: "namespaces.csiProvider",
              name: namespaces.csiProvider,
              level: "privileged" as const,
            },
          ]
        : []),
    ],
    clusterRoleBindings: [
      ...(vault.mode === "external"
        ? []
        : [{ key, name: reviewerBindingName(vault.release), namespace: namespaces.vault }]),
      ...(vault.csiProvider
        ? [
            {
              key,
              name: `${csiProviderName(provider.releaseName)}-clusterrolebinding`,
              namespace: provider.namespace,
            },
          ]
        : []),
    ],
  };
}
