import { isMadeByStore } from "../../../constructs/secrets";
import { sourceTraits } from "../../../constructs/secrets/source";
import { postgresName, postgresRole } from "../../config/database";
import type { VaultEnvironment } from "../../config/environment";
import { loginMount } from "../../config/stores/vault/login";
import { csiProviderRelease, isStored, ownsKvMount, vaultPaths } from "../../config/stores/vault/server";
import type { Station, StoreStations } from "../station";

/** What a secret passes on its way out of Vault. @param environment the first Aidbox's, or a tenant's */
export function vaultStations(environment: VaultEnvironment): StoreStations {
  const { vault, namespaces, aidbox } = environment;
  const release = csiProviderRelease(environment);
  return {
    store: storeOf(environment),
    provider: vault.csiProvider
      ? {
          title: "Vault CSI provider",
          lines: [`in ${namespaces.csiProvider}`],
          madeOf: [`Helm release ${release.namespace}/${release.releaseName}`],
        }
      : {
          title: vault.provider === "openbao" ? "OpenBao CSI provider" : "Vault CSI provider",
          lines: ["the cluster's own"],
          madeOf: [],
        },
    access: (reader) => {
      const role = reader === "aidbox" ? vault.role : postgresRole(environment);
      const account = reader === "aidbox" ? aidbox.name : postgresName(aidbox.name);
      return {
        title: `policy ${role}`,
        lines: [`role ${role}`, `of auth/${loginMount(environment)}, for`, `${namespaces.aidbox}/${account}`],
        madeOf: [`Vault policy ${role}`, `Vault role ${role}`, `Vault auth mount auth/${loginMount(environment)}`],
      };
    },
    madeFor: (secret) =>
      sourceTraits[secret.source].madeBy === "operator" || isMadeByStore(secret)
        ? []
        : [`Vault secret ${vaultPaths(environment).operator(secret)}`],
  };
}

function storeOf(environment: VaultEnvironment): Station {
  const { vault, namespaces } = environment;
  const mount = ownsKvMount(environment) ? [`Vault KV mount ${vault.kvMount.path}`] : [];
  if (vault.mode === "external") return { title: "Vault", lines: [vault.address], madeOf: mount };
  const servers = vault.mode === "ha" ? `${vault.replicas} servers` : "1 server";
  const lines = [`${isStored(vault) ? servers : "UNSAFE: dev mode"} in ${namespaces.vault}`];
  return { title: "Vault", lines, madeOf: [`Helm release ${namespaces.vault}/${vault.release}`, ...mount] };
}
