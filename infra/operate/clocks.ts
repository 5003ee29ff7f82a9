/**
 * From how many seconds on a clock that is off is told. Ages and bounds are told in seconds, the shortest bound being 30 s;
 * tokens fail later.
 */
export const toleratedSeconds = 10;

/** Where each node's kubelet renews its lease. */
export const nodeLeaseNamespace = "kube-node-lease";

/** By how much one clock is ahead of another, in milliseconds: between two bounds, since an answer takes its time. */
export interface Ahead {
  readonly least: number;
  readonly most: number;
}

/** What a call returned, and by how much this machine's clock is ahead of that of who answered. */
export interface Timed<T> {
  readonly answer: T;
  /** @default - the answer tells no time */
  readonly ahead: Ahead | undefined;
}

/** @param timeIn the time that an answer tells, in whole seconds */
export async function timed<T>(call: () => Promise<T>, timeIn: (answer: T) => Date | undefined): Promise<Timed<T>> {
  const sent = Date.now();
  const answer = await call();
  const received = Date.now();
  const shown = timeIn(answer)?.getTime() ?? NaN;
  // It was made between the two, and what is less than a second of it is cut off.
  const ahead = { least: sent - shown - 1000, most: received - shown };
  return { answer, ahead: Number.isNaN(shown) ? undefined : ahead };
}

/** By how much `other` is ahead of `one`, where it is known by how much a third clock is ahead of each. */
export function between(one: Ahead, other: Ahead): Ahead {
  return { least: one.least - other.most, most: one.most - other.least };
}

/** How far a clock is off for sure, as `at least 42 s ahead of`; undefined where that is within what is tolerated. */
export function offBy({ least, most }: Ahead): string | undefined {
  if (least > toleratedSeconds * 1000) return `at least ${Math.floor(least / 1000)} s ahead of`;
  if (most < -toleratedSeconds * 1000) return `at least ${Math.floor(-most / 1000)} s behind`;
  return undefined;
}
