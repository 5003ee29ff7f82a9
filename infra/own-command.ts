import type { Environment } from "./config/environment";

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
  return name === "up" || name.startsWith("vault:");
}
