import type { TextRule } from "../../secrets/problem";

const part = String.raw`(?!\.{1,2}(?:/|$))[\w.@:,=~-](?:[\w.@:,=~ -]*[\w.@:,=~-])?`;

/**
 * A mount, or a path below one, without slashes around it. What it leaves out would mean something else in a policy (`*`, `+`,
 * `{`, `"`), in a URL (`?`, `#`, `%`) or to a person. A leading dash would make an option of it, in the commands that are printed.
 */
export const pathSyntax = new RegExp(`^(?!-)${part}(?:/${part})*$`);

/** What to write in its place, in the middle of a sentence. */
export const pathCharacters = "letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside";

/** @param example of a mount */
export const mountRule = (example: string): TextRule => ({
  accepts: pathSyntax,
  fix: `write the mount's path without slashes around it, as ${example}: ${pathCharacters}`,
});

/** A key of a secret, as Vault's command line takes one: it would read `-x` as an option, `@x` as a file, and end it at `=`. */
export const keyRule: TextRule = {
  accepts: /^(?![-@\s])[^=\p{C}]+(?<!\s)$/u,
  fix: "write a key without '=', '-' or '@' at its start, line breaks and spaces around it",
};
