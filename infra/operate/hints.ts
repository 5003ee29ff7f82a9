import type { Environment } from "../config/environment";
import { ownCommand } from "../own-command";

/** What mends everything that the stack has made and somebody changed. */
export function mendDrift(environment: Environment): string {
  return ownCommand("up", environment, "--refresh");
}

/** `kubectl` on the environment's cluster. */
export function kubectl({ kubeContext }: Environment, namespace: string, command: string): string {
  return `kubectl --context ${kubeContext} -n ${namespace} ${command}`;
}
