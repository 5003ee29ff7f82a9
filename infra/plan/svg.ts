/** Text in a picture: its size in pixels, and whether each letter has one width. */
export interface Font {
  readonly name: "title" | "label" | "name" | "small" | "note";
  readonly size: number;
  /** Greatest mean width of a letter, as a part of the size, among the fonts of the families below. */
  readonly advance: number;
}

/**
 * What the config names stands in fonts of one width, the widest of which is SF Mono with 0.62; the others are for words of our
 * own, of which DejaVu Sans and Verdana are the widest.
 */
export const fonts = {
  title: { name: "title", size: 14, advance: 0.74 },
  label: { name: "label", size: 13, advance: 0.62 },
  name: { name: "name", size: 13, advance: 0.62 },
  small: { name: "small", size: 11, advance: 0.62 },
  note: { name: "note", size: 12, advance: 0.66 },
} as const satisfies Record<string, Font>;

/** Width of a text in pixels, or somewhat more. */
export function widthOf(text: string, { size, advance }: Font): number {
  return Array.from(text).reduce((width, letter) => width + (isWide(letter) ? 1.1 : advance), 0) * size;
}

/** Letters of Chinese, Japanese and Korean, and signs that are as wide. */
function isWide(letter: string): boolean {
  const code = letter.codePointAt(0)!;
  return code >= 0x1100 && !(code >= 0x2000 && code < 0x2e80);
}

/** A text that fits into a width: one that is too long is cut in its middle, since ends tell names apart. */
export function fit(text: string, font: Font, width: number): string {
  if (widthOf(text, font) <= width) return text;
  const letters = Array.from(text);
  const cut = (kept: number): string => {
    const head = Math.ceil(kept / 2);
    return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (kept - head)).join("")}`;
  };
  let kept = Math.min(letters.length - 1, Math.floor(width / (font.size * font.advance)));
  while (kept > 1 && widthOf(cut(kept), font) > width) kept--;
  return cut(kept);
}

/** Text as XML or HTML has it, also between quotes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

/** One line of text, whole in a tooltip where it had to be cut. */
export function line(text: string, font: Font, x: number, y: number, width: number, more = ""): string {
  const shown = fit(text, font, width);
  const tooltip = shown === text ? "" : `<title>${escapeXml(text)}</title>`;
  return `<text class="${[font.name, more].filter(Boolean).join(" ")}" x="${x}" y="${y}">${tooltip}${escapeXml(shown)}</text>`;
}

/** A box with round corners. */
export function box(kind: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
}
