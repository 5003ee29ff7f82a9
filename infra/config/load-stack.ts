import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { Problem } from "../../constructs/secrets";
import { checkEnvironment } from "./check-environment";
import { withProblems } from "./config-error";
import { encryptionProblems, unencryptedProblems } from "./encryption";
import type { Environment } from "./environment";
import { missingValueProblems, type StackValues } from "./managed-values";
import { environmentsFolderVariable, ownKeys, projectName } from "./project";

/**
 * The environment of the stack that the engine runs, from the config that it was given.
 *
 * @param contexts contexts of the kubeconfig
 * @throws ConfigError with every problem
 */
export function environmentOfStack(contexts: readonly string[]): Environment {
  const name = pulumi.getStack();
  const all = pulumi.runtime.allConfig();
  const folder = process.env[environmentsFolderVariable] ?? projectFolder(process.cwd());
  const config = Object.fromEntries(
    Object.entries(ownKeys(all)).map(([key, value]) => [key, parseConfigValue(String(value))] as const),
  );
  const environment = withProblems(name, encryption(join(folder, `Pulumi.${name}.yaml`), all), () =>
    checkEnvironment(name, config, process.env.CHARTS_DIR, contexts, folder),
  );
  const values = parseConfigValue(all[`${projectName}:values`] ?? "{}");
  const missing = missingValueProblems(environment, typeof values === "object" ? (values as StackValues) : {});
  return withProblems(name, missing, () => environment);
}

/** The engine tells whether a key has something encrypted; of what is below it, its file alone. */
function encryption(file: string, all: Readonly<Record<string, string>>): Problem[] {
  const prefix = `${projectName}:`;
  const keys = Object.keys(all).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  const encrypted = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  const { config = {} } = ((existsSync(file) ? parse(readFileSync(file, "utf8"), { merge: true }) : undefined) ??
    {}) as {
    config?: Record<string, unknown>;
  };
  const told = encryptionProblems(keys, encrypted);
  return [...told, ...unencryptedProblems(config).filter(({ key }) => !told.some((each) => each.key === key))];
}

/** The engine hands every value over as text, objects and booleans as JSON. */
function parseConfigValue(text: string): unknown {
  return /^[[{]|^(true|false)$/.test(text) ? JSON.parse(text) : text;
}

/** The folder of `Pulumi.yaml`: the engine runs the program in the folder of its `main`. */
function projectFolder(folder: string): string {
  const parent = dirname(folder);
  return existsSync(join(folder, "Pulumi.yaml")) || parent === folder ? folder : projectFolder(parent);
}
