import { shellCommand } from "../../constructs/shell-command";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";

/** What mends everything that the stack has made and somebody changed. */
export function mendDrift(environment: Environment): string {
  return ownCommand("up", environment, "--refresh");
}

/** `kubectl` on the environment's cluster. @param words its further words, each whole */
export function kubectl(
  { kubeContext }: Pick<Environment, "kubeContext">,
  namespace: string,
  ...words: readonly string[]
): string {
  return shellCommand("kubectl", "--context", kubeContext, "-n", namespace, ...words);
}
