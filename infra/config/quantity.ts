/** The mebibytes of a size in Mi or Gi, as `2Gi`; undefined where it is no such size. */
export function mebibytes(size: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Mi|Gi)$/.exec(size);
  return match === null ? undefined : Number(match[1]) * (match[2] === "Gi" ? 1024 : 1);
}

/** The seconds of a duration in s, m, h or d, as `90s`. */
export function seconds(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)] ?? 1;
  return Number(duration.slice(0, -1)) * unit;
}
