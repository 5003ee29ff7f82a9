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
  );
}

/** The engine hands every value over as text, objects and booleans as JSON. */
function parseConfigValue(text: string): unknown {
  return /^[[{]|^(true|false)$/.test(text) ? JSON.parse(text) : text;
}
