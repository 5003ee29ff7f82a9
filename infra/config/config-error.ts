import type { Problem } from "../../constructs/secrets";
import { visible } from "../../constructs/visible";
import { type Place, placeText } from "./place";
import { projectName } from "./project";

/** Finds where the environment's file says a key. */
export type Locate = (key: string) => Place | undefined;

/** Config that cannot be used. The message lists every problem. */
export class ConfigError extends Error {
  /** @internal */
  public constructor(
    /** Name of the environment, as `dev`. */
    public readonly environment: string,
    /** All that is wrong, each with the key, the value and the fix. */
    public readonly problems: readonly Problem[],
    locate: Locate = () => undefined,
  ) {
    super(
      [
        `The config of environment "${environment}" (Pulumi.${environment}.yaml) is not valid:`,
        ...problems.map(({ key, message }) =>
          // Each on a line of its own, also where a value or a key has several.
          key === ""
            ? `  ${visible(message)}`
            : `  ${projectName}:${visible(key)}${placeText(locate(key))}: ${visible(message)}`,
        ),
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
