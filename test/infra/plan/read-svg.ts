/** A part of a drawing: a box, or a text where it begins. */
export interface Drawn {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What is between its tags, tooltips aside. */
  readonly text: string;
}

/** The parts of an SVG, in their order, once it is seen to be well-formed XML. */
export function readSvg(svg: string): readonly Drawn[] {
  const open: { name: string; drawn: { text: string } }[] = [];
  const drawn: Drawn[] = [];
  const attribute = String.raw`\s+[\w:-]+="[^"<]*"`;
  const piece = new RegExp(`<(/?)([\\w:]+)((?:${attribute})*)\\s*(/?)>|([^<]+)|(<)`, "gy");
  for (const [whole, closes, name, attributes = "", closed, content] of svg.matchAll(piece)) {
    const last = open.at(-1);
    if (content !== undefined) {
      if (/&(?!#\d+;)/.test(content)) throw new Error(`No XML: ${content}`);
      if (last !== undefined) last.drawn.text += unescape(content);
      else if (content.trim() !== "") throw new Error(`Text outside: ${content}`);
    } else if (name === undefined) {
      throw new Error(`No XML: ${whole}`);
    } else if (closes === "/") {
      if (open.pop()?.name !== name) throw new Error(`Closes what is not open: ${name}`);
    } else {
      const part = { name, attributes: readAttributes(attributes), text: "" };
      drawn.push(part);
      if (closed === "") open.push({ name, drawn: part });
    }
  }
  if (open.length > 0) throw new Error(`Left open: ${open.map(({ name }) => name).join(" ")}`);
  if (drawn[0]?.name !== "svg") throw new Error("No SVG");
  return drawn;
}

function readAttributes(text: string): Record<string, string> {
  if (/&(?!#\d+;)/.test(text)) throw new Error(`No XML: ${text}`);
  return Object.fromEntries(
    [...text.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, unescape(value!)]),
  );
}

function unescape(content: string): string {
  return content.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}
