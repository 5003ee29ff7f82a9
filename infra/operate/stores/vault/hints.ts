import { shellCommand } from "../../../../constructs/shell-command";
import { vaultTlsNames } from "../../../../constructs/stores/vault/names";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { vaultCommand } from "../../../config/names";
import { addressFromHere } from "../../../config/stores/vault/address";
import { isStored } from "../../../config/stores/vault/server";
import { kubectl } from "../../hints";

/** Asks for a token, without showing it, and revokes it. */
export function revokeToken(environment: VaultEnvironment): string {
  const { vault, namespaces } = environment;
  const revoke = "read -rs VAULT_TOKEN && export VAULT_TOKEN && vault token revoke -self";
  if (isStored(vault)) {
    return kubectl(environment, namespaces.vault, "exec", "-it", `${vault.release}-0`, "--", "sh", "-c", revoke);
  }
  return `${vaultCommand(environment)} token revoke -self, with the token in VAULT_TOKEN`;
}

/** Sets how many servers of a Vault in the cluster run. @param replicas by default as many as the config has */
export function scaleServers(environment: VaultEnvironment, replicas?: number): string {
  const { vault } = environment;
  const { namespace } = vaultServerPods(environment);
  const count = replicas ?? (vault.mode === "ha" ? vault.replicas : 1);
  return kubectl(environment, namespace, "scale", "statefulset", vault.release, "--replicas", String(count));
}

/** Deletes the storage of a Vault of the stack's own, and starts it anew. */
export function discardVault(environment: VaultEnvironment): string {
  const { namespace, labelSelector } = vaultServerPods(environment);
  const discard = kubectl(environment, namespace, "delete", "pvc", "-l", labelSelector);
  return [scaleServers(environment, 0), discard, scaleServers(environment)].join(" && ");
}

/** What to do about a Vault that holds nothing, and was initialised by keys that nobody has. */
export function keysAreLost(environment: VaultEnvironment): string {
  return (
    "If Vault is initialised now, nobody has its keys. It holds nothing yet: delete its storage, and begin anew:\n" +
    `  ${discardVault(environment)}`
  );
}

/** Shows why pods of Vault's servers do not run. */
export function lookAtServers(environment: VaultEnvironment, pods: readonly string[]): string {
  return kubectl(environment, vaultServerPods(environment).namespace, "describe", "pod", ...pods);
}

/** What to do for servers that a command did not wait for any longer; no line where there are none. */
export function leftOutLines(environment: VaultEnvironment, pods: readonly string[] = []): string[] {
  if (pods.length === 0) return [];
  const which = `${pods.join(", ")} did not run, and ${pods.length === 1 ? "was" : "were"} left out`;
  const unseal = ownCommand("vault:unseal", environment);
  return [`${which}. Look why: ${lookAtServers(environment, pods)}`, `Unseal what runs again: ${unseal}`];
}

/** How to come by a Vault's certificate that is good, or to see why it is not. */
export function renewCertificate(environment: VaultEnvironment): string {
  const { vault, namespaces } = environment;
  if (vault.mode === "external") return shellCommand("curl", "-v", `${addressFromHere(vault)}/v1/sys/health`);
  if (isStored(vault) && vault.certManager !== undefined) {
    return kubectl(environment, namespaces.vault, "describe", "certificate", vaultTlsNames(vault.release).server);
  }
  return ownCommand("up", environment);
}
