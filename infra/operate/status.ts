import { vaultPaths } from "../config/stores/vault/server";
import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { certificateEnd, isMadeByStore, type Secret } from "../../constructs/secrets";
import type { VaultClient } from "../../constructs/stores/vault/api/client";
import type { KvHistory } from "../../constructs/stores/vault/api/kv-mount";
import type { VaultEnvironment } from "../config/environment";
import { kubeletBoundSeconds, publicationSeconds, republishes } from "../config/rotation-bound";
import { ownCommand } from "../config/command-line";
import { inWords } from "./age";
import { assertReachable } from "./assert-reachable";
import { digestOf } from "./digest";
import { dueRow, whyNotUnasked } from "./due";
import { leastCertificateDays } from "./links/keypairs";
import { readMaskedErrors } from "./masked-errors";
import { allPermitted } from "./missing-right";
import { type PendingRoll, readPendingRoll } from "./pending-roll";
import { fileDigests, lastRepublished, nameOf, runningPods } from "./pods";
import { asPod, readValues } from "./stores/vault/pod-login";
import { allRotated } from "./rotated";
import { Session } from "./session";
import { isPast, type Standing, standingsOf } from "./standing";

/** Where one secret stands. */
export interface SecretStatus {
  readonly secret: string;
  /** Path in Vault, with its mount. */
  readonly path: string;
  /** Number of Vault's current version; none where there is no live one, and for what the database engine holds. */
  readonly version: number | undefined;
  /** When its current value was written; none where there is no live one. */
  readonly rotatedAt: Date | undefined;
  readonly pods: readonly {
    readonly pod: string;
    /** Number of the version that the pod's file has; none where it is missing, or none of the last versions. */
    readonly version: number | undefined;
    /** Whether the pod's file has Vault's current value. */
    readonly isCurrent: boolean;
  }[];
}

/** Where an environment's secrets stand. */
export interface Status {
  readonly environment: string;
  readonly vaultVersion: string;
  readonly secrets: readonly SecretStatus[];
  /** Seconds until the volumes of all pods are published again by themselves, at most. */
  readonly nextPickUpSeconds: number;
  /** The roll of the pods that waits for its time; none where none waits. */
  readonly pendingRoll?: PendingRoll;
  readonly warnings: readonly string[];
}

export interface StatusOptions {
  /** Vault token of the operator. @default `VAULT_TOKEN`, else dev mode's root token from its Secret */
  readonly vaultToken?: string;
}

/** How far back a stale file's version is looked for. */
const versionsBack = 10;

/** Life that is left below which a warning is due, in seconds. */
const nearSeconds = 24 * 3600;

/**
 * Looks where each secret stands, in Vault and in each pod.
 *
 * @throws UnreachableError where the cluster or Vault cannot be used, MissingRightError where the operator may not look
 */
export async function readStatus(environment: VaultEnvironment, options: StatusOptions = {}): Promise<Status> {
  const session = await Session.open(environment, options.vaultToken);
  await assertReachable(session);
  const { table } = environment;
  const operator = await session.operatorVault();
  const files = table.secrets.map((secret) => table.filePath(secret));
  const [pods, health, standings, tokenWarnings, masked, pendingRoll] = await allPermitted([
    runningPods(session),
    operator.health(),
    standingsOf(session, table.secrets),
    tokenWarning(operator),
    readMaskedErrors(session),
    readPendingRoll(session),
  ]);
  const readSecrets = async (pod: VaultClient): Promise<SecretStatus[]> => {
    const digests = await Promise.all(pods.map((each) => fileDigests(session, nameOf(each), files)));
    return Promise.all(
      table.secrets.map(async (secret, index): Promise<SecretStatus> => {
        const standing = standings[index]!;
        const { rotatedAt } = standing;
        const inFiles = digests.map((each) => each.get(table.filePath(secret)));
        const known = await versionsByDigest(
          pod,
          environment,
          secret,
          standing,
          inFiles.flatMap((digest) => digest ?? []),
        );
        return {
          secret: secret.name,
          path: vaultPaths(environment).operator(secret),
          version: standing.version,
          rotatedAt,
          pods: pods.map((each, at) => {
            const found = known.get(inFiles[at] ?? "");
            const isCurrent = rotatedAt !== undefined && found !== undefined && found.version === standing.version;
            return { pod: nameOf(each), version: found?.version, isCurrent };
          }),
        };
      }),
    );
  };
  const secrets = await asPod(session, readSecrets);
  const ends = await certificateWarnings(session);
  const stale = secrets.some((secret) => secret.pods.some(({ isCurrent }) => !isCurrent));
  return {
    environment: environment.name,
    vaultVersion: health.version,
    secrets,
    nextPickUpSeconds: nextPickUp(environment, pods),
    ...(pendingRoll === undefined ? {} : { pendingRoll }),
    warnings: [
      ...secrets.flatMap(secretWarnings),
      ...ageWarnings(environment, secrets),
      // The counters never go back, so they mean something only while a pod lags behind.
      ...(stale ? masked : []),
      ...standings.flatMap(({ history }, index) => expiryWarning(table.secrets[index]!, history)),
      ...ends,
      ...tokenWarnings,
    ],
  };
}

