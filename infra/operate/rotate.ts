import { vaultPaths } from "../config/stores/vault/server";
import {
  findKeypairProblems,
  isMadeByStore,
  type Keypair,
  keypairFrom,
  type KeypairValues,
  makeTokenKeys,
  type Secret,
} from "../../constructs/secrets";
import { type KvHistory, KvMount } from "../../constructs/stores/vault/api/kv-mount";
import { NullInsideError } from "../../constructs/stores/vault/api/merge-patch";
import { DatabaseMount } from "../../constructs/stores/vault/api/database-mount";
import { settle } from "../../constructs/settle";
import type { VaultEnvironment } from "../config/environment";
import { setValue } from "../config/managed-values";
import { ownCommand } from "../config/command-line";
import { assertReachable } from "./assert-reachable";
import { assertMayRotate } from "./assert-rights";
import { firstLine, InvalidRequestError, NotServedError } from "./errors";
import { type Change, followChange, rolls, type RotateOptions, type Rotation } from "./follow-change";
import { allPermitted } from "./missing-right";
import { describeSchedule, scheduleFor } from "./pending-roll";
import { asPod, fileContents, readStored, readValues } from "./stores/vault/pod-login";
import { type Rotated, rotatedNamed } from "./rotated";
import { Session } from "./session";

/**
 * Writes a new value of a secret, keeps the path's other keys, and waits until every pod serves it.
 *
 * @param name the secret's name in the table
 * @param value makes or reads the new value; called once the current version is known, so what somebody else writes
 * meanwhile is not lost
 * @throws InvalidRequestError, MissingRightError, UnreachableError or LostRaceError where nothing was written;
 * NotServedError where it was, and not all serve it
 */
export async function rotate(
  environment: VaultEnvironment,
  name: string,
  value: () => Promise<string>,
  options: RotateOptions = {},
): Promise<Rotation> {
  const rotated = versioned(environment, name);
  if (rotated.keypair !== undefined) throw new InvalidRequestError(`${name} is a keypair, and no one value`);
  return writeNew(environment, rotated, async () => new Map([[name, await value()]]), options);
}

/**
 * Writes a new keypair, all parts as one version, and waits until every pod serves it. A pair of Aidbox's own ends all
 * sessions: pods that have taken the new one refuse the tokens of the former, and until all have it, each other's.
 *
 * @param name the keypair's name in the table
 * @param text reads PEM: a private key, whose other parts are made, or with the certificate of a pair that has one. By default
 * a new pair is made
 * @throws as `rotate`; InvalidRequestError where Aidbox could not use the pair
 */
export async function rotateKeypair(
  environment: VaultEnvironment,
  name: string,
  text?: () => Promise<string>,
  options: RotateOptions = {},
): Promise<Rotation> {
  const rotated = versioned(environment, name);
  const { keypair } = rotated;
  if (keypair === undefined) throw new InvalidRequestError(`${name} is no keypair`);
  const { kind } = keypair;
  const make = async (): Promise<KeypairValues> => {
    if (text !== undefined) return keypairFrom(kind, await text());
    if (kind === "certificate") {
      throw new InvalidRequestError(
        `the certificate of ${name} is made by others: give it and its private key by --stdin`,
      );
    }
    return makeTokenKeys(kind);
  };
  return writeNew(environment, rotated, async () => usable(keypair, await make()), options);
}

/** The pair's values by name of the secret. @throws InvalidRequestError where Aidbox could not use it */
function usable(keypair: Keypair, values: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const problems = findKeypairProblems(keypair.kind, values);
  if (problems.length > 0) {
    throw new InvalidRequestError([`that is no keypair for ${keypair.name}:`, ...problems].join("\n  "));
  }
  return new Map(keypair.secrets.map(({ name, key }) => [name, values[key]!]));
}

