import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parse, parseDocument } from "yaml";
import type { Problem } from "../../constructs/secrets";
import { checkEnvironment, ConfigError, type Environment, ownKeys, projectName, secretKeys } from "./environment";

/** A value that a command's `--config KEY=VALUE` sets for one run. */
export interface Override {
  /** Key without the project's prefix, with dots into objects: `aidbox.replicas`. */
  readonly key: string;
  /** The value as YAML. */
  readonly value: string;
}

/** An environment's file, with the overrides of this run. */
export interface EnvironmentFile {
  readonly environment: Environment;
  readonly document: Document;
}

/**
 * Reads and checks an environment's file, without Pulumi.
 *
 * @param folder folder of `Pulumi.<name>.yaml`
 * @throws ConfigError where there is no such file, or its config is not valid
 */
export function readEnvironment(folder: string, name: string, overrides: readonly Override[] = []): EnvironmentFile {
  const file = join(folder, `Pulumi.${name}.yaml`);
  if (!existsSync(file)) {
    const others = readdirSync(folder).flatMap((each) => /^Pulumi\.(.+)\.yaml$/.exec(each)?.[1] ?? []);
    throw new ConfigError(name, [
      { key: "", message: `there is no ${file}: write it, or pass --env with one of ${others.join(", ")}` },
    ]);
  }
  const document = parseDocument(readFileSync(file, "utf8"));
  const refused = overrides.flatMap((override) => refuse(override));
  if (refused.length > 0) throw new ConfigError(name, refused);
  for (const { key, value } of overrides) {
    const [top = "", ...rest] = key.split(".");
    document.setIn(["config", `${projectName}:${top}`, ...rest], parse(value));
  }
  const { config } = document.toJS() as { config?: Record<string, unknown> };
  return { document, environment: checkEnvironment(name, ownKeys(config ?? {}), process.env.CHARTS_DIR) };
}

function refuse({ key }: Override): Problem[] {
  if (!secretKeys.includes(key.split(".")[0]!)) return [];
  return [{ key, message: "holds secrets, and other processes can read arguments: use `pulumi config set --secret`" }];
}
