import * as pulumi from "@pulumi/pulumi";
import { isMadeByStore, type Keypair, type SecretPath, type SecretTable } from "../../secrets";
import { findKeypairProblems } from "../../secrets/keypair-values";
import { shellCommand } from "../../shell-command";
import { VaultClient, type VaultConnection, VaultError } from "../../stores/vault/api/client";
import { DatabaseMount, enableEngineCommand, makeRoleCommand } from "../../stores/vault/api/database-mount";
import { KvMount } from "../../stores/vault/api/kv-mount";
import { NotKvV2Error } from "../../stores/vault/api/kv-version";
import { writeKeypairCommand } from "../../stores/vault/keypair-command";
import type { VaultPaths } from "../../stores/vault/paths";

/** Keys of one path that the store does not have. */
export interface MissingKeys {
  /** Path inside the KV v2 mount. */
  readonly path: string;
  /** Keys that the path's current version does not have. */
  readonly keys: readonly string[];
  /** Names of the secrets that they are, in the same order. */
  readonly names: readonly string[];
  /** Whether the path holds other keys, which a write must keep. */
  readonly hasOtherKeys: boolean;
  /** Number of the path's current version; 0 where there is none. */
  readonly version: number;
}

/** A keypair that is not there, or that Aidbox cannot use. */
export interface UnusableKeypair {
  /** The row, with its path and parts. */
  readonly keypair: Keypair;
  /** What is wrong with it; none shows a value. */
  readonly problems: readonly string[];
  /** Number of its path's current version; 0 where there is none. */
  readonly version: number;
}

/** What an operator has yet to write. */
export interface MissingSecrets {
  /** Single values, grouped by path. */
  readonly keys: readonly MissingKeys[];
  /** Keypairs that are not there, or not whole, or do not match. */
  readonly keypairs: readonly UnusableKeypair[];
  /** Names of static roles of the database engine. */
  readonly staticRoles: readonly string[];
  /** Whether there is no database engine at the table's mount, which they need. */
  readonly hasNoEngine: boolean;
}

/** Secrets that an operator has not written yet. The message says how, and takes no value as an argument. */
export class MissingSecretsError extends pulumi.RunError {
  public constructor(
    { kvMount, databaseMount }: VaultPaths,
    { keys, keypairs, staticRoles, hasNoEngine }: MissingSecrets,
    vaultCommand: string,
    writeCommand?: (secret: string) => string,
  ) {
    const writes = keys.flatMap(({ path, keys: missing, names, hasOtherKeys, version }) =>
      missing.map((key, index) => {
        if (writeCommand !== undefined) return `  ${writeCommand(names[index]!)}`;
        const write = hasOtherKeys || index > 0 ? "patch" : "put";
        return `  ${vaultCommand} ${shellCommand("kv", write, `-cas=${version + index}`, `-mount=${kvMount}`, path, `${key}=-`)}`;
      }),
    );
    const connection = [
      "plugin_name=postgresql-database-plugin",
      `allowed_roles=${staticRoles.join(",")}`,
      "connection_url=URL",
      "username=ADMINISTRATOR",
      "password=-",
    ];
    const enable = hasNoEngine
      ? [
          `  ${enableEngineCommand(vaultCommand, databaseMount)}`,
          `  ${vaultCommand} ${shellCommand("write", `${databaseMount}/config/CONNECTION`, ...connection)}`,
        ]
      : [];
    const roles = staticRoles.map((name) => `  ${makeRoleCommand(vaultCommand, databaseMount, name)}`);
    const parts = [
      ...(writes.length === 0
        ? []
        : [
            "Aidbox waits for secrets that an operator writes (source: external). Each command reads the value from its",
            "standard input. Run them, then `up` again:",
            ...writes,
            ...(keys.some(({ names }) => names.some((name) => name.endsWith("/KEY")))
              ? ["KEY stands for a key of the secret, as its owner calls it: all keys are mounted."]
              : []),
          ]),
      ...(keypairs.length === 0
        ? []
        : [
            "Aidbox waits for keypairs that an operator writes (source: external), all parts of one at once. Put your own files in",
            "the place of the names, run each command, then `up` again:",
            ...keypairs.flatMap(({ keypair, problems, version }) => [
              ...problems.map((problem) => `  ${keypair.name} (${kvMount}/${keypair.path}): ${problem}`),
              `  ${writeKeypairCommand(vaultCommand, kvMount, keypair, version)}`,
            ]),
          ]),
      ...(roles.length === 0
        ? []
        : [
            "Aidbox waits for static roles of Vault's database engine (source: database). CONNECTION stands for the",
            `engine's connection to the database (${databaseMount}/config/CONNECTION), USER for Aidbox's user there. Run these,`,
            "then `up` again:",
            ...enable,
            ...roles,
          ]),
    ];
    super(parts.join("\n"));
    this.name = "MissingSecretsError";
  }
}

