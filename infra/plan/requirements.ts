import { isMadeByStore, type Secret } from "../../constructs/secrets";
import { findInstalledPulumi } from "../cli/pulumi-cli";
import { lacksPassphrase } from "../cli/workspace";
import { KubeApi } from "../cluster/kube-api";
import { asOneKey } from "../config/all-keys";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import type { EnvironmentFile } from "../config/environment-file";
import { howToGetContext } from "../config/kube-context";
import { missingValueProblems, type StackValues } from "../config/managed-values";
import { howToRun } from "../config/own-package";
import { projectName } from "../config/project";
import { storeTitle } from "../config/stores";
import type { Lack } from "./lack";
import { plannedStore } from "./stores";

/**
 * What this machine lacks to go live with an environment, and what `up` will ask for on its way. What is in the cluster and in
 * Vault is not looked at.
 */
export async function findMissingPermissions(file: EnvironmentFile, env = process.env): Promise<Lack[]> {
  const { environment } = file;
  return [
    ...pulumiLacks(),
    ...contextLacks(environment, await KubeApi.contexts()),
    ...passphraseLacks(environment, env),
    ...plannedStore(environment).lacks(environment, (key, variable) => isSet(file, env, key, variable)),
    ...valueLacks(file),
    ...secretLacks(environment),
  ];
}

/** Whether a secret of the stack's own is there, by its config or by a variable. */
function isSet({ document }: EnvironmentFile, env: NodeJS.ProcessEnv, key: string, variable: string): boolean {
  return document.hasIn(["config", `${projectName}:${key}`]) || Boolean(env[variable]);
}

function pulumiLacks(): Lack[] {
  if (findInstalledPulumi() !== undefined) return [];
  const howToGet = `\`${howToRun("up")}\` downloads it at first use; or install it: https://www.pulumi.com/docs/install/`;
  return [{ what: "the Pulumi CLI on PATH", howToGet }];
}

function contextLacks({ kubeContext }: Environment, contexts: readonly string[]): Lack[] {
  if (contexts.includes(kubeContext)) return [];
  return [{ what: `the kube context "${kubeContext}"`, howToGet: howToGetContext(kubeContext) }];
}

function passphraseLacks(environment: Environment, env: NodeJS.ProcessEnv): Lack[] {
  if (!lacksPassphrase(environment, env)) return [];
  const howToGet = "set PULUMI_CONFIG_PASSPHRASE_FILE to a file with it";
  return [{ what: "the passphrase that encrypts the state", howToGet }];
}

/** The values that the stack's config must have. */
function valueLacks({ environment, document }: EnvironmentFile): Lack[] {
  const config = ((document.toJS() ?? {}) as { config?: Record<string, unknown> }).config ?? {};
  const held = (config[`${projectName}:values`] ?? {}) as Record<string, unknown>;
  return missingValueProblems(environment, withoutEncryption(held)).map(({ key, message }) => ({
    what: `the value ${key}`,
    howToGet: message.replace("is missing: ", ""),
  }));
}

/** Stands for a value that is encrypted, which only Pulumi can read. */
const encrypted = "encrypted";

/** Which values there are: what is encrypted stands as an object in the file. */
function withoutEncryption(held: Readonly<Record<string, unknown>>): StackValues {
  const isOne = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "secure" in value && typeof value.secure === "string";
  return Object.fromEntries(
    Object.entries(held).flatMap(([name, value]): [string, StackValues[string]][] => {
      if (isOne(value)) return [[name, encrypted]];
      if (typeof value !== "object" || value === null) return [];
      return [
        [
          name,
          Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (isOne(each) ? [[key, encrypted]] : []))),
        ],
      ];
    }),
  );
}

/** The secrets that the stack does not write itself; whether the store has them already, only `up` finds out. */
function secretLacks(environment: Environment): Lack[] {
  return [environment, ...environment.tenants].flatMap((each) => {
    const owner = each.tenant === undefined ? "" : ` of tenant ${each.tenant}`;
    const lack = (kind: string, name: string, howToGet: string): Lack => ({
      what: `the ${kind} ${name}${owner}, unless ${storeTitle(environment)} has it`,
      howToGet,
    });
    const { secrets, keypairs } = each.table;
    return [
      ...secrets
        .filter(({ source, pair }) => source === "external" && pair === undefined)
        .map((secret) => lack("secret", secret.name, howToWrite(each, asOneKey(secret)))),
      ...keypairs
        .filter(({ source }) => source === "external")
        .map(({ name }) => lack("keypair", name, "`up` stops, and prints how to write it")),
      ...secrets
        .filter(isMadeByStore)
        .map(({ name }) => lack("static role of", name, "`up` stops, and prints how to make it")),
    ];
  });
}

function howToWrite(environment: Environment, secret: Secret): string {
  const ofStore = plannedStore(environment).howToWrite?.(environment, secret);
  return ofStore ?? `\`up\` stops until \`${ownCommand("write", environment, secret.name)}\` has written it`;
}
