/** What is wrong with the mode of a secret's file, with the fix; undefined where nothing is. */
export function fileModeProblem(mode: string | undefined): string | undefined {
  if (mode === undefined) return undefined;
  const readableByAll = 0o444;
  if (/^0?[0-7]{3}$/.test(mode) && (Number.parseInt(mode, 8) & readableByAll) === readableByAll) return undefined;
  return `"${mode}": files belong to root, and Aidbox is another user: write an octal mode that all may read, as 0444`;
}
