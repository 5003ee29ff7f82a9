/** Text that is put in after the synthesis, as an Output by the bridge: its form is not known yet. */
export function isPlaceholder(text: string): boolean {
  return text.includes("${");
}
