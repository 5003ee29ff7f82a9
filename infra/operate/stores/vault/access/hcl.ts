/** A value of a policy's text. */
export type HclValue = string | number | boolean | readonly HclValue[] | HclBody;

/** What stands between two braces, in its order: a key may stand there more than once. */
export interface HclBody {
  readonly entries: readonly HclEntry[];
}

/** `path "secret/*" { … }` has two keys, `capabilities = […]` has one. */
export interface HclEntry {
  readonly keys: readonly string[];
  readonly value: HclValue;
}

/** A text that is none, or that has what no policy needs. Who cannot read a policy must not say what it allows. */
export class UnreadablePolicyError extends Error {}

const token =
  /(?<space>[\s,]+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|"(?<text>(?:[^"\\\n]|\\.)*)"|(?<sign>[{}[\]=:])|(?<word>[\w.-]+)/y;

interface Token {
  readonly kind: "text" | "sign" | "word";
  readonly text: string;
}

/**
 * Reads HCL as Vault's policies are written in it, or their JSON. Vault keeps the text that somebody wrote, so there is no other
 * way to know what it allows.
 *
 * @throws UnreadablePolicyError
 */
export function parseHcl(text: string): HclBody {
  const tokens = tokensOf(text);
  const isJson = tokens[0]?.kind === "sign" && tokens[0].text === "{";
  const reader = new Reader(isJson ? tokens.slice(1) : tokens);
  const body = reader.body(isJson);
  reader.expectEnd();
  return body;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text)?.groups;
    if (found === undefined) throw new UnreadablePolicyError(`line ${text.slice(0, at).split("\n").length}`);
    for (const kind of ["text", "sign", "word"] as const) {
      const raw = found[kind];
      if (raw !== undefined) tokens.push({ kind, text: kind === "text" ? unquote(raw) : raw });
    }
  }
  return tokens;
}

function unquote(raw: string): string {
  if (raw.includes("${")) throw new UnreadablePolicyError("an expression in a text");
  return raw.replaceAll(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(parseInt(escape.slice(1), 16));
    const plain = { n: "\n", t: "\t", r: "\r", "\\": "\\", '"': '"', "/": "/" }[escape];
    if (plain === undefined) throw new UnreadablePolicyError(`the escape \\${escape}`);
    return plain;
  });
}

class Reader {
  private at = 0;

  public constructor(private readonly tokens: readonly Token[]) {}

  /** @param isClosed whether a brace ends it, or the text does */
  public body(isClosed: boolean): HclBody {
    const entries: HclEntry[] = [];
    for (;;) {
      if (isClosed && this.take("}")) return { entries };
      if (!isClosed && this.at === this.tokens.length) return { entries };
      entries.push(this.entry());
    }
  }

  public expectEnd(): void {
    if (this.at < this.tokens.length) throw new UnreadablePolicyError(`what follows: ${this.tokens[this.at]!.text}`);
  }

  private entry(): HclEntry {
    const keys: string[] = [];
    for (;;) {
      const next = this.tokens[this.at];
      if (next === undefined) throw new UnreadablePolicyError("its end is missing");
      if (next.kind !== "sign") {
        keys.push(next.text);
        this.at++;
      } else if (keys.length > 0 && (this.take("=") || this.take(":"))) {
        return { keys, value: this.value() };
      } else if (keys.length > 0 && this.take("{")) {
        return { keys, value: this.body(true) };
      } else {
        throw new UnreadablePolicyError(`"${next.text}" in the place of a key`);
      }
    }
  }

  private value(): HclValue {
    if (this.take("{")) return this.body(true);
    if (this.take("[")) {
      const items: HclValue[] = [];
      while (!this.take("]")) items.push(this.value());
      return items;
    }
    const next = this.tokens[this.at++];
    if (next === undefined || next.kind === "sign") throw new UnreadablePolicyError("a value is missing");
    if (next.kind === "text") return next.text;
    if (next.text === "true" || next.text === "false") return next.text === "true";
    const number = Number(next.text);
    if (Number.isNaN(number)) throw new UnreadablePolicyError(`the value ${next.text}`);
    return number;
  }

  private take(sign: string): boolean {
    const next = this.tokens[this.at];
    if (next?.kind !== "sign" || next.text !== sign) return false;
    this.at++;
    return true;
  }
}
