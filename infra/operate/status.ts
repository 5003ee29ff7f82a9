import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { refuseArguments } from "../../constructs/check-props";
import type { Secret } from "../../constructs/secrets";
import { certificateEnd } from "../../constructs/secrets/keypair-values";
import { unmountedSecrets } from "../cluster/mounted-secrets";
import { everyKeyOf } from "../config/all-keys";
import { checkedEnvironment } from "../config/checked-environment";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { kubeletBoundSeconds, publicationSeconds, republishes } from "../config/rotation-bound";
import { storeTitle } from "../config/stores";
import { inWords } from "./age";
import { asDeployed } from "./as-deployed";
import { type ComparedKeys, compareKeys } from "./compare-keys";
import { digestOf } from "./digest";
import { dueRow, whyNotUnasked } from "./due-row";
import { leastCertificateDays } from "./links/keypairs";
import { readMaskedErrors } from "./masked-errors";
import { openReachable } from "./open-reachable";
import { openOptions } from "./option-checks";
import { type PendingRoll, readPendingRoll } from "./pending-roll";
import { allPermitted } from "./permission-denied";
import { digestsInPods, lastRepublished, runningPods } from "./pods";
import { allRotated } from "./rotated";
import type { SecretVersion } from "./secret-version";
import type { OpenOptions, OpenStore, ReadAsPod, SecretState } from "./store-operator";

/** Where one secret stands. */
export interface SecretStatus {
  /** Name of the secret, or of a keypair's part. */
  readonly secret: string;
  /** Where it lies, as an operator names it to the store. */
  readonly path: string;
  /** The store's current version; none where there is no live one, or the store keeps none of it. */
  readonly version: SecretVersion | undefined;
  /** When its current value was written; none where there is no live one. */
  readonly rotatedAt: Date | undefined;
  /** Aidbox's running pods; none where it is not known what they have. */
  readonly pods: readonly {
    /** Name of the pod. */
    readonly pod: string;
    /** The version that the pod's file has; none where it is missing, or none of the last versions. */
    readonly version: SecretVersion | undefined;
    /** Whether the pod's file has the store's current value. */
    readonly isCurrent: boolean;
  }[];
  /** Why it is not known what the pods have, as of a certificate; then there are no pods here. @default - it is known */
  readonly incomparable?: string;
}

/** Where an environment's secrets stand. */
export interface Status {
  /** Name of the environment, as `dev`. */
  readonly environment: string;
  /** Which store it is: `Vault 2.0.4`. */
  readonly store: string;
  /** In the order of the table. */
  readonly secrets: readonly SecretStatus[];
  /** Seconds until the volumes of all pods are published again by themselves, at most. */
  readonly nextPickUpSeconds: number;
  /** The roll of the pods that waits for its time; none where none waits. */
  readonly pendingRoll?: PendingRoll;
  /** When the newest snapshot of the store was taken; none where there is none, or the config asks for none. */
  readonly newestSnapshot?: Date;
  /** What an operator should look at, a sentence each: pods that lag behind, values too old, certificates that end. */
  readonly warnings: readonly string[];
}

/** How far back a stale file's version is looked for. */
const versionsBack = 10;

/** Life that is left below which a warning is due, in seconds. */
const nearSeconds = 24 * 3600;

/**
 * Looks where each secret stands, in the store and in each pod.
 *
 * @throws UnreachableError where the cluster or the store cannot be used, PermissionDeniedError where the operator may not look
 */
export async function readStatus(configured: Environment, options: OpenOptions = {}): Promise<Status> {
  refuseArguments(
    "readStatus",
    { environment: configured, options },
    { environment: checkedEnvironment, options: openOptions },
  );
  const environment = await asDeployed(configured);
  const opened = await openReachable(environment, options);
  const { session, store } = opened;
  const { table } = environment;
  const files = table.secrets.map((secret) => table.filePath(secret));
  const [pods, title, states, storeWarnings, masked, pendingRoll, unmounted, backup, keys] = await allPermitted([
    runningPods(session),
    store.describe(),
    allPermitted(table.secrets.map((secret) => store.state(secret))),
    store.warnings(),
    readMaskedErrors(session),
    readPendingRoll(session),
    session.permitted(unmountedSecrets(session.api, environment)),
    store.backup?.() ?? Promise.resolve(undefined),
    allPermitted(everyKeyOf(configured).map((row) => compareKeys(store, configured, environment, row))),
  ]);
  const readSecrets = async (read: ReadAsPod): Promise<SecretStatus[]> => {
    const inPods = await digestsInPods(session, pods, files);
    return Promise.all(
      table.secrets.map(async (secret, index): Promise<SecretStatus> => {
        const state = states[index]!;
        const { version: current, rotatedAt, incomparable } = state;
        const stands = { secret: secret.name, path: store.locate(secret), version: current, rotatedAt };
        if (incomparable !== undefined) return { ...stands, pods: [], incomparable };
        if (unmounted.includes(secret.name)) return { ...stands, pods: [], incomparable: "optional, and not mounted" };
        const inFiles = inPods.map(({ pod, digests }) => ({ pod, digest: digests.get(table.filePath(secret)) }));
        const wanted = inFiles.flatMap(({ digest }) => digest ?? []);
        const known = await versionsByDigest(read, secret, state, wanted);
        return {
          ...stands,
          pods: inFiles.map(({ pod, digest = "" }) => {
            const found = known.get(digest);
            const isCurrent = rotatedAt !== undefined && found !== undefined && found.version === current;
            return { pod, version: found?.version, isCurrent };
          }),
        };
      }),
    );
  };
  const secrets = await store.asPod(readSecrets);
  const ends = await certificateWarnings(opened);
  const stale = secrets.some((secret) => secret.pods.some(({ isCurrent }) => !isCurrent));
  return {
    environment: environment.name,
    store: title,
    secrets,
    nextPickUpSeconds: nextPickUp(environment, pods),
    ...(pendingRoll === undefined ? {} : { pendingRoll }),
    ...(backup?.takenAt === undefined ? {} : { newestSnapshot: backup.takenAt }),
    warnings: [
      ...secrets.flatMap((each) => secretWarnings(storeTitle(environment), each)),
      ...secrets.flatMap(({ secret, path, rotatedAt }) => {
        if (rotatedAt === undefined || !unmounted.includes(secret)) return [];
        return [`${secret}: ${path} has a value now, and pods mount it after ${ownCommand("up", environment)}`];
      }),
      ...keys.flatMap((each) => keysWarnings(environment, each)),
      ...ageWarnings(environment, secrets),
      // The counters never go back, so they mean something only while a pod lags behind.
      ...(stale ? masked : []),
      ...states.flatMap(({ end }, index) => endWarning(table.secrets[index]!, end)),
      ...ends,
      ...(backup?.problem === undefined ? [] : [`${backup.problem.cause}: ${backup.problem.fix}`]),
      ...storeWarnings,
    ],
  };
}

