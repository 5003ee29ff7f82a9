/**
 * What Key Vault serves: GETs of secrets per vault and region.
 *
 * Source: https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
const limit = { gets: 4000, seconds: 10 } as const;

/** Calls that one publication makes to Entra ID by workload identity (measured with provider 1.8.2). */
const loginCalls = 3;

const daySeconds = 24 * 3600;

/** What publishes the volumes of pods: how many objects each has, and how often. */
export interface Publications {
  /** Number of objects of all pods together: the sum of each pod's secrets. */
  readonly objects: number;
  readonly pods: number;
  /** Least time between two publications of a pod, in seconds. */
  readonly everySeconds: number;
}

/** Calls that keeping a bound costs. */
export interface StoreLoad {
  /** GETs of Key Vault a day. */
  readonly getsPerDay: number;
  /** Calls to Entra ID a day, by workload identity. */
  readonly loginsPerDay: number;
  /** GETs in the busiest 10 s, where all pods are published at once. */
  readonly getsAtOnce: number;
}

/** What publishing costs in calls: the provider keeps nothing, so each publication reads each object once. */
export function storeLoad({ objects, pods, everySeconds }: Publications): StoreLoad {
  const perDay = Math.ceil(daySeconds / everySeconds);
  return {
    getsPerDay: objects * perDay,
    loginsPerDay: pods * loginCalls * perDay,
    getsAtOnce: objects * Math.max(1, Math.ceil(limit.seconds / everySeconds)),
  };
}

/** Why a config would be more than Key Vault serves, with the arithmetic; undefined where it would not. */
export function loadProblem(publications: Publications): string | undefined {
  const { getsAtOnce } = storeLoad(publications);
  if (getsAtOnce <= limit.gets) return undefined;
  const { objects, everySeconds } = publications;
  const rounds = Math.max(1, Math.ceil(limit.seconds / everySeconds));
  return (
    `every ${everySeconds}s: ${count(objects)} secrets of all pods × ${rounds} ${rounds === 1 ? "publication" : "publications"} in ${limit.seconds} s = ` +
    `${count(getsAtOnce)} GETs, and Key Vault serves ${count(limit.gets)} in ${limit.seconds} s`
  );
}

/** What the bound costs, in words for the plan. */
export function describeLoad(publications: Publications, byWorkloadIdentity: boolean): string {
  const { getsPerDay, loginsPerDay, getsAtOnce } = storeLoad(publications);
  const { objects, everySeconds } = publications;
  const logins = byWorkloadIdentity ? `, and ${count(loginsPerDay)} calls to Entra ID` : "";
  return (
    `${count(getsPerDay)} GETs of Key Vault a day${logins} (${count(objects)} secrets of all pods, every ${everySeconds} s); ` +
    `at most ${count(getsAtOnce)} in 10 s, of the ${count(limit.gets)} that Key Vault serves`
  );
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
