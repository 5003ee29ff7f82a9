import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** What is left in a string where an Output was turned into one without a token (the SDK's own words for it). */
const castOutput = /Calling \[to(String|JSON)\] on an \[Output<T>\]/;
const token = /\$\{output:([0-9a-f]{16}):(\d+)\}/g;

/** Plain JSON in which any leaf may be an Output. */
export type Resolved =
  | string
  | number
  | boolean
  | null
  | undefined
  | pulumi.Output<string>
  | readonly Resolved[]
  | { readonly [key: string]: Resolved };

/** Stands strings in for Outputs where a construct takes a string, and puts the Outputs back afterwards. */
export class OutputTokens {
  private readonly outputs: pulumi.Output<string>[] = [];
  /** Tells these tokens from another table's, and from text that happens to look like one. */
  private readonly mark = randomBytes(8).toString("hex");

  /**
   * A string to hand to a construct in the Output's place: as a whole value, or inside a larger string. Inside JSON or
   * YAML text the value is put in as it is, not escaped.
   */
  public string(value: pulumi.Input<string>): string {
    if (typeof value === "string") return value;
    this.outputs.push(pulumi.output(value));
    return `\${output:${this.mark}:${this.outputs.length - 1}}`;
  }

  /**
   * The manifest with its Outputs back in place.
   *
   * @param path the construct's path, for errors
   * @throws Error where an Output was cast into a string, or a token stands where no Output can (a key, another table)
   */
  public resolve(manifest: unknown, path: string): Resolved {
    return this.resolveAt(manifest, path, []);
  }

  private resolveAt(value: unknown, path: string, keys: readonly (string | number)[]): Resolved {
    const refuse = (what: string): Error => refusal(path, keys, what);
    if (pulumi.Output.isInstance(value)) throw refuse("holds a raw Output");
    if (typeof value === "string") {
      if (castOutput.test(value)) throw refuse("holds an Output that was turned into a string");
      return this.resolveString(value, refuse);
    }
    if (Array.isArray(value)) return value.map((item, index) => this.resolveAt(item, path, [...keys, index]));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          if (containsToken(key)) throw refuse("has a key made from an Output");
          return [key, this.resolveAt(item, path, [...keys, key])];
        }),
      );
    }
    return value as number | boolean | null | undefined;
  }

  private resolveString(text: string, refuse: (what: string) => Error): string | pulumi.Output<string> {
    const found = [...text.matchAll(token)];
    if (found.length === 0) return text;
    const outputs = found.map((match) => {
      const output = match[1] === this.mark ? this.outputs[Number(match[2])] : undefined;
      if (output === undefined) throw refuse("holds a token of another chart's OutputTokens");
      return output;
    });
    const [only] = outputs;
    if (only !== undefined && found[0]![0] === text) return only;
    return pulumi.all(outputs).apply((values) => {
      let next = 0;
      return text.replace(token, () => values[next++]!);
    });
  }
}

/** The error for an Output that stands where it cannot be brought back. */
export function refusal(path: string, keys: readonly (string | number)[], what: string): Error {
  return new Error(
    `${path}: ${keys.join(".")} ${what}; pass the Output through the string() of this chart's OutputTokens`,
  );
}

/** Whether a text, such as a construct's id, holds a token or an Output cast into a string. */
export function containsToken(text: string): boolean {
  return text.search(token) >= 0 || castOutput.test(text);
}
