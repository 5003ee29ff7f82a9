import { objectNames } from "../../constructs/kubernetes/names";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { passwordVariable } from "../../constructs/kubernetes/database/variables";
import type { Secret } from "../../constructs/secrets";
import { type KvHistory, KvMount } from "../../constructs/vault";
import type { Environment } from "../config/environment";
import { assertReachable } from "./assert-reachable";
import { assertMayRotate } from "./assert-rights";
import { type Consumer, findConsumers, lastRoll, restart, waitForOwnRoll, waitForSynced } from "./consumers";
import { digestOf } from "./digest";
import { firstLine, InvalidRequestError, NotServedError } from "./errors";
import { kubectl } from "./hints";
import { ownCommand } from "../own-command";
import { fileDigests, nameOf, postgresPods, republish, republishAll, runningPods } from "./pods";
import { loginAsPod, readValues } from "./pod-login";
import { secretNamed } from "./secret-named";
import { Session } from "./session";

export interface RotateOptions {
  /** Vault token of the operator. @default `VAULT_TOKEN`, else dev mode's root token from its Secret */
  readonly vaultToken?: string;
  /** How long to wait until all serve the new version, in seconds. @default 60 */
  readonly timeoutSeconds?: number;
  /**
   * Whether to roll what takes the secret as environment, and wait for it; for what the Republisher rolls by itself, only to
   * wait.
   * @default false: it is named
   */
  readonly restart?: boolean;
  /** Called with what is being done. */
  readonly onProgress?: (text: string) => void;
}

/** What a rotation did. Times are seconds from the moment in which the write was sent. */
export interface Rotation {
  readonly secret: string;
  /** Path of the secret, with its mount. */
  readonly path: string;
  readonly previousVersion: number;
  readonly version: number;
  /** When each pod served the new version. */
  readonly pods: readonly { readonly pod: string; readonly seconds: number }[];
  /** The Kubernetes Secret that the value is synced to; none where it is a file only. */
  readonly synced?: {
    readonly name: string;
    readonly seconds: number;
    /** What takes it as environment, and so keeps the old value until it is rolled. */
    readonly consumers: readonly Consumer[];
    readonly restarted: boolean;
  };
}

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
  const secret = secretOf(environment, name);
  const session = await Session.open(environment, options.vaultToken);
  await assertReachable(session);
  await assertMayRotate(session, secret, options.restart === true);
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
  const secret = secretOf(environment, name);
  const session = await Session.open(environment, options.vaultToken);
  await assertReachable(session);
  await assertMayRotate(session, secret, options.restart === true);
  const history = await currentHistory(session, secret);
  if (version < 1) throw new InvalidRequestError(`there is no version ${version}: versions begin with 1`);
  const pod = await loginAsPod(session);
  const values = await readValues(pod, environment.table.kvMount, secret, version).finally(() => pod.revokeSelf());
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

function secretOf(environment: Environment, name: string): Secret {
  const secret = secretNamed(environment, name);
  if (secret.source === "managed") {
    throw new InvalidRequestError(
      `${name} is managed: Pulumi writes its value, and the next up could write the old one again. Set the new one with\n` +
        `  pulumi config set --secret --path 'aidbox-secrets:values.${name}'\nand run ${ownCommand("up", environment)}`,
    );
  }
  return secret;
}

async function currentHistory(session: Session, secret: Secret): Promise<KvHistory> {
  const { environment, permitted } = session;
  const { table } = environment;
  const kv = new KvMount(await session.operatorVault(), table.kvMount);
  const [history, { keys }] = await Promise.all([permitted(kv.history(secret.path)), permitted(kv.keys(secret.path))]);
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
  const { table } = environment;
  const kv = new KvMount(await session.operatorVault(), table.kvMount);
  const pods = await runningPods(session);
  const rollBefore = secret.environment !== undefined && options.restart === true ? await lastRoll(session) : undefined;
  const start = Date.now();
  const version = await session.permitted(kv.patch(secret.path, history.current, { [secret.key]: value }));

  const goBack = `To go back: ${ownCommand("rotate", environment, secret.name, `--rollback ${history.current}`)}`;
  try {
    return await follow(session, secret, value, { ...options, history, version, pods, start, goBack, rollBefore });
  } catch (error) {
    if (error instanceof NotServedError) throw error;
    throw new NotServedError(
      `Version ${version} of ${secret.name} is in Vault, but it was not seen to arrive: ${firstLine(error)}\n${goBack}`,
    );
  }
}

