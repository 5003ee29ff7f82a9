import { ConstantBackoff } from "cockatiel";
import { retry } from "../../retry";
import { VersionConflictError } from "../../secrets";
import type { KeyVaultClient, SecretVersion } from "./client";
import { KeyVaultError } from "./errors";

type Client = Pick<KeyVaultClient, "read" | "state" | "write" | "recover">;

/** Why a pod cannot read a secret. */
export type Unreadable = "absent" | "deleted" | "disabled";

/** A secret is there, and switched off: whoever did that has a reason, so nothing writes over it. */
export class DisabledSecretError extends Error {
  public constructor(public readonly secret: string) {
    super(`${secret} is disabled in Key Vault`);
    this.name = "DisabledSecretError";
  }
}

/** Some secrets that belong together are there, and others are not. Nothing was written. */
export class PartialSecretsError extends Error {
  public constructor(
    public readonly present: readonly string[],
    public readonly missing: readonly string[],
  ) {
    super(`Key Vault has ${present.join(", ")} and not ${missing.join(", ")}, which belong together`);
    this.name = "PartialSecretsError";
  }
}

/**
 * Writes values that belong together, once, where none of them is there. A softly deleted one is recovered, with the value
 * that it had: its name cannot be written to, and nobody has asked to purge it.
 *
 * @param makeValues makes all values, by name
 * @returns names of what was written; none where all were there
 * @throws DisabledSecretError, PartialSecretsError, KeyVaultError, AzureLoginError
 */
export async function seed(
  client: Client,
  names: readonly string[],
  makeValues: () => Promise<Readonly<Record<string, string>>>,
  tags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const there = await Promise.all(names.map(async (name) => (await versionsOf(client, name)).length > 0));
  const missing = names.filter((_, index) => !there[index]);
  if (missing.length === 0) return [];
  if (missing.length < names.length) {
    throw new PartialSecretsError(
      names.filter((name) => !missing.includes(name)),
      missing,
    );
  }
  const values = await makeValues();
  const written: string[] = [];
  for (const name of names) {
    try {
      await client.write(name, values[name] ?? "", [], tags);
      written.push(name);
    } catch (error) {
      if (isTaken(error)) await recoverOnceDeleted(client, name);
      // Of one value alone, whoever was quicker has written as good a one.
      else if (!(error instanceof VersionConflictError) || names.length > 1) throw error;
    }
  }
  return written;
}

/**
 * Sees to it that a secret has a value, and writes a new version where it has another.
 *
 * @returns versions of others that were written at the same time
 * @throws DisabledSecretError, KeyVaultError, AzureLoginError; VersionConflictError where another wrote it just now
 */
export async function keepValue(
  client: Client,
  name: string,
  value: string,
  tags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const versions = (await versionsOf(client, name)).map(({ version }) => version);
  if (versions.length > 0 && (await client.read(name))?.value === value) return [];
  try {
    return (await client.write(name, value, versions, tags)).others;
  } catch (error) {
    if (!isTaken(error)) throw error;
    await recoverOnceDeleted(client, name);
    return keepValue(client, name, value, tags);
  }
}

/** Whether, and why, pods cannot read some secrets, by name; those that they can read are left out. */
export async function findUnreadable(
  client: Pick<Client, "state">,
  names: readonly string[],
): Promise<ReadonlyMap<string, Unreadable>> {
  const states = await Promise.all(names.map(async (name) => [name, await client.state(name)] as const));
  return new Map(
    states.flatMap(([name, { versions, isDeleted }]): [string, Unreadable][] => {
      if (versions[0] === undefined) return [[name, isDeleted === true ? "deleted" : "absent"]];
      return versions[0].enabled ? [] : [[name, "disabled"]];
    }),
  );
}

/** The versions, the newest first, after a softly deleted secret was recovered; none where there is no secret. */
async function versionsOf(client: Client, name: string): Promise<readonly SecretVersion[]> {
  let state = await client.state(name);
  if (state.isDeleted === true) {
    await client.recover(name);
    state = await client.state(name);
  }
  const { versions } = state;
  if (versions[0]?.enabled === false) throw new DisabledSecretError(name);
  return versions;
}

/** Whether a name cannot be written to, since a softly deleted secret has it. */
function isTaken(error: unknown): boolean {
  return error instanceof KeyVaultError && error.status === 409;
}

/** How long Key Vault may be at a delete, in seconds; until then there is nothing to recover. */
const deletionSeconds = 60;

async function recoverOnceDeleted(client: Client, name: string): Promise<void> {
  await retry(() => client.recover(name), {
    seconds: deletionSeconds,
    backoff: new ConstantBackoff(500),
    mayPass: (error) => error instanceof KeyVaultError && (error.status === 404 || error.status === 409),
    timedOut: (last) => `${name} is deleted in Key Vault, and cannot be recovered: ${last?.message ?? "no answer"}`,
  });
}
