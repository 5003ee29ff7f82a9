import type { Duration, Size } from "cdk8s";

/** Size of a volume, as `Size.gibibytes(10)`; its text is what Kubernetes gets. */
export type VolumeSize = Pick<Size, "asString">;

/** A duration as Go and Prometheus write it, in the unit in which it was said: `90s`, `2m`. */
export function durationText(duration: Duration): string {
  const inUnit: Readonly<Record<string, () => string>> = {
    minutes: () => `${duration.toMinutes()}m`,
    hours: () => `${duration.toHours()}h`,
  };
  return inUnit[duration.unitLabel()]?.() ?? `${duration.toSeconds()}s`;
}
