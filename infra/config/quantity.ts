/** The mebibytes of a size in Mi or Gi, as `2Gi`; undefined where it is no such size. */
export function mebibytes(size: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Mi|Gi)$/.exec(size);
  return match === null ? undefined : Number(match[1]) * (match[2] === "Gi" ? 1024 : 1);
}
