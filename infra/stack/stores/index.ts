import type { App, Chart } from "cdk8s";
import type { WatchedVault } from "../../../constructs/kubernetes/monitoring";
import type { SecretStore } from "../../../constructs/secrets";
import type { Environment } from "../../config/environment";
import { storeConfigOf } from "../../config/stores";
import type { StoreKey } from "../../config/stores/schemas";
import { awsYaml } from "./aws/store";
import { keyVaultYaml } from "./azure-key-vault/store";
import type { StoreYaml } from "./store-yaml";
import { vaultYaml } from "./vault/yaml";

const byKey: Readonly<Record<StoreKey, StoreYaml<Environment>>> = {
  vault: vaultYaml,
  azureKeyVault: keyVaultYaml,
  awsSecrets: awsYaml,
};

/**
 * The store as pods of the environment read it.
 *
 * @param reader whose pods
 * @param address URL of the store as seen from the cluster's pods, where only the deployment knows it
 */
export function storeOf(
  environment: Environment,
  reader: "aidbox" | "postgres" = "aidbox",
  address?: string,
): SecretStore {
  return byKey[storeConfigOf(environment).key].store(environment, reader, address);
}

/** Has the stack's own store looked at by Prometheus; what is watched, none where it is not the stack's. */
export function watchStore(
  chart: Chart,
  environment: Environment,
  certificateEnd: Date | undefined,
): WatchedVault | undefined {
  return byKey[storeConfigOf(environment).key].watch?.(chart, environment, certificateEnd);
}

/** Writes what the store's own deployment has beside Helm releases: what closes the ways to Vault. */
export function storeChart(app: App, environment: Environment): void {
  byKey[storeConfigOf(environment).key].chart?.(app, environment);
}
