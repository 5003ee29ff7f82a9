/** A time span in words, in the largest unit of which it has two or more, as `49 h`. */
export function inWords(seconds: number): string {
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ] as const;
  const [size, unit] = units.find(([each]) => seconds >= 2 * each) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}
