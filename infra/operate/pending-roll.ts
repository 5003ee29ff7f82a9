import { Duration } from "cdk8s";
import { rollNow, rollPendingAnnotation } from "../../constructs/kubernetes";
import { rollsAtOnce, type RollSchedule, rollTime } from "../../constructs/kubernetes/republisher/roll-schedule";
import type { Environment } from "../config/environment";
import { rollScheduleOf } from "../config/roll-schedule";
import type { Rotated } from "./rotated";
import type { Session } from "./session";

/** What the roll for a rotation waits for; none where it does not wait. */
export function scheduleFor(
  { rolls, table }: Environment,
  { secrets }: Pick<Rotated, "secrets">,
): RollSchedule | undefined {
  return secrets.some((secret) => rollsAtOnce(table, secret)) ? undefined : rollScheduleOf(rolls);
}

/** The config's words for what rolls wait for. */
export function describeSchedule({ rolls: { batch, quietWindow } }: Environment): string {
  return [
    ...(batch === undefined ? [] : [`others within ${batch}`]),
    ...(quietWindow === undefined ? [] : [`the quiet window from ${quietWindow.from} to ${quietWindow.to} UTC`]),
  ].join(" and ");
}

/**
 * When the Republisher rolls a Deployment, at the soonest, for a change that it sees by now.
 *
 * @param annotations of the Deployment, which say since when another change waits
 */
export function nextRoll(
  schedule: RollSchedule,
  annotations: Readonly<Record<string, string>> | undefined,
  now = new Date(),
): Date {
  const written = annotations?.[rollPendingAnnotation];
  if (written === rollNow) return now;
  const time = rollTime(schedule, sinceIn(written) ?? now);
  return time > now ? time : rollTime({ ...schedule, batch: Duration.seconds(0) }, now);
}

/** A roll that waits for its time. */
export interface PendingRoll {
  /** When the Republisher saw the first change for it. */
  readonly since: Date;
  /** When it rolls, at the soonest. */
  readonly at: Date;
}

/** The roll of Aidbox that waits; none where none does. */
export async function readPendingRoll({ api, environment, permitted }: Session): Promise<PendingRoll | undefined> {
  const { namespaces, aidbox, rolls, table } = environment;
  const schedule = rollScheduleOf(rolls);
  if (schedule === undefined || table.synced.length === 0) return undefined;
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const reference = { namespace: namespaces.aidbox, name: aidbox.name };
  const annotations = (await permitted(api.find(apps.readNamespacedDeployment(reference))))?.metadata?.annotations;
  const since = sinceIn(annotations?.[rollPendingAnnotation]);
  return since === undefined ? undefined : { since, at: nextRoll(schedule, annotations) };
}

function sinceIn(written = ""): Date | undefined {
  return /^[1-9]\d{0,9}$/.test(written) ? new Date(Number(written) * 1000) : undefined;
}

/** Has the Republisher roll Aidbox in its next round, whatever the schedule. */
export async function rollAtOnce({ api, environment, permitted }: Session): Promise<void> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { namespaces, aidbox } = environment;
  const body = { metadata: { annotations: { [rollPendingAnnotation]: rollNow } } };
  await permitted(
    apps.patchNamespacedDeployment(
      { namespace: namespaces.aidbox, name: aidbox.name, body },
      api.client.setHeaderOptions("Content-Type", api.client.PatchStrategy.MergePatch),
    ),
  );
}