/** A secret's versions by the digest of their value, as far back as the digests ask for; the engine knows but the last. */
async function versionsByDigest(
  pod: VaultClient,
  environment: VaultEnvironment,
  secret: Secret,
  { history, rotatedAt }: Standing,
  wanted: readonly string[],
): Promise<Map<string, { readonly version?: number }>> {
  const found = new Map<string, { readonly version?: number }>();
  if (isMadeByStore(secret) && rotatedAt !== undefined && wanted.length > 0) {
    const value = (await readValues(pod, environment, secret))?.[secret.key];
    if (value !== undefined) found.set(digestOf(value), {});
  }
  if (history === undefined) return found;
  const oldest = Math.max(1, history.current - versionsBack);
  for (let version = history.current; version >= oldest; version--) {
    if (wanted.every((digest) => found.has(digest))) break;
    const value = (await readValues(pod, environment, secret, version))?.[secret.key];
    if (value !== undefined && !found.has(digestOf(value))) found.set(digestOf(value), { version });
  }
  return found;
}

function nextPickUp(environment: VaultEnvironment, pods: readonly V1Pod[]): number {
  if (!republishes(environment)) return kubeletBoundSeconds;
  const waits = pods.map((pod) => {
    const since = (Date.now() - (lastRepublished(pod)?.getTime() ?? Date.now())) / 1000;
    return Math.max(0, environment.rotationBoundSeconds - publicationSeconds - since);
  });
  return Math.round(Math.max(0, ...waits));
}

function secretWarnings({ secret, path, version, rotatedAt, pods }: SecretStatus): string[] {
  if (rotatedAt === undefined) return [`${secret}: ${path} has no live value; the pods keep the value that they have`];
  const late = pods.filter(({ isCurrent }) => !isCurrent);
  if (version === undefined) return late.map(({ pod }) => `${secret}: pod ${pod} has another value than Vault`);
  return late.map((pod) => {
    const has = pod.version === undefined ? "no version that Vault still knows" : `version ${pod.version}`;
    return `${secret}: pod ${pod.pod} has ${has}, Vault has ${version}`;
  });
}

function ageWarnings(environment: VaultEnvironment, secrets: readonly SecretStatus[]): string[] {
  return allRotated(environment).flatMap((rotated) => {
    const [first] = rotated.secrets;
    const due = dueRow(environment, rotated, secrets.find(({ secret }) => secret === first?.name)?.rotatedAt);
    if (due === undefined) return [];
    const command = whyNotUnasked(environment, rotated)?.command ?? ownCommand("rotate", environment, "--due");
    const [age, most] = [inWords(due.ageSeconds), inWords(due.maxAgeSeconds)];
    return [`${rotated.name}: its value is ${age} old, and may grow ${most} old: ${command}`];
  });
}

function expiryWarning({ name }: Secret, history: KvHistory | undefined): string[] {
  const ends = history?.versions.get(history.current)?.deletedAt;
  if (ends === undefined || isPast(ends) || ends.getTime() - Date.now() > nearSeconds * 1000) return [];
  return [`${name}: Vault deletes its current version at ${ends.toISOString()} (delete_version_after)`];
}

/** Certificates that end soon, or have ended; read as a pod reads them. */
async function certificateWarnings(session: Session): Promise<string[]> {
  const { environment } = session;
  const { table } = environment;
  const pairs = table.keypairs.filter(({ kind }) => kind === "certificate");
  if (pairs.length === 0) return [];
  const values = await asPod(session, (pod) => Promise.all(pairs.map((pair) => readValues(pod, environment, pair))));
  return pairs.flatMap(({ name }, index) => {
    const end = certificateEnd(values[index]?.certificate ?? "");
    if (end === undefined) return [`${name}: its certificate cannot be read`];
    if (isPast(end)) return [`${name}: its certificate ended at ${end.toISOString()}`];
    const days = (end.getTime() - Date.now()) / (nearSeconds * 1000);
    return days < leastCertificateDays
      ? [`${name}: its certificate ends at ${end.toISOString()}, in ${days.toFixed(0)} days`]
      : [];
  });
}

async function tokenWarning(operator: VaultClient): Promise<string[]> {
  const token = await operator.read("auth/token/lookup-self");
  const ttl = Number(token?.ttl ?? 0);
  if (ttl === 0 || ttl > nearSeconds) return []; // 0: it never ends
  return [`your Vault token ends in ${Math.round(ttl / 60)} min`];
}
