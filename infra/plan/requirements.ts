import { howToRun } from "../config/own-package";
import { isMadeByStore } from "../../constructs/secrets";
import { missingAzurePackages } from "../../constructs/stores/azure-key-vault/packages";
import { KubeApi } from "../cluster/kube-api";
import { findInstalledPulumi } from "../cli/pulumi-cli";
import { lacksPassphrase } from "../cli/workspace";
import type { Environment } from "../config/environment";
import { projectName } from "../config/project";
import type { EnvironmentFile } from "../config/environment-file";
import { missingValueProblems, type StackValues } from "../config/managed-values";
import { storeTitle } from "../config/stores";
import { isStored } from "../config/stores/vault/server";
import { ownCommand } from "../config/command-line";

/** Something that going live needs and this machine lacks. */
export interface Lack {
  readonly what: string;
  readonly howToGet: string;
}

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
    ...tokenLacks(file, env),
    ...valueLacks(file),
    ...secretLacks(environment),
  ];
}

function pulumiLacks(): Lack[] {
  if (findInstalledPulumi() !== undefined) return [];
  const howToGet = `\`${howToRun("up")}\` downloads it at first use; or install it: https://www.pulumi.com/docs/install/`;
  return [{ what: "the Pulumi CLI on PATH", howToGet }];
}

function contextLacks({ kubeContext }: Environment, contexts: readonly string[]): Lack[] {
  if (contexts.includes(kubeContext)) return [];
  const howToGet =
    kubeContext === "kind-aidbox"
      ? "`kind create cluster --name aidbox` makes it; or pass --config kubeContext=NAME with one of your own"
      : "set KUBECONFIG to the file that has it, or pass --config kubeContext=NAME";
  return [{ what: `the kube context "${kubeContext}"`, howToGet }];
}

function passphraseLacks(environment: Environment, env: NodeJS.ProcessEnv): Lack[] {
  if (!lacksPassphrase(environment, env)) return [];
  const howToGet = "set PULUMI_CONFIG_PASSPHRASE_FILE to a file with it";
  return [{ what: "the passphrase that encrypts the state", howToGet }];
}

function tokenLacks({ environment, document }: EnvironmentFile, env: NodeJS.ProcessEnv): Lack[] {
  if (environment.vault === undefined) return azureLacks();
  const { vault } = environment;
  const isSet = (key: string, variable: string): boolean =>
    document.hasIn(["config", `${projectName}:${key}`]) || Boolean(env[variable]);
  const lacks: Lack[] = [];
  if (vault.mode !== "dev" && !isSet("vaultToken", "VAULT_TOKEN")) {
    const grant = `\`${ownCommand("vault:grant", environment)}\``;
    const howToGet = isStored(vault)
      ? `after the first \`up\`, \`${ownCommand("vault:init", environment)}\` makes one: set VAULT_TOKEN to it`
      : `${grant}, with a token of Vault's administrator, makes one: set VAULT_TOKEN to it`;
    lacks.push({ what: "a token for Vault", howToGet });
  }
  if (isStored(vault) && vault.seal?.type === "transit" && !isSet("sealToken", "VAULT_SEAL_TOKEN")) {
    const howToGet = "set VAULT_SEAL_TOKEN; later runs keep what the cluster has";
    lacks.push({ what: `a token for ${vault.seal.address}, which holds the key of the seal`, howToGet });
  }
  return lacks;
}

/** What nobody else needs. */
function azureLacks(): Lack[] {
  const lack = missingAzurePackages();
  const login = {
    what: "a login at Azure that may read and write the key vault's secrets, unless there is one",
    howToGet: "`az login`, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of an app",
  };
  return [...(lack === undefined ? [] : [{ what: "Azure's SDK", howToGet: lack.message }]), login];
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

/** Which values there are: what is encrypted stands as an object in the file. */
function withoutEncryption(held: Readonly<Record<string, unknown>>): StackValues {
  const isOne = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "secure" in value && typeof value.secure === "string";
  return Object.fromEntries(
    Object.entries(held).flatMap(([name, value]): [string, StackValues[string]][] => {
      if (isOne(value)) return [[name, ""]];
      if (typeof value !== "object" || value === null) return [];
      return [
        [name, Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (isOne(each) ? [[key, ""]] : [])))],
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
        .map(({ name }) => lack("secret", name, howToWrite(each, name))),
      ...keypairs
        .filter(({ source }) => source === "external")
        .map(({ name }) => lack("keypair", name, "`up` stops, and prints how to write it")),
      ...secrets
        .filter(isMadeByStore)
        .map(({ name }) => lack("static role of", name, "`up` stops, and prints how to make it")),
    ];
  });
}

function howToWrite(environment: Environment, name: string): string {
  return `\`up\` stops until \`${ownCommand("write", environment, name)}\` has written it`;
}
