import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "../config/environment";
import { vaultCommand } from "../config/names";
import { kubectl } from "../operate/hints";
import type { Held } from "./value-holders";

/** The command that deletes what is held, by its name, with all its values. */
export function endCommand(environment: Environment, held: Held): string {
  const { kubeContext } = environment;
  switch (held.kind) {
    case "secret":
      return `${vaultCommand(environment)} ${shellCommand("kv", "metadata", "delete", `-mount=${held.mount}`, held.path)}`;
    case "mount":
      return `${vaultCommand(environment)} ${shellCommand("secrets", "disable", held.mount)}`;
    case "volume":
      return kubectl(environment, held.namespace, "delete", "pvc", held.name, "--wait=false");
    case "seal token":
      return kubectl(environment, held.namespace, "delete", "secret", held.name);
    case "servers":
      return shellCommand("helm", "--kube-context", kubeContext, "-n", held.namespace, "uninstall", held.release);
    case "namespace":
      return shellCommand("kubectl", "--context", kubeContext, "delete", "namespace", held.name);
  }
}
