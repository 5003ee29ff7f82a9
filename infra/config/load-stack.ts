import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkEnvironment, ConfigError, type Environment, ownKeys, projectName } from "./environment";
import { missingValueProblems, type StackValues } from "./managed-values";

/**
 * The environment of the stack that the engine runs, from the config that it was given.
 *
 * @param contexts contexts of the kubeconfig
 */
export function environmentOfStack(contexts: readonly string[]): Environment {
  const all = pulumi.runtime.allConfig();
  const config = Object.entries(ownKeys(all));
  const environment = checkEnvironment(
    pulumi.getStack(),
    Object.fromEntries(config.map(([key, value]) => [key, parseConfigValue(String(value))])),
    process.env.CHARTS_DIR,
    contexts,
    projectFolder(process.cwd()),
  );
  const values = parseConfigValue(all[`${projectName}:values`] ?? "{}");
  const problems = missingValueProblems(environment, typeof values === "object" ? (values as StackValues) : {});
  if (problems.length > 0) throw new ConfigError(environment.name, problems);
  return environment;
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
