import type { Environment } from "../config/environment";

/** How to run one of this project's commands on the environment. */
export function ownCommand(name: string, environment: Environment, ...options: string[]): string {
  const all = [
    ...options,
    ...(environment.name === "dev" ? [] : ["--env", environment.name]),
    ...(environment.tenant === undefined || isOfWholeStack(name) ? [] : ["--tenant", environment.tenant]),
  ];
  return all.length === 0 ? `npm run ${name}` : `npm run ${name} -- ${all.join(" ")}`;
}

function isOfWholeStack(name: string): boolean {
  return name === "up";
}

/** What mends everything that the stack has made and somebody changed. */
export function mendDrift(environment: Environment): string {
  return ownCommand("up", environment, "--refresh");
}

/** `kubectl` on the environment's cluster. */
export function kubectl({ kubeContext }: Environment, namespace: string, command: string): string {
  return `kubectl --context ${kubeContext} -n ${namespace} ${command}`;
}
