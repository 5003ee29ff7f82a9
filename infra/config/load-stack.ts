import * as pulumi from "@pulumi/pulumi";
import { checkEnvironment, type Environment, ownKeys } from "./environment";

/** The environment of the stack that the engine runs, from the config that it was given. */
export function environmentOfStack(): Environment {
  const config = Object.entries(ownKeys(pulumi.runtime.allConfig()));
  return checkEnvironment(
    pulumi.getStack(),
    Object.fromEntries(config.map(([key, value]) => [key, parseConfigValue(String(value))])),
    process.env.CHARTS_DIR,
  );
}

/** The engine hands every value over as text, objects and booleans as JSON. */
function parseConfigValue(text: string): unknown {
  return /^[[{]|^(true|false)$/.test(text) ? JSON.parse(text) : text;
}
