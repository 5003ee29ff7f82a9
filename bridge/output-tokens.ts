import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { type FoundToken, holdsToken, TokenCode } from "./token-code";

/** What is left in a string where an Output was turned into one without a token (the SDK's own words for it). */
const castOutput = /Calling \[to(String|JSON)\] on an \[Output<T>\]/;

/** Plain JSON in which any value may be an Output. */
export type Resolved =
  | string
  | number
  | boolean
  | null
  | undefined
  | pulumi.Output<unknown>
  | readonly Resolved[]
  | { readonly [key: string]: Resolved };

type Kind = "text" | "number" | "json";

/** An Output that a token stands for. */
interface Entry {
  readonly kind: Kind;
  readonly output: pulumi.Output<unknown>;
}

/** Stands plain values in for Outputs where a construct takes those, and puts the Outputs back afterwards. */
export class OutputTokens {
  private readonly entries: Entry[] = [];
  private readonly code: TokenCode;

  /** @param name of the table, which no other of the program has; the same tokens are made of it at every run */
  public constructor(name: string) {
    this.code = new TokenCode(name);
  }

  /**
   * A string to hand to a construct in the Output's place: as a whole value, or inside a larger string. Inside JSON or
   * YAML text the value is put in as it is, not escaped.
   */
  public string(value: pulumi.Input<string>): string {
    return typeof value === "string" ? value : this.code.text(this.add("text", value));
  }

  /**
   * A number to hand to a construct in the Output's place: as a whole value, or inside a string. It is an integer far beyond
   * any port or count, so a construct that checks a range refuses it; a sum or product of it is refused here.
   */
  public number(value: pulumi.Input<number>): number {
    return typeof value === "number" ? value : this.code.number(this.add("number", value));
  }

  /**
   * Anything that JSON has, to hand on whole in the Output's place: a list, an object, true or false. It is a string until
   * the chart is deployed, so a construct that looks into it sees no content. Inside a string it becomes JSON text.
   */
  public json<T>(value: pulumi.Input<T>): T {
    return this.code.text(this.add("json", value)) as T;
  }

  /**
   * A string for an annotation that is to change with a value, as `checksum/config`: SHA-256 in hexadecimal digits. A hash
   * that a chart makes itself of a text with a token is the token's, which stays the same when the value changes.
   */
  public checksum(value: pulumi.Input<unknown>): string {
    const hash = (known: unknown): string => createHash("sha256").update(asText(known)).digest("hex");
    return this.string(outputOf(value).apply(hash));
  }

  /**
   * The manifest with its Outputs back in place, in a Kubernetes Secret's `data` as base64.
   *
   * @param path the construct's path, for errors
   * @throws Error where an Output was cast into a string, a token was changed, or one stands where no Output can (a key,
   * another table)
   */
  public resolve(manifest: unknown, path: string): Resolved {
    const at = (value: unknown, keys: readonly (string | number)[]): Resolved => {
      const refuse = (what: string): Error => refusal(path, keys, what);
      if (pulumi.Output.isInstance(value)) throw refuse("holds a raw Output");
      if (typeof value === "string") {
        const encoded = keys.length === 2 && keys[0] === "data" && isSecret(manifest);
        return encoded ? this.resolveBase64(value, refuse) : this.resolveText(value, refuse);
      }
      if (typeof value === "number") return this.resolveNumber(value, refuse);
      if (Array.isArray(value)) return value.map((item, index) => at(item, [...keys, index]));
      if (typeof value === "object" && value !== null) {
        return Object.fromEntries(
          Object.entries(value).map(([key, item]) => {
            if (this.isMadeFromOutput(key)) throw refuse("has a key made from an Output");
            return [key, at(item, [...keys, key])];
          }),
        );
      }
      return value as boolean | null | undefined;
    };
    return at(manifest, []);
  }

