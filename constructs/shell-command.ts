/** A command line that a POSIX shell splits into just these words; for commands that people copy. */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
