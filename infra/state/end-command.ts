import type { Environment } from "../config/environment";
import { vaultCommand } from "../naming";
import type { Held } from "./value-holders";

/** The command that deletes what is held, by its name, with all its values. */
export function endCommand(environment: Environment, held: Held): string {
  const kubectl = `kubectl --context ${environment.kubeContext}`;
  switch (held.kind) {
    case "secret":
      return `${vaultCommand(environment)} kv metadata delete -mount=${held.mount} ${held.path}`;
    case "mount":
      return `${vaultCommand(environment)} secrets disable ${held.mount}`;
    case "volume":
      return `${kubectl} -n ${held.namespace} delete pvc ${held.name} --wait=false`;
    case "servers":
      return `helm --kube-context ${environment.kubeContext} -n ${held.namespace} uninstall ${held.release}`;
    case "namespace":
      return `${kubectl} delete namespace ${held.name}`;
  }
}