  /** Whether a text, such as a construct's id, was made from an Output: by a token, changed or not, or by a cast. */
  public isMadeFromOutput(text: string): boolean {
    return holdsToken(text) || castOutput.test(text) || this.code.find(text).length > 0 || this.code.holdsChanged(text);
  }

  private add(kind: Kind, value: pulumi.Input<unknown>): number {
    return this.entries.push({ kind, output: outputOf(value) }) - 1;
  }

  private resolveNumber(value: number, refuse: Refuse): number | pulumi.Output<unknown> {
    if (!Number.isFinite(value)) throw refuse(`is ${value}, as a calculation with an Output or its token gives it`);
    const index = this.code.indexOf(value);
    const isBeyondIntegers =
      Math.abs(value) > Number.MAX_SAFE_INTEGER && this.entries.some(({ kind }) => kind === "number");
    if (isBeyondIntegers) throw refuse("was calculated from a token");
    if (index === undefined) return value;
    const entry = index === "changed" ? undefined : this.entries[index];
    if (entry === undefined) throw refuse("was calculated from a token");
    return checked(entry, refuse);
  }

  private resolveText(text: string, refuse: Refuse): string | pulumi.Output<unknown> {
    if (castOutput.test(text)) throw refuse("holds an Output that was turned into a string");
    if (this.code.holdsChanged(text)) throw refuse("holds a token that was changed: cut, encoded or in other letters");
    const found = this.code.find(text);
    if (found.length === 0) return text;
    const entries = found.map(({ index }) => {
      const entry = index === undefined ? undefined : this.entries[index];
      if (entry === undefined) throw refuse("holds a token of another chart's OutputTokens");
      return entry;
    });
    const outputs = entries.map((entry) => checked(entry, refuse));
    const [first] = found;
    const isWhole = first!.start === 0 && first!.end === text.length && !first!.isNumber;
    return isWhole ? outputs[0]! : pulumi.all(outputs).apply((values) => putIn(text, found, values));
  }

  /** A Secret's `data` is base64 of what a construct was given, which may be a token. */
  private resolveBase64(text: string, refuse: Refuse): string | pulumi.Output<unknown> {
    const decoded = Buffer.from(text, "base64").toString("utf8");
    if (toBase64(decoded) !== text || this.code.find(decoded).length === 0) return this.resolveText(text, refuse);
    const resolved = this.resolveText(decoded, refuse);
    return outputOf(resolved).apply((value) => toBase64(asText(value)));
  }
}

type Refuse = (what: string) => Error;

function outputOf(value: pulumi.Input<unknown>): pulumi.Output<unknown> {
  return pulumi.output(value) as pulumi.Output<unknown>;
}

/** The Output, which fails where it brings another type than that which its token stands for. */
function checked({ kind, output }: Entry, refuse: Refuse): pulumi.Output<unknown> {
  if (kind === "json") return output;
  const type = kind === "text" ? "string" : "number";
  return output.apply((value) => {
    if (typeof value === type) return value;
    const what = value === null ? "null" : typeof value;
    throw refuse(`was given as ${kind === "text" ? "a string" : "a number"}, and came as ${what}`);
  });
}

function putIn(text: string, found: readonly FoundToken[], values: readonly unknown[]): string {
  let result = "";
  let at = 0;
  for (const [index, { start, end }] of found.entries()) {
    result += text.slice(at, start) + asText(values[index]);
    at = end;
  }
  return result + text.slice(at);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function isSecret(manifest: unknown): boolean {
  const { apiVersion, kind } = manifest as { readonly apiVersion?: unknown; readonly kind?: unknown };
  return apiVersion === "v1" && kind === "Secret";
}

/** The error for an Output that stands where it cannot be brought back. */
export function refusal(path: string, keys: readonly (string | number)[], what: string): Error {
  return new Error(
    `${path}: ${keys.join(".")} ${what}; pass the Output through string(), number() or json() of this chart's OutputTokens`,
  );
}
