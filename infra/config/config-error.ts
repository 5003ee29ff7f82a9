import type { Problem } from "../../constructs/secrets";
import { projectName } from "./project";

/** Config that cannot be used. The message lists every problem. */
export class ConfigError extends Error {
  public constructor(
    public readonly environment: string,
    public readonly problems: readonly Problem[],
  ) {
    super(
      [
        `The config of environment "${environment}" (Pulumi.${environment}.yaml) is not valid:`,
        ...problems.map(({ key, message }) => (key === "" ? `  ${message}` : `  ${projectName}:${key}: ${message}`)),
      ].join("\n"),
    );
    this.name = "ConfigError";
  }
}

/**
 * What a check returns, where nothing else is wrong.
 *
 * @throws ConfigError with all that is wrong
 */
export function withProblems<T>(name: string, others: readonly Problem[], check: () => T): T {
  let checked: T;
  try {
    checked = check();
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(name, [...error.problems, ...others]) : error;
  }
  if (others.length > 0) throw new ConfigError(name, others);
  return checked;
}
