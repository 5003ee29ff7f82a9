import type { KeyVaultEnvironment } from "../../config/environment";
import { keyVaultProvider } from "../../config/stores/azure-key-vault/provider";
import type { Station, StoreStations } from "../station";

/** What a secret passes on its way out of Azure Key Vault, which the plan does not make. */
export function keyVaultStations(environment: KeyVaultEnvironment): StoreStations {
  const { azureKeyVault } = environment;
  const release = keyVaultProvider(environment);
  return {
    store: { title: "Azure Key Vault", lines: [azureKeyVault.name], madeOf: [] },
    provider:
      release === undefined
        ? { title: "Azure CSI provider", lines: ["the cluster's own"], madeOf: [] }
        : {
            title: "Azure CSI provider",
            lines: [`in ${release.namespace}`],
            madeOf: [`Helm release ${release.namespace}/${release.releaseName}`],
          },
    access: () => accessOf(environment),
    // `up` writes its secrets itself, without a resource.
    madeFor: () => [],
  };
}

function accessOf({ azureKeyVault: { identity }, namespaces, aidbox }: KeyVaultEnvironment): Station {
  switch (identity.type) {
    case "workload":
      return {
        title: "managed identity",
        lines: [identity.clientId, "role Key Vault Secrets User, for", `${namespaces.aidbox}/${aidbox.name}`],
        madeOf: [],
      };
    case "node":
      return { title: "the node's identity", lines: ["UNSAFE: every pod", "of the node has it"], madeOf: [] };
    case "service-principal":
      return {
        title: "service principal",
        lines: ["UNSAFE: its password is", `in Secret ${identity.secretName}`],
        madeOf: [],
      };
  }
}
