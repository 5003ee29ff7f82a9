import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { checkEnvironment, type Environment, ownKeys } from "./environment";

/**
 * An environment from its file, without Pulumi.
 *
 * @param name name of the environment; its file is `Pulumi.<name>.yaml` in the working directory
 */
export function environmentOfFile(name: string): Environment {
  const document = parse(readFileSync(`Pulumi.${name}.yaml`, "utf8")) as {
    config?: Record<string, unknown>;
  };
  return checkEnvironment(name, ownKeys(document.config ?? {}), process.env.CHARTS_DIR);
}
