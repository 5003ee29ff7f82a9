import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parse, parseDocument } from "yaml";
import type { Problem } from "../../constructs/secrets";
import { unencryptedProblems } from "./encryption";
import { checkEnvironment } from "./check-environment";
import { ConfigError, withProblems } from "./config-error";
import { ownKeys, projectName, secretKeys } from "./project";
import type { Environment } from "./environment";

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
 * @param contexts contexts of the kubeconfig; not looked at where undefined
 * @throws ConfigError where there is no such file, or its config is not valid
 */
export function readEnvironment(
  folder: string,
  name: string,
  overrides: readonly Override[] = [],
  contexts?: readonly string[],
): EnvironmentFile {
  const file = join(folder, `Pulumi.${name}.yaml`);
  if (!existsSync(file)) {
    const others = readdirSync(folder).flatMap((each) => /^Pulumi\.(.+)\.yaml$/.exec(each)?.[1] ?? []);
    throw new ConfigError(name, [
      {
        key: "",
        message: `there is no ${file}: write it, or pass --env with one of: ${others.join(", ") || "none is there yet"}`,
      },
    ]);
  }
  const document = parseDocument(readFileSync(file, "utf8"));
  const unreadable = document.errors.map((error) => ({ key: "", message: `${file} is no YAML: ${error.message}` }));
  const refused = overrides.flatMap((override) => apply(override, document));
  if (unreadable.length + refused.length > 0) throw new ConfigError(name, [...unreadable, ...refused]);
  const { config = {} } = (document.toJS() ?? {}) as { config?: Record<string, unknown> };
  const check = (): Environment => checkEnvironment(name, ownKeys(config), process.env.CHARTS_DIR, contexts, folder);
  return { document, environment: withProblems(name, unencryptedProblems(config), check) };
}

/** Sets an override's value; what is wrong with it, where it cannot be set. */
function apply({ key, value }: Override, document: Document): Problem[] {
  const [top = "", ...rest] = key.split(".");
  if (secretKeys.includes(top)) {
    return [
      { key, message: "holds secrets, and other processes can read arguments: use `pulumi config set --secret`" },
    ];
  }
  try {
    document.setIn(["config", `${projectName}:${top}`, ...rest], parse(value));
    return [];
  } catch (error) {
    return [{ key, message: `the value cannot be set (${String(error).split("\n")[0]}): write its value as YAML` }];
  }
}