/** A secret's versions by the digest of their value, as far back as the digests ask for; where it has none, its value alone. */
async function versionsByDigest(
  read: ReadAsPod,
  secret: Secret,
  { rotatedAt, versions }: SecretState,
  wanted: readonly string[],
): Promise<Map<string, { readonly version?: SecretVersion }>> {
  const found = new Map<string, { readonly version?: SecretVersion }>();
  if (versions.length === 0 && rotatedAt !== undefined && wanted.length > 0) {
    const value = await read(secret);
    if (value !== undefined) found.set(digestOf(value), {});
  }
  for (const version of versions.slice(0, versionsBack + 1)) {
    if (wanted.every((digest) => found.has(digest))) break;
    const value = await read(secret, version);
    if (value !== undefined && !found.has(digestOf(value))) found.set(digestOf(value), { version });
  }
  return found;
}

function nextPickUp(environment: Environment, pods: readonly V1Pod[]): number {
  if (!republishes(environment)) return kubeletBoundSeconds;
  const waits = pods.map((pod) => {
    const since = (Date.now() - (lastRepublished(pod)?.getTime() ?? Date.now())) / 1000;
    return Math.max(0, environment.rotationBoundSeconds - publicationSeconds - since);
  });
  return Math.round(Math.max(0, ...waits));
}

function secretWarnings(
  store: string,
  { secret, path, version, rotatedAt, pods, incomparable }: SecretStatus,
): string[] {
  if (incomparable !== undefined) return [];
  if (rotatedAt === undefined) return [`${secret}: ${path} has no live value; the pods keep the value that they have`];
  const late = pods.filter(({ isCurrent }) => !isCurrent);
  if (version === undefined) return late.map(({ pod }) => `${secret}: pod ${pod} has another value than ${store}`);
  return late.map((pod) => {
    const has = pod.version === undefined ? `no version that ${store} still knows` : `version ${pod.version}`;
    return `${secret}: pod ${pod.pod} has ${has}, ${store} has ${version}`;
  });
}

function keysWarnings(environment: Environment, { place, added, gone }: ComparedKeys): string[] {
  const up = ownCommand("up", environment);
  return [
    ...added.map((key) => `${place} has the key ${key}, and pods mount it after ${up}`),
    ...gone.map((key) => `${place} has no key ${key} any more, and no new pod starts until ${up}`),
  ];
}

function ageWarnings(environment: Environment, secrets: readonly SecretStatus[]): string[] {
  return allRotated(environment).flatMap((rotated) => {
    const [first] = rotated.secrets;
    const due = dueRow(rotated, secrets.find(({ secret }) => secret === first?.name)?.rotatedAt);
    if (due === undefined) return [];
    const command = whyNotUnasked(environment, rotated)?.command ?? ownCommand("rotate", environment, "--due");
    const [age, most] = [inWords(due.ageSeconds), inWords(due.maxAgeSeconds)];
    return [`${rotated.name}: its value is ${age} old, and may grow ${most} old: ${command}`];
  });
}

function endWarning({ name }: Secret, end: SecretState["end"]): string[] {
  return end === undefined || end.at.getTime() - Date.now() > nearSeconds * 1000 ? [] : [`${name}: ${end.words}`];
}

/** Certificates that end soon, or have ended; read as a pod reads them. */
async function certificateWarnings({ session, store }: OpenStore): Promise<string[]> {
  const pairs = session.environment.table.keypairs.filter(({ kind }) => kind === "certificate");
  if (pairs.length === 0) return [];
  const certificates = await store.asPod((read) =>
    Promise.all(pairs.map(({ secrets }) => read(secrets.find(({ key }) => key === "certificate")!))),
  );
  return pairs.flatMap(({ name }, index) => {
    const end = certificateEnd(certificates[index]?.toString() ?? "");
    if (end === undefined) return [`${name}: its certificate cannot be read`];
    if (end <= new Date()) return [`${name}: its certificate ended at ${end.toISOString()}`];
    const days = (end.getTime() - Date.now()) / (nearSeconds * 1000);
    return days < leastCertificateDays
      ? [`${name}: its certificate ends at ${end.toISOString()}, in ${days.toFixed(0)} days`]
      : [];
  });
}
