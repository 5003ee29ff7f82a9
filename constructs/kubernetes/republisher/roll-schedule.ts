import type { Duration } from "cdk8s";
import { duration, minuteOfDay, optional, shape } from "../../check-props";
import { isMadeByStore, type Secret, type SecretTable, signsTokens } from "../../secrets";
import { passwordVariable } from "../database/variables";

/** A time of each day, in UTC; from 23:00 to 02:00 it goes past midnight. */
export interface QuietWindow {
  /** When it opens, in minutes after midnight, UTC. */
  readonly fromMinute: number;
  /** When it closes, in minutes after midnight, UTC. */
  readonly toMinute: number;
}

/** When a change of what pods have as environment is rolled for; until then they keep the old value. */
export interface RollSchedule {
  /**
   * Time from a change on, within which further ones come to the same roll; whole seconds.
   * @default Duration.seconds(0)
   */
  readonly batch?: Duration;
  /**
   * Time of the day for which a roll waits.
   * @default - any
   */
  readonly quietWindow?: QuietWindow;
}

/** What each part of a schedule is. */
export const rollSchedule = shape<RollSchedule>({
  batch: optional(duration),
  quietWindow: optional(shape<QuietWindow>({ fromMinute: minuteOfDay, toMinute: minuteOfDay })),
});

const minutesOfDay = 24 * 60;
const millisecondsOfMinute = 60_000;

/** When the change of a time is rolled for, at the soonest. The Republisher's script counts the same way. */
export function rollTime({ batch, quietWindow }: RollSchedule, changed: Date): Date {
  const batched = new Date(changed.getTime() + (batch?.toMilliseconds() ?? 0));
  if (quietWindow === undefined) return batched;
  const { fromMinute, toMinute } = quietWindow;
  const minute = batched.getUTCHours() * 60 + batched.getUTCMinutes();
  const sinceOpened = (minute - fromMinute + minutesOfDay) % minutesOfDay;
  const length = (toMinute - fromMinute + minutesOfDay) % minutesOfDay;
  if (sinceOpened < length) return batched;
  const startOfMinute = Math.floor(batched.getTime() / millisecondsOfMinute) * millisecondsOfMinute;
  return new Date(startOfMinute + (minutesOfDay - sinceOpened) * millisecondsOfMinute);
}

/** Password of a replica that Aidbox reads from. */
export const replicaPasswordVariable = "BOX_DB_RO_REPLICA_PASSWORD";

/**
 * Whether a change of a secret is rolled for at once, whatever the schedule: a database refuses the old password from then on,
 * and a pod that starts with a new keypair refuses the tokens of the others.
 */
export function rollsAtOnce(table: SecretTable, secret: Secret): boolean {
  const { environment } = secret;
  return (
    isMadeByStore(secret) ||
    environment === passwordVariable ||
    environment === replicaPasswordVariable ||
    signsTokens(table.keypairOf(secret)?.kind)
  );
}
