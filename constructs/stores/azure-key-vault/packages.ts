import { existsSync } from "node:fs";
import type { Agent } from "node:https";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A token of Entra ID for somebody. */
export interface TokenCredential {
  getToken(scopes: string | string[]): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

/** How all clients of Azure's SDK connect. */
export interface Transport {
  /** @default - Node's own, by HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS */
  readonly agent?: Agent;
}

interface CallOptions {
  readonly abortSignal?: AbortSignal;
}

/** What Key Vault says of one version of a secret. */
export interface SecretProperties {
  readonly name: string;
  readonly version?: string;
  readonly enabled?: boolean;
  readonly createdOn?: Date;
  readonly expiresOn?: Date;
  readonly notBefore?: Date;
  readonly contentType?: string;
  readonly tags?: { [name: string]: string };
}

export interface KeyVaultSecret {
  readonly value?: string;
  readonly properties: SecretProperties;
}

/** What of `@azure/keyvault-secrets` is used. */
export interface SecretClient {
  getSecret(name: string, options?: CallOptions & { readonly version?: string }): Promise<KeyVaultSecret>;
  setSecret(
    name: string,
    value: string,
    options?: CallOptions & { readonly tags?: { [name: string]: string } },
  ): Promise<KeyVaultSecret>;
  getDeletedSecret(name: string, options?: CallOptions): Promise<KeyVaultSecret>;
  beginRecoverDeletedSecret(
    name: string,
    options?: CallOptions & { readonly intervalInMs?: number },
  ): Promise<{ pollUntilDone(): Promise<unknown> }>;
  listPropertiesOfSecretVersions(name: string, options?: CallOptions): AsyncIterable<SecretProperties>;
}

interface CredentialOptions extends Transport {
  readonly authorityHost?: string;
}

/** What is loaded of Azure's SDK. */
export interface AzurePackages {
  readonly secrets: {
    readonly SecretClient: new (vaultUrl: string, credential: TokenCredential, options?: Transport) => SecretClient;
  };
  readonly identity: {
    readonly DefaultAzureCredential: new (options?: CredentialOptions) => TokenCredential;
    readonly ClientAssertionCredential: new (
      tenantId: string,
      clientId: string,
      getAssertion: () => Promise<string>,
      options?: CredentialOptions,
    ) => TokenCredential;
    readonly ClientSecretCredential: new (
      tenantId: string,
      clientId: string,
      clientSecret: string,
      options?: CredentialOptions,
    ) => TokenCredential;
  };
}

/** The newest versions that run on Node 20; those after them declare Node 22. */
export const azurePackages = { "@azure/identity": "4.13.1", "@azure/keyvault-secrets": "4.11.2" } as const;

/** This folder in a clone of the project, which has the packages' lock file. */
const folderInClone = "constructs/stores/azure-key-vault";

/** Azure's SDK is not installed. The message has the command that brings it. */
export class MissingPackagesError extends Error {
  public constructor(missing: readonly string[], inClone: boolean) {
    const named = Object.entries(azurePackages).map(([name, version]) => `${name}@${version}`);
    const command = inClone ? "npm run azure:install" : `npm install ${named.join(" ")}`;
    super(
      `Azure Key Vault needs ${missing.join(" and ")}, which ${missing.length > 1 ? "are" : "is"} not installed: run \`${command}\``,
    );
    this.name = "MissingPackagesError";
  }
}

/**
 * Loads Azure's SDK, which nobody needs who has another store.
 *
 * @param from folders from which it is looked for
 * @throws MissingPackagesError
 */
export function loadAzurePackages(from = usualFolders()): AzurePackages {
  const found = findPackages(from);
  const lack = lackOf(found);
  if (lack !== undefined) throw lack;
  // By name at run time alone: neither the type check nor the bundle of `up` may need them.
  const load = createRequire(__filename);
  return {
    secrets: load(found.get("@azure/keyvault-secrets")!) as AzurePackages["secrets"],
    identity: load(found.get("@azure/identity")!) as AzurePackages["identity"],
  };
}

/** What of Azure's SDK is not installed, without loading it; undefined where all of it is. */
export function missingAzurePackages(): MissingPackagesError | undefined {
  return lackOf(findPackages(usualFolders()));
}

/** Folders from which Azure's SDK is found; a module that was bundled lies elsewhere than its source. */
export function usualFolders(ofModule = __dirname, working = process.cwd()): readonly string[] {
  const inClone = findInClone(working);
  return [ofModule, working, ...(inClone === undefined ? [] : [inClone])];
}

/** That folder of the clone that the working folder lies in: Pulumi runs a program in the folder of its entry point. */
function findInClone(working = process.cwd()): string | undefined {
  let folder = working;
  while (!existsSync(join(folder, folderInClone, "package-lock.json"))) {
    const above = dirname(folder);
    if (above === folder) return undefined;
    folder = above;
  }
  return join(folder, folderInClone);
}

function findPackages(from: readonly string[]): ReadonlyMap<string, string | undefined> {
  return new Map(Object.keys(azurePackages).map((name) => [name, resolveFrom(name, from)]));
}

function lackOf(found: ReadonlyMap<string, string | undefined>): MissingPackagesError | undefined {
  const missing = [...found].flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (missing.length === 0) return undefined;
  return new MissingPackagesError(missing, findInClone() !== undefined);
}

function resolveFrom(name: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    try {
      return createRequire(join(folder, "package.json")).resolve(name);
    } catch {
      // It may be in the next.
    }
  }
  return undefined;
}
