import { shellCommand, shellWord } from "../../constructs/shell-command";
import { ownCommand } from "./command-line";
import type { VaultEnvironment } from "./environment";
import { addressFromHere } from "./stores/vault/address";
import { loginMount } from "./stores/vault/login";

/** Label value for a stack; labels allow up to 63 letters, digits, dots, dashes and underscores. */
export function ownerOf(project: string, stack: string): string {
  return `${project}.${stack}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 63);
}

/** Name of the ConfigMap that marks a namespace as one that a stack uses, where somebody else made it. */
export const namespaceMarkName = "aidbox-secrets-stack";

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

/** Name of the policy in Vault of the operators who write an Aidbox's secrets. */
export function writerPolicyName({ vault }: { readonly vault: { readonly role: string } }): string {
  return `${vault.role}-writer`;
}

/** Name of the role in Vault, and of its policy, of the pods that take snapshots. */
export function snapshotsRole({ vault }: { readonly vault: { readonly role: string } }): string {
  return `${vault.role}-snapshots`;
}

/** What each policy of the stack begins with, so that no other stack on the same Vault takes it for its own. */
export function policyMark(environment: Pick<VaultEnvironment, "name" | "vault">): string {
  return `aidbox-secrets: stack ${environment.name}, logins at auth/${loginMount(environment)}`;
}

/** How an operator runs Vault's command line against the environment's Vault. */
export function vaultCommand(environment: VaultEnvironment): string {
  const { vault, kubeContext, namespaces } = environment;
  if (vault.mode === "external") return `VAULT_ADDR=${shellWord(addressFromHere(vault))} vault`;
  // In dev mode the server's pod has its root token; elsewhere it has none, and is no place to bring one to.
  if (vault.mode === "dev") {
    const pod = `${vault.release}-0`;
    return shellCommand("kubectl", "--context", kubeContext, "-n", namespaces.vault, "exec", "-i", pod, "--", "vault");
  }
  const own = ownCommand("vault", environment);
  return own.includes(" -- ") ? `${own} --` : `${own} -- --`;
}
