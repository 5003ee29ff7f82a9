import { Duration } from "cdk8s";
import type { RollSchedule } from "../../constructs/kubernetes/republisher/roll-schedule";
import type { Problem } from "../../constructs/secrets";
import { seconds } from "./quantity";
import { rolls as schema } from "./rolls-schema";
import { republishes } from "./rotation-bound";
import type { EnvironmentConfig } from "./schema";

type Rolls = EnvironmentConfig["rolls"];

/** Length below which the Republisher, which looks each rotation bound, could miss a window. */
const leastWindowMinutes = 10;

/** When the config wants rolls for rotations; none where that is at once. */
export function rollScheduleOf({ batch, quietWindow }: Rolls): RollSchedule | undefined {
  if (batch === undefined && quietWindow === undefined) return undefined;
  return {
    ...(batch === undefined ? {} : { batch: Duration.seconds(seconds(batch)) }),
    ...(quietWindow === undefined
      ? {}
      : { quietWindow: { fromMinute: minuteOf(quietWindow.from), toMinute: minuteOf(quietWindow.to) } }),
  };
}

/** What is wrong with when rolls shall be. */
export function rollProblems(rolls: unknown, rotationBoundSeconds: number | undefined): Problem[] {
  const parsed = schema.safeParse(rolls ?? {}).data;
  if (parsed === undefined) return []; // the schema says what is wrong with it
  const problems: Problem[] = [];
  if (
    rollScheduleOf(parsed) !== undefined &&
    rotationBoundSeconds !== undefined &&
    !republishes({ rotationBoundSeconds })
  ) {
    const message =
      `is kept by the Republisher, which a rotationBound of ${rotationBoundSeconds}s leaves out: ` +
      "write a bound below 90s, or leave rolls out";
    problems.push({ key: "rolls", message });
  }
  const { quietWindow } = parsed;
  if (quietWindow === undefined) return problems;
  const { from, to } = quietWindow;
  const length = (minuteOf(to) - minuteOf(from) + 24 * 60) % (24 * 60);
  if (length < leastWindowMinutes) {
    const message = `from "${from}" to "${to}": is ${length} minutes: write a window of ${leastWindowMinutes} or more`;
    problems.push({ key: "rolls.quietWindow", message });
  }
  return problems;
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(":").map(Number) as [number, number];
  return hours * 60 + minutes;
}
