import { createHash, randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Document, parse, stringify } from "yaml";
import type { Environment } from "../config/environment";
import type { EnvironmentFile } from "../config/environment-file";
import { isInstalled } from "../config/own-package";
import { environmentsFolderVariable, projectName } from "../config/project";
import { CommandError, exitCodes } from "./exit-codes";
import { type Executable, run } from "./pulumi-cli";
import { makeFileOnce, replaceFile } from "./whole-file";

/** Keys of a stack's file that belong to whoever encrypts, not to the environment. */
const encryptionKeys = ["encryptionsalt", "encryptedkey", "secretsprovider"] as const;

/** What Pulumi needs to run an environment's stack, kept out of the clone's committed files. */
export interface Workspace {
  /** Folder of `Pulumi.yaml`. */
  readonly project: string;
  readonly stack: string;
  /** The environment's config with the encryption salt of this user. */
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Makes what Pulumi needs for an environment, and its stack where there is none.
 *
 * Pulumi writes the salt of the passphrase into the stack's file; in a committed file it would lock everyone else out, so
 * Pulumi gets a copy under `.state/`.
 *
 * @param output where Pulumi tells of a stack that it makes
 * @throws CommandError where a passphrase is needed and none is given
 */
export async function openWorkspace(
  root: string,
  { environment, document }: EnvironmentFile,
  pulumi: Executable,
  output: "inherit" | "ignore" = "inherit",
): Promise<Workspace> {
  const stateFolder = join(root, ".state");
  const env: NodeJS.ProcessEnv = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (!hasOwnBackend(env)) env.PULUMI_BACKEND_URL = pathToFileURL(stateFolder).href;
  Object.assign(env, passphrase(environment, env), helmLogins(env));
  // A salt fits the state of one backend.
  const backend = createHash("sha256")
    .update(env.PULUMI_BACKEND_URL ?? "logged in")
    .digest("hex");
  const configFolder = join(stateFolder, "config", backend.slice(0, 12));
  mkdirSync(configFolder, { recursive: true, mode: 0o700 });

  const stack = environment.name;
  const project = isInstalled() ? makeProject(join(stateFolder, "project")) : root;
  env[environmentsFolderVariable] = root;
  const configFile = copyConfig(project, configFolder, stack, document);
  const workspace = { project, stack, configFile, env };
  const selected = await run(pulumi, ["stack", "select", stack], { cwd: project, env, output: "ignore" });
  if (selected !== 0) {
    const made = await run(pulumi, ["stack", "init", stack], { cwd: configFolder, env, output });
    if (made !== 0) {
      const isDownloaded = pulumi.args.length > 0;
      const hint = isDownloaded
        ? " Where it cannot be downloaded, install it: https://www.pulumi.com/docs/install/"
        : "";
      throw new CommandError(`Pulumi could not make the stack "${stack}".${hint}`, exitCodes.failed);
    }
  }
  return workspace;
}

/** Pulumi's provider knows Helm's logins by a variable of its own. */
function helmLogins({
  HELM_REGISTRY_CONFIG,
  PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH,
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const file = PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH ?? HELM_REGISTRY_CONFIG;
  return file === undefined ? {} : { PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH: file };
}

/** Makes a project of Pulumi's whose program is the installed package's. @returns the folder */
function makeProject(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const project = { name: projectName, runtime: { name: "nodejs", options: { typescript: false } }, main: "main.js" };
  replaceFile(join(folder, "Pulumi.yaml"), stringify(project));
  const program = join(__dirname, "../program/installed.js");
  replaceFile(join(folder, "main.js"), `module.exports = require(${JSON.stringify(program)}).program;\n`);
  return folder;
}

/** Whether the user has said where state lies, by variable or by `pulumi login`. */
function hasOwnBackend(env: NodeJS.ProcessEnv): boolean {
  if (env.PULUMI_BACKEND_URL !== undefined) return true;
  const credentials = join(env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "credentials.json");
  if (!existsSync(credentials)) return false;
  const { current } = JSON.parse(readFileSync(credentials, "utf8")) as { current?: string };
  return current !== undefined && current !== "";
}

/** Whether whoever runs `up` must bring a passphrase: outside development, where none of Pulumi's own ways to encrypt is set. */
export function lacksPassphrase({ development }: Environment, env: NodeJS.ProcessEnv): boolean {
  return !development && !hasOwnEncryption(env);
}

function hasOwnEncryption(env: NodeJS.ProcessEnv): boolean {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE, PULUMI_ACCESS_TOKEN } = env;
  return (PULUMI_CONFIG_PASSPHRASE ?? PULUMI_CONFIG_PASSPHRASE_FILE ?? PULUMI_ACCESS_TOKEN) !== undefined;
}

/** The passphrase's variable, where none of Pulumi's own is set: development environments get one made, once. */
function passphrase(environment: Environment, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (hasOwnEncryption(env)) return {};
  if (lacksPassphrase(environment, env)) {
    throw new CommandError(
      `Environment "${environment.name}" encrypts its state with your passphrase: ` +
        "set PULUMI_CONFIG_PASSPHRASE_FILE to a file with it.",
      exitCodes.notEquipped,
    );
  }
  const folder = join(env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "aidbox-secrets");
  const file = join(folder, "development-passphrase");
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    makeFileOnce(file, `${randomBytes(24).toString("base64url")}\n`);
  }
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}

function copyConfig(project: string, configFolder: string, stack: string, document: Document): string {
  copyFileSync(join(project, "Pulumi.yaml"), join(configFolder, "Pulumi.yaml"));
  const target = join(configFolder, `Pulumi.${stack}.yaml`);
  const previous = existsSync(target) ? (parse(readFileSync(target, "utf8")) as Record<string, unknown>) : {};
  if (!encryptionKeys.some((key) => document.has(key))) {
    for (const key of encryptionKeys) if (previous[key] !== undefined) document.set(key, previous[key]);
  }
  // Without aliases and merge keys, which are resolved: Pulumi reads YAML by another library.
  // In quotes: to that library 2026-11-26 is a time, and 1_000 a number.
  replaceFile(target, stringify(document.toJS(), { aliasDuplicateObjects: false, defaultStringType: "QUOTE_DOUBLE" }));
  return target;
}
