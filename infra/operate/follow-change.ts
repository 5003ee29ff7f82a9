import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { passwordVariable } from "../../constructs/kubernetes/database/variables";
import { objectNames } from "../../constructs/kubernetes/names";
import { UnknownOutcomeError } from "../../constructs/settle";
import { ownCommand } from "../config/command-line";
import type { Change } from "./change";
import { type Consumer, findConsumers, lastRoll, restart, waitForOwnRoll, waitForSynced } from "./consumers";
import { digestOf } from "./digest";
import { firstLine, NotServedError } from "./errors";
import { kubectl } from "./hints";
import { scheduleFor } from "./pending-roll";
import { fileDigests, nameOf, republish, republishPostgres, runningPods } from "./pods";
import type { Rotated } from "./rotated";
import type { SecretVersion } from "./secret-version";
import type { Session } from "./session";
import type { OpenOptions, OpenStore } from "./store-operator";

/** How long a rotation waits, and what it rolls. */
export interface RotateOptions extends OpenOptions {
  /** How long to wait until all serve the new version, in seconds. @default 60 */
  readonly timeoutSeconds?: number;
  /**
   * Whether to roll what takes the secret as environment, and wait for it; for what the Republisher rolls by itself, only to
   * wait.
   * @default false: it is named
   */
  readonly restart?: boolean;
  /**
   * As `restart`, and whatever the Republisher's rolls wait for.
   * @default false
   */
  readonly now?: boolean;
  /** Called with what is being done. */
  readonly onProgress?: (text: string) => void;
}

/** What a rotation did. Times are seconds from the moment in which the write was sent. */
export interface Rotation {
  /** Name of the row. */
  readonly secret: string;
  /** Where it lies, as an operator names it to the store. */
  readonly path: string;
  /** The version; none where the store makes the values itself, and keeps none. */
  readonly version?: SecretVersion;
  /** The version before it. */
  readonly previousVersion?: SecretVersion;
  /** When each pod served the new version. */
  readonly pods: readonly {
    /** Name of the pod. */
    readonly pod: string;
    /** Until its files had the new value. */
    readonly seconds: number;
  }[];
  /** The Kubernetes Secret that the value is synced to; none where it is a file only. */
  readonly synced?: {
    /** Name of the Kubernetes Secret. */
    readonly name: string;
    /** Until it had the new value. */
    readonly seconds: number;
    /** What takes it as environment, and so keeps the old value until it is rolled. */
    readonly consumers: readonly Consumer[];
    /** Whether `restart` or `now` was asked for, and so all of them run with the new value. */
    readonly restarted: boolean;
  };
  /** What the operator must know of the write, a line each. @default - nothing */
  readonly notes?: readonly string[];
}

/** Whether what takes the secret as environment is rolled before the rotation is done. */
export function rolls({ restart, now }: RotateOptions): boolean {
  return restart === true || now === true;
}

interface Followed extends RotateOptions, Change {
  readonly path: string;
  readonly pods: readonly V1Pod[];
  /** When the change was asked for, in milliseconds. */
  readonly start: number;
  readonly rollBefore: string | undefined;
}

/**
 * Changes a secret, and waits until all that takes it has its new value.
 *
 * @param change makes the change
 * @throws what `change` throws, with how to go on where its outcome is unknown; NotServedError where it was made, and not
 * all serve it
 */
export async function followChange(
  { session, store }: OpenStore,
  rotated: Rotated,
  options: RotateOptions,
  change: () => Promise<Change>,
): Promise<Rotation> {
  const pods = await runningPods(session);
  const isSynced = rotated.secrets.some(({ environment }) => environment !== undefined);
  const rollBefore = isSynced && rolls(options) ? await lastRoll(session) : undefined;
  const start = Date.now();
  const made = await change().catch((error: unknown) => {
    if (!(error instanceof UnknownOutcomeError)) throw error;
    const see = `To see it: ${ownCommand("status", session.environment)}`;
    throw new UnknownOutcomeError(`${error.message}\n${see}`, { cause: error });
  });
  try {
    const path = store.locate(rotated.secrets[0]!);
    return await follow(session, rotated, { ...options, ...made, path, pods, start, rollBefore });
  } catch (error) {
    if (error instanceof NotServedError) throw error;
    throw notServed(made, `${made.done}, but it was not seen to arrive: ${firstLine(error)}`);
  }
}

function notServed({ goBack }: Change, ...lines: readonly string[]): NotServedError {
  return new NotServedError([...lines, ...(goBack === undefined ? [] : [goBack])].join("\n"));
}