async function writeNew(
  environment: VaultEnvironment,
  rotated: Rotated,
  values: () => Promise<ReadonlyMap<string, string>>,
  options: RotateOptions,
): Promise<Rotation> {
  const session = await openFor(environment, rotated, options);
  const history = await currentHistory(session, rotated);
  options.onProgress?.(`${rotated.name} is at version ${history.current}: taking the new value`);
  return write(session, rotated, history, await values(), options);
}

/**
 * Writes the value that a secret had in an earlier version, as a new version.
 *
 * @param version number of the earlier version
 * @throws as `rotate`
 */
export async function rollBack(
  environment: VaultEnvironment,
  name: string,
  version: number,
  options: RotateOptions = {},
): Promise<Rotation> {
  const rotated = versioned(environment, name);
  const session = await openFor(environment, rotated, options);
  const history = await currentHistory(session, rotated);
  if (version < 1) throw new InvalidRequestError(`there is no version ${version}: versions begin with 1`);
  const [stored, former] = await asPod(session, (pod) =>
    Promise.all([version, history.current].map((each) => readStored(pod, environment, rotated, each))),
  );
  const values = stored && fileContents(stored);
  const earlier = rotated.secrets.flatMap(({ name: part, key }) =>
    values?.[key] === undefined ? [] : [[part, values[key]] as const],
  );
  if (earlier.length < rotated.secrets.length) {
    const now = new Date();
    const known = [...history.versions].filter(
      ([, { destroyed, deletedAt }]) => !destroyed && (deletedAt === undefined || deletedAt > now),
    );
    throw new InvalidRequestError(
      `version ${version} of ${name} holds no value: choose one of ${known.map(([number]) => number).join(", ")}`,
    );
  }
  const { keypair } = rotated;
  if (keypair !== undefined) usable(keypair, values!);
  return write(session, rotated, history, new Map(earlier), options, { stored, former });
}

/**
 * Has Vault's database engine change the password of a secret's static role now, and waits until every pod serves it. The
 * old password is refused from then on, and Vault keeps none to go back to.
 *
 * @throws as `rotate`
 */
export async function rotateStaticRole(
  environment: VaultEnvironment,
  name: string,
  options: RotateOptions = {},
): Promise<Rotation> {
  const rotated = rotatedNamed(environment, name);
  const secret = rotated.secrets[0]!;
  if (!isMadeByStore(secret)) {
    throw new InvalidRequestError(`${name} is not of source database, so Vault does not make its value`);
  }
  if (secret.key !== "password") {
    throw new InvalidRequestError(`${name} is the ${secret.key} of static role ${secret.path}, which does not change`);
  }
  const session = await openFor(environment, rotated, options);
  const engine = new DatabaseMount(await session.operatorVault(), vaultPaths(environment).databaseMount);
  return followChange(session, rotated, options, () => changePassword(session, engine, secret));
}

/** Has the engine change a password, once the pods are known to read it: there is no way back. */
async function changePassword(session: Session, engine: DatabaseMount, secret: Secret): Promise<Change> {
  const { environment } = session;
  return asPod(session, async (pod) => {
    const read = async (): Promise<string> => {
      const value = (await readValues(pod, environment, secret))?.[secret.key];
      if (value === undefined) throw new Error(`it has no ${secret.key}`);
      return value;
    };
    const before = await read().catch((error: unknown) => {
      throw new InvalidRequestError(
        `the pods cannot read static role ${secret.path} (${firstLine(error)}): see ${ownCommand("verify", environment)}`,
      );
    });
    await settle({
      what: `the password of static role ${secret.path}`,
      write: async () => {
        await session.permitted(engine.rotate(secret.path));
        return true;
      },
      lookUp: async () => (await read()) !== before || undefined,
      repeatable: false, // it would change twice, and pods that took the first could not log in
    });
    const done = `Vault changed the password of static role ${secret.path}`;
    const value = await read().catch((error: unknown) => {
      throw new NotServedError(`${done}, but it cannot be read: ${firstLine(error)}`);
    });
    return { values: new Map([[secret.name, value]]), progress: "the password is changed", done };
  });
}

