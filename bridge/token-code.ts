import { createHash } from "node:crypto";

/** Any table's token in a text, or a number of 16 digits that may be one. */
const tokenOrNumber = /\$\{output:([0-9a-f]{16}):(\d+)\}|(?<!\d)\d{16}(?!\d)/g;

/** The end of a text that was cut within a token. */
const cutToken = /\$\{output:[0-9a-f]{0,16}(:\d*)?$/;

const least = 2 ** 52;
const markUnit = 2 ** 28;
const indexUnit = 2 ** 12;
const mostTokens = markUnit / indexUnit;

/** A token in a text, or what looks like one and is not. */
export interface FoundToken {
  readonly start: number;
  readonly end: number;
  /** Its place in the table; undefined where it is another table's. */
  readonly index: number | undefined;
  /** Whether it is a number's. */
  readonly isNumber: boolean;
}

/**
 * How the tokens of one table are written, and known again. They are the same at every run, since a text with a token in it
 * may be hashed, as for an annotation.
 */
export class TokenCode {
  /** Tells these tokens from another table's, and from text that happens to look like one. */
  private readonly mark: string;
  private readonly numberMark: number;
  private readonly traces: RegExp;

  /** @param name of the table, which no other of the program has */
  public constructor(name: string) {
    this.mark = hash(name).slice(0, 16);
    this.numberMark = parseInt(this.mark.slice(0, 6), 16);
    this.traces = new RegExp([...hexTraces(this.mark), ...base64Traces(this.text(0))].join("|"), "i");
  }

  public text(index: number): string {
    return `\${output:${this.mark}:${index}}`;
  }

  /**
   * An integer that says the index, so large that no manifest has its like, with a check that arithmetic breaks.
   *
   * @throws Error beyond 65,536 tokens
   */
  public number(index: number): number {
    if (index >= mostTokens) throw new Error(`more than ${mostTokens} tokens: deploy the chart as several`);
    return least + this.numberMark * markUnit + index * indexUnit + this.checkOf(index);
  }

  /** Index of a number that is a token; "changed" where it was one before somebody calculated with it. */
  public indexOf(value: number): number | "changed" | undefined {
    if (!(value >= least && value < 2 * least)) return undefined;
    const rest = value - least;
    if (Math.floor(rest / markUnit) !== this.numberMark) return undefined;
    const index = Math.floor((rest % markUnit) / indexUnit);
    return rest % indexUnit === this.checkOf(index) ? index : "changed";
  }

  /** The tokens in a text, in their order. */
  public find(text: string): FoundToken[] {
    return [...text.matchAll(tokenOrNumber)].flatMap((match): FoundToken[] => {
      const [found, mark, index] = match;
      const place = { start: match.index, end: match.index + found.length };
      if (mark !== undefined) {
        return [{ ...place, index: mark === this.mark ? Number(index) : undefined, isNumber: false }];
      }
      const known = this.indexOf(Number(found));
      return typeof known === "number" ? [{ ...place, index: known, isNumber: true }] : [];
    });
  }

  /** Whether a text holds what is left of a token that was cut, recased, encoded or calculated with. A hash hides it. */
  public holdsChanged(text: string): boolean {
    let others = "";
    let at = 0;
    for (const { start, end } of this.find(text)) {
      others += `${text.slice(at, start)} `;
      at = end;
    }
    others += text.slice(at);
    const numbers = others.match(/(?<!\d)\d{16}(?!\d)/g) ?? [];
    return (
      this.traces.test(others) ||
      cutToken.test(others) ||
      numbers.some((digits) => this.indexOf(Number(digits)) === "changed")
    );
  }

  private checkOf(index: number): number {
    return parseInt(hash(`${this.mark}:${index}`).slice(0, 3), 16);
  }
}

/** Whether a text holds a token of any table. */
export function holdsToken(text: string): boolean {
  return /\$\{output:[0-9a-f]{16}:\d+\}/.test(text);
}

/** Eight digits of the mark in a row, and the mark's own bytes as hexadecimal digits. */
function hexTraces(mark: string): string[] {
  const parts = Array.from({ length: mark.length - 7 }, (_, start) => mark.slice(start, start + 8));
  return [...parts, Buffer.from(mark).toString("hex")];
}

/** Twelve characters in a row of the token in base64, some of the mark's among them, wherever in a group of three bytes it begins. */
function base64Traces(token: string): string[] {
  return [0, 1, 2].flatMap((lead) => {
    const encoded = Buffer.from("\0".repeat(lead) + token.slice(0, 26)).toString("base64");
    const own = encoded.slice(lead + (lead > 0 ? 1 : 0)).replace(/.{0,2}=*$/, "");
    return Array.from({ length: own.length - 15 }, (_, start) =>
      own.slice(start + 4, start + 16).replace(/[+/]/g, "."),
    );
  });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
