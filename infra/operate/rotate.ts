import { aFunction, given, optional, refuseArguments, text } from "../../constructs/check-props";
import { isMadeByStore, type Keypair } from "../../constructs/secrets";
import {
  findKeypairProblems,
  keypairFrom,
  type KeypairValues,
  makeTokenKeys,
} from "../../constructs/secrets/keypair-values";
import { unmountedSecrets } from "../cluster/mounted-secrets";
import { checkedEnvironment } from "../config/checked-environment";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { setValue } from "../config/managed-values";
import { storeTitle } from "../config/stores";
import { asDeployed } from "./as-deployed";
import { assertMayRotate } from "./assert-rights";
import { InvalidRequestError } from "./errors";
import { followChange, rolls, type RotateOptions, type Rotation } from "./follow-change";
import { openReachable } from "./open-reachable";
import { rotateOptions } from "./option-checks";
import { describeSchedule, scheduleFor } from "./pending-roll";
import { type Rotated, rotatedNamed } from "./rotated";
import type { SecretVersion } from "./secret-version";
import type { KnownVersions, OpenStore } from "./store-operator";

const whichChecks = { environment: checkedEnvironment, name: text, options: rotateOptions };

/**
 * Writes a new value of a secret, keeps the path's other keys, and waits until every pod serves it.
 *
 * @param name the secret's name in the table
 * @param value makes or reads the new value; called once the current version is known, so what somebody else writes
 * meanwhile is not lost
 * @throws InvalidRequestError, PermissionDeniedError, UnreachableError or VersionConflictError where nothing was written;
 * NotServedError where it was, and not all serve it
 * @example
 * ```ts
 * import { generateValue, readEnvironment, rotate } from "aidbox-secrets-stack/operate";
 *
 * const { environment } = readEnvironment(".", "prod");
 * void rotate(environment, "client-secret", async () => generateValue(32, "base64url")).then(({ pods }) => {
 *   console.log(`${pods.length} pods have the new value`);
 * });
 * ```
 */
export async function rotate(
  environment: Environment,
  name: string,
  value: () => Promise<string>,
  options: RotateOptions = {},
): Promise<Rotation> {
  refuseArguments("rotate", { environment, name, value, options }, { ...whichChecks, value: aFunction });
  const deployed = await asDeployed(environment);
  const rotated = versioned(deployed, name);
  if (rotated.keypair !== undefined) throw new InvalidRequestError(`${name} is a keypair, and no one value`);
  return writeNew(deployed, rotated, async () => new Map([[name, await value()]]), options);
}

/**
 * Writes a new keypair, all parts as one version, and waits until every pod serves it. A pair of Aidbox's own ends all
 * sessions: pods that have taken the new one refuse the tokens of the former, and until all have it, each other's.
 *
 * @param name the keypair's name in the table
 * @param pem reads PEM: a private key, whose other parts are made, or with the certificate of a pair that has one. By default
 * a new pair is made
 * @throws as `rotate`; InvalidRequestError where Aidbox could not use the pair
 */
