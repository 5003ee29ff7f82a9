import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkEnvironment, type Environment, ownKeys } from "./environment";

/**
 * The environment of the stack that the engine runs, from the config that it was given.
 *
 * @param contexts contexts of the kubeconfig
 */
export function environmentOfStack(contexts: readonly string[]): Environment {
  const config = Object.entries(ownKeys(pulumi.runtime.allConfig()));
  return checkEnvironment(
    pulumi.getStack(),
    Object.fromEntries(config.map(([key, value]) => [key, parseConfigValue(String(value))])),
    process.env.CHARTS_DIR,
    contexts,
    projectFolder(process.cwd()),
  );
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