/** What happens where an operator has not written a secret yet. */
export interface MissingSecretsOptions {
  /**
   * How an operator runs Vault's command line, for the message that says how to write what is missing.
   * @default "vault"
   */
  readonly vaultCommand?: string;
  /**
   * Command that writes one secret, from its standard input.
   * @default - Vault's command line
   */
  readonly writeCommand?: (secret: string) => string;
  /** Called where `ready` fails because an operator has not written a secret yet. @default - nothing more than that */
  readonly onMissingSecrets?: (error: MissingSecretsError) => void;
}

/**
 * Looks whether Vault has all of the table's secrets that an operator writes: external keys, and static roles of the
 * database engine. No value is read but those of keypairs, whose halves must match.
 *
 * @returns fails with MissingSecretsError where one is not there; in a preview it only warns
 */
export function checkExternal(
  table: SecretTable,
  paths: VaultPaths,
  connection: pulumi.Output<VaultConnection>,
  { vaultCommand = "vault", writeCommand, onMissingSecrets }: MissingSecretsOptions,
): pulumi.Output<unknown> {
  const ofOperator = table.paths.filter(({ source }) => source === "external");
  const external = ofOperator.filter(({ keypair }) => keypair === undefined);
  const pairs = ofOperator.flatMap(({ keypair }) => keypair ?? []);
  const roles = table.paths.filter(isMadeByStore);
  if (ofOperator.length + roles.length === 0) return pulumi.output(undefined);
  return connection.apply(async (reachable) => {
    const client = new VaultClient(reachable);
    const kv = new KvMount(client, paths.kvMount);
    const engine = new DatabaseMount(client, paths.databaseMount);
    if (ofOperator[0] !== undefined) await assertVersion2(kv, ofOperator[0].path);
    const [keys, keypairs, states] = await Promise.all([
      Promise.all(external.map((path) => missingAt(path, kv))),
      Promise.all(pairs.map((keypair) => unusable(keypair, kv))),
      Promise.all(roles.map(({ path }) => stateOf(path, engine))),
    ]);
    const missing: MissingSecrets = {
      keys: keys.flat(),
      keypairs: keypairs.flat(),
      staticRoles: roles.filter((_, index) => states[index] !== "there").map(({ path }) => path),
      hasNoEngine: states.includes("no engine"),
    };
    if (missing.keys.length + missing.keypairs.length + missing.staticRoles.length === 0) return;
    const error = new MissingSecretsError(paths, missing, vaultCommand, writeCommand);
    if (!pulumi.runtime.isDryRun()) {
      onMissingSecrets?.(error);
      throw error;
    }
    await pulumi.log.warn(error.message);
  });
}

async function assertVersion2(kv: KvMount, path: string): Promise<void> {
  await kv.assertVersion2(path).catch((error: unknown) => {
    throw error instanceof NotKvV2Error ? new pulumi.RunError(error.message) : error;
  });
}

async function unusable(keypair: Keypair, kv: KvMount): Promise<UnusableKeypair[]> {
  const values = (await kv.values(keypair.path)) ?? {};
  const problems = findKeypairProblems(
    keypair.kind,
    Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === "string")),
  );
  return problems.length === 0 ? [] : [{ keypair, problems, version: (await kv.keys(keypair.path)).version }];
}

async function missingAt(path: SecretPath, kv: KvMount): Promise<MissingKeys[]> {
  const present = await kv.keys(path.path);
  // Of all keys one at least; of none, nobody knows yet what it is to be called.
  const wanted = path.secrets.map((secret) =>
    secret.isEveryKey ? { ...secret, name: `${secret.keysOf!}/KEY`, key: present.keys[0] ?? "KEY" } : secret,
  );
  const missing = wanted.filter(({ key, optional }) => optional !== true && !present.keys.includes(key));
  if (missing.length === 0) return [];
  return [
    {
      path: path.path,
      keys: missing.map(({ key }) => key),
      names: missing.map(({ name }) => name),
      hasOtherKeys: present.keys.length > 0,
      version: present.version,
    },
  ];
}

async function stateOf(role: string, engine: DatabaseMount): Promise<"there" | "missing" | "no engine"> {
  try {
    return (await engine.staticRole(role)) === undefined ? "missing" : "there";
  } catch (error) {
    if (error instanceof VaultError && error.isUnmounted) return "no engine";
    throw error;
  }
}