/** The cluster and Vault, with the rights that a rotation needs. */
async function openFor(environment: VaultEnvironment, rotated: Rotated, options: RotateOptions): Promise<Session> {
  refuseToWait(environment, rotated, options);
  const session = await Session.open(environment, options.vaultToken);
  await assertReachable(session);
  await assertMayRotate(session, rotated, rolls(options));
  return session;
}

/** A roll may be hours away, which no command waits for. */
function refuseToWait(environment: VaultEnvironment, rotated: Rotated, { restart, now }: RotateOptions): void {
  const isSynced = rotated.secrets.some(({ environment: variable }) => variable !== undefined);
  if (restart !== true || now === true || !isSynced || scheduleFor(environment, rotated) === undefined) return;
  throw new InvalidRequestError(
    `the roll for ${rotated.name} waits for ${describeSchedule(environment)}: leave out --restart, and it is rolled then, ` +
      "or pass --now to roll at once",
  );
}

/** A row whose versions KV v2 keeps, and which an operator may write. */
function versioned(environment: VaultEnvironment, name: string): Rotated {
  const rotated = rotatedNamed(environment, name);
  if (rotated.source === "managed") {
    throw new InvalidRequestError(
      `${name} is managed: Pulumi writes its value, and the next up could write the old one again. Set the new one with\n` +
        `  ${setValue(environment, name)}\nand run ${ownCommand("up", environment)}`,
    );
  }
  if (isMadeByStore(rotated)) {
    throw new InvalidRequestError(
      `${name} is of source database: Vault makes its value and keeps no earlier one. Have it make a new one with\n` +
        `  ${ownCommand("rotate", environment, name)}`,
    );
  }
  return rotated;
}

async function currentHistory(session: Session, rotated: Rotated): Promise<KvHistory> {
  const { environment, permitted } = session;
  const kv = new KvMount(await session.operatorVault(), vaultPaths(environment).kvMount);
  const [history, { keys }] = await allPermitted([
    permitted(kv.history(rotated.path)),
    permitted(kv.keys(rotated.path)),
  ]);
  const missing = rotated.secrets.map(({ key }) => key).filter((key) => !keys.includes(key));
  if (history !== undefined && missing.length === 0) return history;
  throw new InvalidRequestError(
    `${vaultPaths(environment).kvMount}/${rotated.path} has no key ${missing.join(", ")} to rotate: see ${ownCommand("verify", environment)}`,
  );
}

/** Values by key as Vault has them; none where there is no such version. */
type StoredValues = Readonly<Record<string, unknown>> | undefined;

function refuseNull(error: unknown): never {
  throw error instanceof NullInsideError ? new InvalidRequestError(`nothing was written: ${error.message}`) : error;
}

/** @param as what the values are as Vault has them, and what they take the place of; by default they are text */
async function write(
  session: Session,
  rotated: Rotated,
  history: KvHistory,
  values: ReadonlyMap<string, string>,
  options: RotateOptions,
  as: { readonly stored?: StoredValues; readonly former?: StoredValues } = {},
): Promise<Rotation> {
  const { environment } = session;
  const { name, path, secrets } = rotated;
  const kv = new KvMount(await session.operatorVault(), vaultPaths(environment).kvMount);
  const byKey = Object.fromEntries(secrets.map(({ key, name: part }) => [key, as.stored?.[key] ?? values.get(part)!]));
  return followChange(session, rotated, options, async () => {
    const read = (each: number) => asPod(session, (pod) => readStored(pod, environment, rotated, each));
    const version = await session.permitted(kv.patch(path, history.current, byKey, read, as.former)).catch(refuseNull);
    return {
      values,
      progress: `version ${version} is written`,
      done: `Version ${version} of ${name} is in Vault`,
      goBack: `To go back: ${ownCommand("rotate", environment, name, "--rollback", String(history.current))}`,
      versions: { previousVersion: history.current, version },
    };
  });
}