export async function rotateKeypair(
  environment: Environment,
  name: string,
  pem?: () => Promise<string>,
  options: RotateOptions = {},
): Promise<Rotation> {
  refuseArguments("rotateKeypair", { environment, name, pem, options }, { ...whichChecks, pem: optional(aFunction) });
  const rotated = versioned(environment, name);
  const { keypair } = rotated;
  if (keypair === undefined) throw new InvalidRequestError(`${name} is no keypair`);
  const { kind } = keypair;
  const make = async (): Promise<KeypairValues> => {
    if (pem !== undefined) return keypairFrom(kind, await pem());
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
  environment: Environment,
  rotated: Rotated,
  values: () => Promise<ReadonlyMap<string, string>>,
  options: RotateOptions,
): Promise<Rotation> {
  const opened = await openFor(environment, rotated, options);
  const known = await opened.store.knownVersions(rotated);
  options.onProgress?.(`${rotated.name} is at version ${known.current}: taking the new value`);
  return write(opened, rotated, known, await values(), options);
}

/**
 * Writes the value that a secret had in an earlier version, as a new version.
 *
 * @param version the earlier version
 * @throws as `rotate`
 */
export async function rollBack(
  environment: Environment,
  name: string,
  version: SecretVersion,
  options: RotateOptions = {},
): Promise<Rotation> {
  refuseArguments("rollBack", { environment, name, version, options }, { ...whichChecks, version: given });
  const deployed = await asDeployed(environment);
  const rotated = versioned(deployed, name);
  const opened = await openFor(deployed, rotated, options);
  const known = await opened.store.knownVersions(rotated);
  const values = await opened.store.formerValues(rotated, version);
  if (values.size < rotated.secrets.length) {
    throw new InvalidRequestError(
      `version ${version} of ${name} holds no value: choose one of ${known.readable.join(", ")}`,
    );
  }
  const { keypair } = rotated;
  if (keypair !== undefined) {
    const parts = rotated.secrets.map(({ name: part, key }) => [key, String(values.get(part))] as const);
    usable(keypair, Object.fromEntries(parts));
  }
  return write(opened, rotated, known, values, options);
}

/**
 * Has the store make a new value of a secret whose values it makes itself, as the password of a static role of Vault's database
 * engine, and waits until every pod serves it. The old one is refused from then on, and the store keeps none to go back to.
 *
 * @throws as `rotate`
 */
export async function remake(environment: Environment, name: string, options: RotateOptions = {}): Promise<Rotation> {
  refuseArguments("remake", { environment, name, options }, whichChecks);
  const rotated = rotatedNamed(environment, name);
  const secret = rotated.secrets[0]!;
  if (!isMadeByStore(secret)) {
    throw new InvalidRequestError(
      `${name} is not of source database, so ${storeTitle(environment)} does not make its value`,
    );
  }
  if (secret.key !== "password") {
    throw new InvalidRequestError(`${name} is the ${secret.key} of static role ${secret.path}, which does not change`);
  }
  const opened = await openFor(environment, rotated, options);
  return followChange(opened, rotated, options, () => opened.store.remake!(secret));
}

/** The cluster and the store, with the rights that a rotation needs. */
async function openFor(environment: Environment, rotated: Rotated, options: RotateOptions): Promise<OpenStore> {
  refuseToWait(environment, rotated, options);
  const opened = await openReachable(environment, options);
  const { api } = opened.session;
  const isOptional = rotated.secrets.some(({ optional }) => optional === true);
  if (isOptional && (await opened.session.permitted(unmountedSecrets(api, environment))).includes(rotated.name)) {
    throw new InvalidRequestError(
      `${rotated.name} is optional, and no pod mounts it: run ${ownCommand("up", environment)} once it has a value`,
    );
  }
  await assertMayRotate(opened, rotated, rolls(options));
  return opened;
}

/** A roll may be hours away, which no command waits for. */
function refuseToWait(environment: Environment, rotated: Rotated, { restart, now }: RotateOptions): void {
  const isSynced = rotated.secrets.some(({ environment: variable }) => variable !== undefined);
  if (restart !== true || now === true || !isSynced || scheduleFor(environment, rotated) === undefined) return;
  throw new InvalidRequestError(
    `the roll for ${rotated.name} waits for ${describeSchedule(environment)}: leave out --restart, and it is rolled then, ` +
      "or pass --now to roll at once",
  );
}

/** A row whose versions the store keeps, and which an operator may write. */
function versioned(environment: Environment, name: string): Rotated {
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

async function write(
  opened: OpenStore,
  rotated: Rotated,
  known: KnownVersions,
  values: ReadonlyMap<string, unknown>,
  options: RotateOptions,
): Promise<Rotation> {
  const { session, store } = opened;
  const { name } = rotated;
  return followChange(opened, rotated, options, async () => {
    const { version, previousVersion, contents, notes } = await store.write(rotated, values, known);
    return {
      contents,
      progress: `version ${version} is written`,
      done: `Version ${version} of ${name} is in ${storeTitle(session.environment)}`,
      goBack: `To go back: ${ownCommand("rotate", session.environment, name, "--rollback", String(previousVersion))}`,
      versions: { previousVersion, version },
      ...(notes === undefined ? {} : { notes }),
    };
  });
}
