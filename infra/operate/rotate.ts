import type { Secret } from "../../constructs/secrets";
import { type KvHistory, KvMount } from "../../constructs/vault/kv-mount";
import { DatabaseMount } from "../../constructs/vault/static-role";
import { settle } from "../../constructs/settle";
import type { Environment } from "../config/environment";
import { setValue } from "../config/managed-values";
import { ownCommand } from "../own-command";
import { assertReachable } from "./assert-reachable";
import { assertMayRotate } from "./assert-rights";
import { firstLine, InvalidRequestError, NotServedError } from "./errors";
import { type Change, followChange, type RotateOptions, type Rotation } from "./follow-change";
import { allPermitted } from "./missing-right";
import { asPod, readValues } from "./pod-login";
import { secretNamed } from "./secret-named";
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
  environment: Environment,
  name: string,
  value: () => Promise<string>,
  options: RotateOptions = {},
): Promise<Rotation> {
  const secret = versionedSecret(environment, name);
  const session = await openFor(environment, secret, options);
  const history = await currentHistory(session, secret);
  options.onProgress?.(`${name} is at version ${history.current}: taking the new value`);
  return write(session, secret, history, await value(), options);
}

/**
 * Writes the value that a secret had in an earlier version, as a new version.
 *
 * @param version number of the earlier version
 * @throws as `rotate`
 */
export async function rollBack(
  environment: Environment,
  name: string,
  version: number,
  options: RotateOptions = {},
): Promise<Rotation> {
  const secret = versionedSecret(environment, name);
  const session = await openFor(environment, secret, options);
  const history = await currentHistory(session, secret);
  if (version < 1) throw new InvalidRequestError(`there is no version ${version}: versions begin with 1`);
  const values = await asPod(session, (pod) => readValues(pod, environment.table, secret, version));
  const earlier = values?.[secret.key];
  if (earlier === undefined) {
    const now = new Date();
    const known = [...history.versions].filter(
      ([, { destroyed, deletedAt }]) => !destroyed && (deletedAt === undefined || deletedAt > now),
    );
    throw new InvalidRequestError(
      `version ${version} of ${name} holds no value: choose one of ${known.map(([number]) => number).join(", ")}`,
    );
  }
  return write(session, secret, history, earlier, options);
}

/**
 * Has Vault's database engine change the password of a secret's static role now, and waits until every pod serves it. The
 * old password is refused from then on, and Vault keeps none to go back to.
 *
 * @throws as `rotate`
 */
export async function rotateStaticRole(
  environment: Environment,
  name: string,
  options: RotateOptions = {},
): Promise<Rotation> {
  const secret = secretNamed(environment, name);
  if (secret.source !== "database") {
    throw new InvalidRequestError(`${name} is not of source database, so Vault does not make its value`);
  }
  if (secret.key !== "password") {
    throw new InvalidRequestError(`${name} is the ${secret.key} of static role ${secret.path}, which does not change`);
  }
  const session = await openFor(environment, secret, options);
  const engine = new DatabaseMount(await session.operatorVault(), environment.table.databaseMount);
  return followChange(session, secret, options, () => changePassword(session, engine, secret));
}

/** Has the engine change a password, once the pods are known to read it: there is no way back. */
async function changePassword(session: Session, engine: DatabaseMount, secret: Secret): Promise<Change> {
  const { environment } = session;
  return asPod(session, async (pod) => {
    const read = async (): Promise<string> => {
      const value = (await readValues(pod, environment.table, secret))?.[secret.key];
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
    return { value, progress: "the password is changed", done };
  });
}

/** The cluster and Vault, with the rights that a rotation needs. */
async function openFor(environment: Environment, secret: Secret, options: RotateOptions): Promise<Session> {
  const session = await Session.open(environment, options.vaultToken);
  await assertReachable(session);
  await assertMayRotate(session, secret, options.restart === true);
  return session;
}

/** A secret whose versions KV v2 keeps, and which an operator may write. */
function versionedSecret(environment: Environment, name: string): Secret {
  const secret = secretNamed(environment, name);
  if (secret.source === "managed") {
    throw new InvalidRequestError(
      `${name} is managed: Pulumi writes its value, and the next up could write the old one again. Set the new one with\n` +
        `  ${setValue(environment, name)}\nand run ${ownCommand("up", environment)}`,
    );
  }
  if (secret.source === "database") {
    throw new InvalidRequestError(
      `${name} is of source database: Vault makes its value and keeps no earlier one. Have it make a new one with\n` +
        `  ${ownCommand("rotate", environment, name)}`,
    );
  }
  return secret;
}

async function currentHistory(session: Session, secret: Secret): Promise<KvHistory> {
  const { environment, permitted } = session;
  const { table } = environment;
  const kv = new KvMount(await session.operatorVault(), table.kvMount);
  const [history, { keys }] = await allPermitted([permitted(kv.history(secret.path)), permitted(kv.keys(secret.path))]);
  if (history !== undefined && keys.includes(secret.key)) return history;
  throw new InvalidRequestError(
    `${table.kvMount}/${secret.path} has no key ${secret.key} to rotate: see ${ownCommand("verify", environment)}`,
  );
}

async function write(
  session: Session,
  secret: Secret,
  history: KvHistory,
  value: string,
  options: RotateOptions,
): Promise<Rotation> {
  const { environment } = session;
  const kv = new KvMount(await session.operatorVault(), environment.table.kvMount);
  return followChange(session, secret, options, async () => {
    const written = kv.patch(secret.path, history.current, { [secret.key]: value }, (version) =>
      asPod(session, (pod) => readValues(pod, environment.table, secret, version)),
    );
    const version = await session.permitted(written);
    return {
      value,
      progress: `version ${version} is written`,
      done: `Version ${version} of ${secret.name} is in Vault`,
      goBack: `To go back: ${ownCommand("rotate", environment, secret.name, `--rollback ${history.current}`)}`,
      versions: { previousVersion: history.current, version },
    };
  });
}