interface Written extends RotateOptions {
  readonly history: KvHistory;
  readonly version: number;
  readonly pods: readonly V1Pod[];
  /** When the write was sent, in milliseconds. */
  readonly start: number;
  readonly goBack: string;
  readonly rollBefore: string | undefined;
}

/** Waits until all that takes the secret has its new version. */
async function follow(session: Session, secret: Secret, value: string, written: Written): Promise<Rotation> {
  const { environment } = session;
  const { table } = environment;
  const { history, version, pods, start, goBack, onProgress } = written;
  const seconds = written.timeoutSeconds ?? 60;
  const deadline = start + seconds * 1000;
  // The database takes its new password before Aidbox is rolled to use it.
  if (secret.environment === passwordVariable) await republishAll(session, await postgresPods(session));
  let served = 0;
  onProgress?.(`version ${version} is written: 0 of ${pods.length} pods serve it`);
  const results = await Promise.all(
    pods.map(async (pod) => {
      const arrived = await waitForPod(session, nameOf(pod), table.filePath(secret), digestOf(value), deadline);
      if (arrived.state === "served") {
        onProgress?.(`version ${version} is written: ${++served} of ${pods.length} pods serve it`);
      }
      return { pod: nameOf(pod), ...arrived, seconds: (Date.now() - start) / 1000 };
    }),
  );
  const late = results.filter(({ state }) => state === "late");
  if (late.length > 0) {
    const reasons = late.map(({ pod, reason }) => (reason === undefined ? pod : `${pod} (${reason})`));
    throw new NotServedError(
      `Version ${version} of ${secret.name} is in Vault, but after ${seconds} s not in ${reasons.join(", ")}.\n` +
        `To see why: ${ownCommand("verify", environment)}\n${goBack}`,
    );
  }
  const synced = await followSynced(session, secret, value, { ...written, deadline });
  return {
    secret: secret.name,
    path: `${table.kvMount}/${secret.path}`,
    previousVersion: history.current,
    version,
    pods: results.filter(({ state }) => state === "served").map(({ pod, seconds: took }) => ({ pod, seconds: took })),
    ...(synced === undefined ? {} : { synced }),
  };
}

/** Kubelet may be busy, or a standby of Vault behind: ask again when nothing came of it for so long. */
const askAgainMilliseconds = 4000;

interface Arrival {
  readonly state: "served" | "late" | "gone";
  /** What went wrong last, where it is late. */
  readonly reason?: string | undefined;
}

/** Has a pod's volumes published again until its file has the new content; a pod that went away needs none. */
async function waitForPod(
  session: Session,
  pod: string,
  file: string,
  digest: string,
  deadline: number,
): Promise<Arrival> {
  let asked = 0;
  let reason: string | undefined;
  do {
    try {
      if (Date.now() - asked > askAgainMilliseconds) {
        asked = Date.now();
        await republish(session, pod);
      }
      if ((await fileDigests(session, pod, [file])).get(file) === digest) return { state: "served" };
    } catch (error) {
      reason = firstLine(error);
      const left = await runningPods(session).catch(() => undefined);
      if (left?.every((each) => nameOf(each) !== pod) === true) return { state: "gone" };
    }
    await sleep(150);
  } while (Date.now() < deadline);
  return { state: "late", reason };
}

async function followSynced(
  session: Session,
  secret: Secret,
  value: string,
  options: Written & { readonly deadline: number },
): Promise<Rotation["synced"]> {
  const { environment } = session;
  if (secret.environment === undefined) return undefined;
  const name = objectNames(environment.aidbox.name).syncedSecret;
  options.onProgress?.(`waiting for the Kubernetes Secret ${name}`);
  if (!(await waitForSynced(session, name, secret.environment, value, options.deadline))) {
    const show = kubectl(environment, environment.namespaces.aidbox, `describe secret ${name}`);
    throw new NotServedError(
      `The pods' files have the new value of ${secret.name}, but the Kubernetes Secret ${name} has not.\n` +
        `To see it: ${show}\n${options.goBack}`,
    );
  }
  const seconds = (Date.now() - options.start) / 1000;
  const consumers = await findConsumers(session, name, secret.environment);
  if (options.restart === true) {
    for (const consumer of consumers) {
      options.onProgress?.(`rolling ${consumer.kind} ${consumer.name}`);
      const rolled = consumer.rollsByItself
        ? waitForOwnRoll(session, consumer, options.rollBefore)
        : restart(session, consumer);
      if (!(await rolled)) {
        throw new NotServedError(`${consumer.kind} ${consumer.name} did not roll in time.\n${options.goBack}`);
      }
    }
  }
  return { name, seconds, consumers, restarted: options.restart === true };
}
