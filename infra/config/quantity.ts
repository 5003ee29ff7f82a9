import { Duration } from "cdk8s";
import type { VolumeSize } from "../../constructs/quantities";

const binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimal = ["k", "M", "G", "T", "P", "E"];

/** The bytes of a size as Kubernetes takes it: `2Gi`, `500M`, `4e9`, a number; undefined where it is no such size. */
function bytes(size: string): number | undefined {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)([KMGTPE]i|[kMGTPE]|[eE]\d{1,2})?$/.exec(size) ?? [];
  if (count === undefined) return undefined;
  if (/^[eE]\d/.test(unit)) return Number(`${count}${unit}`);
  const powers = [1024 ** (binary.indexOf(unit) + 1), 1000 ** (decimal.indexOf(unit) + 1)];
  return Number(count) * Math.max(...powers);
}

/**
 * The mebibytes of a size as Kubernetes takes it, as `2Gi`; a part of one counts as a whole, as cdk8s knows no parts.
 *
 * @returns undefined where it is no such size
 */
export function mebibytes(size: string): number | undefined {
  const known = bytes(size);
  return known === undefined ? undefined : Math.ceil(known / 1024 ** 2);
}

/** Whether a text is a size of a mebibyte or more; what is less is a slip, as `4` in the place of `4Gi`. */
export function isSize(size: string): boolean {
  return (bytes(size) ?? 0) >= 1024 ** 2;
}

/** The thousandth parts of a CPU, of `500m`, `2` or `0.5`; undefined where it is no whole number of them above 0. */
export function millicores(cpu: string): number | undefined {
  const [, count, unit] = /^(\d+(?:\.\d{1,3})?)(m)?$/.exec(cpu) ?? [];
  if (count === undefined) return undefined;
  const known = unit === "m" ? Number(count) : Math.round(Number(count) * 1000);
  return Number.isInteger(known) && known > 0 ? known : undefined;
}

/** A size as the config has it, which Kubernetes gets as it stands: cdk8s' own has no `500M` and no `1.5Gi`. */
export class WrittenSize implements VolumeSize {
  public constructor(private readonly text: string) {}

  public asString(): string {
    return this.text;
  }
}

/** A duration in s, m, h or d, in its own unit. */
export function durationOf(text: string): Duration {
  const amount = Number(text.slice(0, -1));
  const makers: Readonly<Record<string, (amount: number) => Duration>> = {
    m: Duration.minutes.bind(Duration),
    h: Duration.hours.bind(Duration),
    d: Duration.days.bind(Duration),
  };
  return (makers[text.slice(-1)] ?? Duration.seconds.bind(Duration))(amount);
}

/** The seconds of a duration in s, m, h or d, as `90s`. */
export function seconds(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)] ?? 1;
  return Number(duration.slice(0, -1)) * unit;
}
