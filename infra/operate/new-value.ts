import { randomInt } from "node:crypto";
import { InvalidRequestError } from "./errors";

/** Alphabets of generated values, by name. */
export const alphabets = {
  /** 64 letters: 6 bits each. */
  base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  /** 62 letters: 5.95 bits each. */
  alphanumeric: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  /** 16 letters: 4 bits each. */
  hex: "0123456789abcdef",
  /** 10 letters: 3.3 bits each. */
  digits: "0123456789",
} as const;

/** Name of an alphabet. */
export type Alphabet = keyof typeof alphabets;

/** Half of what Vault's integrated storage takes as one entry (`max_entry_size`, 1 MiB), which other keys share. */
export const largestValueBytes = 512 * 1024;

/** Length below which a generated value could be guessed. */
const leastLength = 12;

/**
 * A random value.
 *
 * @throws InvalidRequestError where the length is less than 12 or too large, or there is no such alphabet
 */
export function generateValue(length: number, alphabet: Alphabet): string {
  if (!Number.isInteger(length) || length < leastLength || length > largestValueBytes) {
    throw new InvalidRequestError(
      `a generated value cannot have length ${length}: write ${leastLength} to ${largestValueBytes}`,
    );
  }
  if (!(alphabet in alphabets)) {
    throw new InvalidRequestError(`there is no alphabet ${alphabet}: write ${Object.keys(alphabets).join(" or ")}`);
  }
  const letters = alphabets[alphabet];
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}

/**
 * Reads a value to the end of a stream. One line break at the end is left out, as `echo` and editors add one.
 *
 * @throws InvalidRequestError where it is empty, too large or no UTF-8 text
 */
export async function readValue(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > largestValueBytes + 2) break; // a line break may follow the largest
  }
  const bytes = Buffer.concat(chunks);
  const value = bytes.toString("utf8").replace(/\r?\n$/, "");
  if (Buffer.byteLength(value) > largestValueBytes) {
    throw new InvalidRequestError(
      `the new value is larger than ${largestValueBytes / 1024} KiB, the most there can be`,
    );
  }
  if (value === "") throw new InvalidRequestError("the new value is empty: give one, or let --generate make it");
  if (!Buffer.from(bytes.toString("utf8")).equals(bytes) || value.includes("\0")) {
    throw new InvalidRequestError("the new value is no UTF-8 text: encode it, as with base64");
  }
  return value;
}
