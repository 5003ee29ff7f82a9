import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "./environment";
import { howToRun, isInstalled } from "./own-package";

/** How to run one of this project's commands on the environment. @param options its further words, each whole */
export function ownCommand(name: string, environment: Environment, ...options: string[]): string {
  const all = [
    ...options,
    ...(environment.name === "dev" ? [] : ["--env", environment.name]),
    ...(environment.tenant === undefined || isOfWholeStack(name) ? [] : ["--tenant", environment.tenant]),
  ];
  if (all.length === 0) return howToRun(name);
  return `${howToRun(name)} ${isInstalled() ? "" : "-- "}${shellCommand(...all)}`;
}

function isOfWholeStack(name: string): boolean {
  return name === "up" || name === "adopt" || name === "vault" || name.startsWith("vault:");
}