async function follow(session: Session, rotated: Rotated, followed: Followed): Promise<Rotation> {
  const { environment } = session;
  const { table } = environment;
  const { contents, progress, done, versions, pods, start, onProgress } = followed;
  const seconds = followed.timeoutSeconds ?? 60;
  const deadline = start + seconds * 1000;
  // The database takes its new password before Aidbox is rolled to use it.
  if (rotated.secrets.some(({ environment: variable }) => variable === passwordVariable))
    await republishPostgres(session);
  const wanted = new Map(
    rotated.secrets.map((secret) => [table.filePath(secret), digestOf(contents.get(secret.name) ?? "")] as const),
  );
  let served = 0;
  onProgress?.(`${progress}: 0 of ${pods.length} pods serve it`);
  const followPod = async (pod: string): Promise<FollowedPod> => {
    const arrived = await waitForPod(session, pod, wanted, deadline);
    if (arrived.state === "served") onProgress?.(`${progress}: ${++served} of ${pods.length} pods serve it`);
    return { pod, ...arrived, seconds: (Date.now() - start) / 1000 };
  };
  const results: FollowedPod[] = [];
  // One that takes another's place meanwhile may have mounted the former value.
  for (let left = pods.map(nameOf); left.length > 0;) {
    results.push(...(await Promise.all(left.map(followPod))));
    const known = new Set(results.map(({ pod }) => pod));
    left = (await runningPods(session)).map(nameOf).filter((pod) => !known.has(pod));
  }
  const late = results.filter(({ state }) => state === "late");
  if (late.length > 0) {
    const reasons = late.map(({ pod, reason }) => (reason === undefined ? pod : `${pod} (${reason})`));
    throw notServed(
      followed,
      `${done}, but after ${seconds} s not in ${reasons.join(", ")}.`,
      `To see why: ${ownCommand("verify", environment)}`,
    );
  }
  const synced = await followSynced(session, rotated, { ...followed, deadline });
  return {
    secret: rotated.name,
    path: followed.path,
    ...versions,
    pods: results.filter(({ state }) => state === "served").map(({ pod, seconds: took }) => ({ pod, seconds: took })),
    ...(synced === undefined ? {} : { synced }),
    ...(followed.notes === undefined ? {} : { notes: followed.notes }),
  };
}

/** Kubelet may be busy, or a standby of the store behind: ask again when nothing came of it for so long. */
const askAgainMilliseconds = 4000;

interface Arrival {
  readonly state: "served" | "late" | "gone";
  /** What went wrong last, where it is late. */
  readonly reason?: string | undefined;
}

interface FollowedPod extends Arrival {
  readonly pod: string;
  readonly seconds: number;
}

/** Has a pod's volumes published again until its files have the new content; a pod that went away needs none. */
async function waitForPod(
  session: Session,
  pod: string,
  wanted: ReadonlyMap<string, string>,
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
      const has = await fileDigests(session, pod, [...wanted.keys()]);
      if ([...wanted].every(([file, digest]) => has.get(file) === digest)) return { state: "served" };
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
  rotated: Rotated,
  options: Followed & { readonly deadline: number },
): Promise<Rotation["synced"]> {
  const { environment } = session;
  const wanted = new Map(
    rotated.secrets.flatMap(({ name, environment: variable }) =>
      variable === undefined ? [] : [[variable, options.contents.get(name) ?? ""] as const],
    ),
  );
  if (wanted.size === 0) return undefined;
  const name = objectNames(environment.aidbox.name).syncedSecret;
  options.onProgress?.(`waiting for the Kubernetes Secret ${name}`);
  if (!(await waitForSynced(session, name, wanted, options.deadline))) {
    const show = kubectl(environment, environment.namespaces.aidbox, "describe", "secret", name);
    throw notServed(
      options,
      `The pods' files have the new value of ${rotated.name}, but the Kubernetes Secret ${name} has not.`,
      `To see it: ${show}`,
    );
  }
  const seconds = (Date.now() - options.start) / 1000;
  const schedule = rolls(options) ? undefined : scheduleFor(environment, rotated);
  const consumers = await findConsumers(session, name, [...wanted.keys()], schedule);
  if (rolls(options)) {
    for (const consumer of consumers) {
      options.onProgress?.(`rolling ${consumer.kind} ${consumer.name}`);
      const rolled = consumer.rollsByItself
        ? waitForOwnRoll(session, consumer, options.rollBefore, options.now === true)
        : restart(session, consumer);
      if (!(await rolled)) {
        throw notServed(options, `${consumer.kind} ${consumer.name} did not roll in time.`);
      }
    }
  }
  return { name, seconds, consumers, restarted: rolls(options) };
}
