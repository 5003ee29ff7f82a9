import { createHash } from "node:crypto";

/** Any table's token in a text, or digits that may hold a number's: other digits of the text may stand right beside it. */
const tokenOrDigits = /\$\{output:([0-9a-f]{16}):(\d+)\}|\d{16,}/g;

/** Digits of a number's token, which are always as many. */
const digitsOfNumber = 16;

/** What is calculated with the size of most: between units of time, of bytes and of CPU, and halves. */
const usualFactors = [1, 2, 10, 24, 60, 100, 1000, 1024, 3600, 60_000, 86_400, 1024 ** 2, 3_600_000, 1024 ** 3];

/** The end of a text that was cut within a token's mark, or behind it. */
const cutToken = /\$\{output:([0-9a-f]{1,16})(?::\d*)?$/;

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

  /** Index of a number that is a token; "changed" where it was one before somebody calculated with it by a usual unit. */
  public indexOf(value: number): number | "changed" | undefined {
    if (this.isMarked(value)) {
      const rest = (value - least) % markUnit;
      const index = Math.floor(rest / indexUnit);
      return rest % indexUnit === this.checkOf(index) ? index : "changed";
    }
    const size = Math.abs(value);
    const isChanged = usualFactors.some((factor) => this.isMarked(size * factor) || this.isMarked(size / factor));
    return isChanged ? "changed" : undefined;
  }

  /** The tokens in a text, in their order. */
  public find(text: string): FoundToken[] {
    return [...text.matchAll(tokenOrDigits)].flatMap((match): FoundToken[] => {
      const [found, mark, index] = match;
      if (mark === undefined) return this.findNumbers(found, match.index);
      const end = match.index + found.length;
      return [{ start: match.index, end, index: mark === this.mark ? Number(index) : undefined, isNumber: false }];
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
    const cutMark = cutToken.exec(others)?.[1];
    return (
      this.traces.test(others) ||
      (cutMark !== undefined && this.mark.startsWith(cutMark)) ||
      [...others.matchAll(/\d{6,}(\.\d+)?/g)].some(([number]) => this.indexOf(Number(number)) === "changed")
    );
  }

  /** The tokens in a row of digits that begins at a place. */
  private findNumbers(digits: string, from: number): FoundToken[] {
    const found: FoundToken[] = [];
    for (let at = 0; at + digitsOfNumber <= digits.length;) {
      const index = this.indexOf(Number(digits.slice(at, at + digitsOfNumber)));
      if (typeof index === "number") {
        found.push({ start: from + at, end: from + at + digitsOfNumber, index, isNumber: true });
      }
      at += typeof index === "number" ? digitsOfNumber : 1;
    }
    return found;
  }

  private isMarked(value: number): boolean {
    return Math.floor((value - least) / markUnit) === this.numberMark;
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
