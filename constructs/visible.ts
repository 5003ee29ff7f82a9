/** Longest text that one field may bring, in characters: more of it would push all else off the terminal. */
const longest = 2000;

/** What steers a terminal, or changes the order or the lines in which it shows text: control and format characters. */
const steering = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A text from elsewhere, on one line and cut to 2,000 characters, in which nothing steers a terminal: such characters stand
 * there as `\u{1b}`, and line breaks as `\n`.
 */
export function visible(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return cut.replaceAll(steering, escapeOf);
}

/** The same for a text of several lines, whose line breaks and tabs stay; it is not cut. */
export function visibleLines(text: string): string {
  return text.replaceAll(steering, (character) => (/[\n\t]/.test(character) ? character : escapeOf(character)));
}

/** A value of objects, arrays and texts, with every text made visible. */
export function visibleIn<T>(value: T): T {
  if (typeof value === "string") return visible(value) as T;
  if (Array.isArray(value)) return value.map(visibleIn) as T;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [visible(key), visibleIn(each)])) as T;
}

/** JSON of the same data, in which nothing steers a terminal either: JSON itself leaves the C1 and format characters. */
export function visibleJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent);
  return json.replaceAll(steering, (character) => {
    if (character === "\n") return character; // of the layout: within a text JSON has escaped it
    return Array.from({ length: character.length }, (_, index) => `\\u${hex(character.charCodeAt(index), 4)}`).join("");
  });
}

function escapeOf(character: string): string {
  return character === "\n" ? String.raw`\n` : `\\u{${hex(character.codePointAt(0) ?? 0)}}`;
}

function hex(code: number, digits = 1): string {
  return code.toString(16).padStart(digits, "0");
}
