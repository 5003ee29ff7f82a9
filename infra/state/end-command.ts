import { shellCommand } from "../../constructs/shell-command";
import type { Environment, VaultEnvironment } from "../config/environment";
import { vaultCommand } from "../config/names";
import { kubectl } from "../operate/hints";
import type { Held } from "./value-holders";

/** The command that deletes what is held, by its name, with all its values. */
export function endCommand(environment: VaultEnvironment, held: Held): string {
  const { kubeContext } = environment;
  switch (held.kind) {
    case "secret":
      return `${vaultCommand(environment)} ${shellCommand("kv", "metadata", "delete", `-mount=${held.mount}`, held.path)}`;
    case "mount":
      return `${vaultCommand(environment)} ${shellCommand("secrets", "disable", held.mount)}`;
    case "volume":
      return endVolume(environment, held);
    case "seal token":
      return kubectl(environment, held.namespace, "delete", "secret", held.name);
    case "servers":
      return shellCommand("helm", "--kube-context", kubeContext, "-n", held.namespace, "uninstall", held.release);
    case "namespace":
      return shellCommand("kubectl", "--context", kubeContext, "delete", "namespace", held.name);
  }
}

/** The command that deletes a volume by its claim. */
export function endVolume(
  environment: Pick<Environment, "kubeContext">,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return kubectl(environment, namespace, "delete", "pvc", name, "--wait=false");
}
