import type { App } from "cdk8s";
import type { SecretStore } from "../../../constructs/secrets";
import type { Environment } from "../../config/environment";
import { keyVaultStore } from "./azure-key-vault/store";
import { guardsChart } from "./vault/guards";
import { vaultStore } from "./vault/store";

/**
 * The store as pods of the environment read it.
 *
 * @param reader whose pods
 * @param vaultAddress URL of Vault as seen from the cluster's pods, where that is its store
 */
export function storeOf(
  environment: Environment,
  reader: "aidbox" | "postgres" = "aidbox",
  vaultAddress?: string,
): SecretStore {
  return environment.vault === undefined
    ? keyVaultStore(environment, reader)
    : vaultStore(environment, reader, vaultAddress);
}

/** Writes what the store's own deployment has beside Helm releases: what closes the ways to Vault. */
export function storeChart(app: App, environment: Environment): void {
  if (environment.vault !== undefined) guardsChart(app, environment);
}
