/** Text that is put in after the synthesis, as an Output by the bridge: its form is not known yet. */
export function isPlaceholder(text: string): boolean {
  return text.includes("${");
}

/** The same of a number, which is larger than any that a manifest holds. */
export function isNumberPlaceholder(value: number): boolean {
  return value >= 2 ** 52;
}
