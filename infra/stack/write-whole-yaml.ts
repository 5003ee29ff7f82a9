import { unlistedProblems } from "../config/all-keys";
import { ConfigError } from "../config/config-error";
import type { Environment } from "../config/environment";
import { writeYaml } from "./write-yaml";

/**
 * Writes YAML that others apply as it is; returns the folder.
 *
 * @throws ConfigError where `up` would look in Vault for what is in it
 */
export function writeWholeYaml(environment: Environment): string {
  const problems = unlistedProblems(environment);
  if (problems.length > 0) throw new ConfigError(environment.name, problems);
  return writeYaml(environment);
}
