import { shellCommand, shellWord } from "../constructs/shell-command";
import type { Environment } from "./config/environment";

/** Label value for a stack; labels allow up to 63 letters, digits, dots, dashes and underscores. */
export function ownerOf(project: string, stack: string): string {
  return `${project}.${stack}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 63);
}

/** Name of the component that holds what an Aidbox has in Vault. */
export function accessName({ tenant }: { readonly tenant?: string | undefined }): string {
  return tenant === undefined ? "vault-access" : `vault-access-${tenant}`;
}

/** Name of the policy of the stack's own token in Vault. */
export function stackPolicyName({ vault }: { readonly vault: { readonly role: string } }): string {
  return `${vault.role}-stack`;
}

/** Name of the Kubernetes Secret with the token for the Vault that holds the key of the seal. */
export function sealTokenSecretName(releaseName: string): string {
  return `${releaseName}-seal-token`;
}

/** How an operator runs Vault's command line against the environment's Vault. */
export function vaultCommand({ vault, kubeContext, namespaces }: Environment): string {
  if (vault.mode === "external") return `VAULT_ADDR=${shellWord(vault.addressFromHere ?? vault.address)} vault`;
  const pod = `${vault.release}-0`;
  return shellCommand("kubectl", "--context", kubeContext, "-n", namespaces.vault, "exec", "-i", pod, "--", "vault");
}
