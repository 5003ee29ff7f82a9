import type { Environment } from "./config/environment";

/** Label value for a stack; labels allow up to 63 letters, digits, dots, dashes and underscores. */
export function ownerOf(project: string, stack: string): string {
  return `${project}.${stack}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 63);
}

/** Name of the component that holds what an Aidbox has in Vault. */
export function accessName({ tenant }: Pick<Environment, "tenant">): string {
  return tenant === undefined ? "vault-access" : `vault-access-${tenant}`;
}

/** How an operator runs Vault's command line against the environment's Vault. */
export function vaultCommand({ vault, kubeContext, namespaces }: Environment): string {
  if (vault.mode === "external") return `VAULT_ADDR=${vault.addressFromHere ?? vault.address} vault`;
  return `kubectl --context ${kubeContext} -n ${namespaces.vault} exec -i ${vault.release}-0 -- vault`;
}
