import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "./environment";

/** How to run one of this project's commands on the environment. @param options its further words, each whole */
export function ownCommand(name: string, environment: Environment, ...options: string[]): string {
  const all = [
    ...options,
    ...(environment.name === "dev" ? [] : ["--env", environment.name]),
    ...(environment.tenant === undefined || isOfWholeStack(name) ? [] : ["--tenant", environment.tenant]),
  ];
  return all.length === 0 ? `npm run ${name}` : shellCommand("npm", "run", name, "--", ...all);
}

function isOfWholeStack(name: string): boolean {
  return name === "up" || name === "vault" || name.startsWith("vault:");
}
