import { vaultTlsNames } from "../../constructs/kubernetes";
import type { Environment } from "../config/environment";
import { isStored } from "../config/vault-server";
import { ownCommand } from "../own-command";

/** What mends everything that the stack has made and somebody changed. */
export function mendDrift(environment: Environment): string {
  return ownCommand("up", environment, "--refresh");
}

/** `kubectl` on the environment's cluster. */
export function kubectl({ kubeContext }: Environment, namespace: string, command: string): string {
  return `kubectl --context ${kubeContext} -n ${namespace} ${command}`;
}

/** How to come by a Vault's certificate that is good, or to see why it is not. */
export function renewCertificate(environment: Environment): string {
  const { vault, namespaces } = environment;
  if (vault.mode === "external") return `curl -v ${vault.addressFromHere ?? vault.address}/v1/sys/health`;
  if (isStored(vault) && vault.certManager !== undefined) {
    return kubectl(environment, namespaces.vault, `describe certificate ${vaultTlsNames(vault.release).server}`);
  }
  return ownCommand("up", environment);
}
