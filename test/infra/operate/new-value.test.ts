import { InvalidRequestError } from "../../../infra/operate/errors";
import {
  type Alphabet,
  alphabets,
  generateValue,
  largestValueBytes,
  readValue,
} from "../../../infra/operate/new-value";
import { errorOf } from "../../mocks";

describe("generateValue", () => {
  test.each<[Alphabet, accepts: RegExp]>([
    ["base64url", /^[A-Za-z0-9_-]{4000}$/],
    ["alphanumeric", /^[A-Za-z0-9]{4000}$/],
    ["hex", /^[0-9a-f]{4000}$/],
    ["digits", /^[0-9]{4000}$/],
  ])("of %s has the length and all letters of its alphabet, and no others", (alphabet, accepts) => {
    const value = generateValue(4000, alphabet);
    expect(value).toMatch(accepts);
    // That one of 64 letters lacks in 4000 draws happens once in 10^25 runs.
    expect([...new Set(value)].sort()).toEqual(Array.from(alphabets[alphabet]).sort());
  });

  test("no letter is twice in an alphabet, which would make it more likely", () => {
    for (const letters of Object.values(alphabets)) expect(new Set(letters).size).toBe(letters.length);
  });

  test("two values differ", () => {
    expect(generateValue(32, "base64url")).not.toBe(generateValue(32, "base64url"));
  });

  test("of another alphabet says which there are", () => {
    expect(() => generateValue(32, "base32" as never)).toThrow(
      new InvalidRequestError("there is no alphabet base32: write base64url or alphanumeric or hex or digits"),
    );
  });

  test.each([12, 13, largestValueBytes])("takes the length %d", (length) => {
    expect(generateValue(length, "hex")).toHaveLength(length);
  });

  test.each([0, 1, 11, largestValueBytes + 1, 12.5, -12, Infinity, NaN])("refuses the length %d", (length) => {
    expect(() => generateValue(length, "hex")).toThrow(
      new InvalidRequestError(`a generated value cannot have length ${length}: write 12 to 524288`),
    );
  });
});

/** A stream of these chunks. */
async function* streamOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

/** A stream of so many bytes, in chunks of 64 KiB as a pipe has them. */
function* bytes(count: number, end = ""): Generator<string> {
  for (let left = count; left > 0; left -= 65_536) yield "x".repeat(Math.min(left, 65_536));
  yield end;
}

const euro = Buffer.from("€"); // three bytes

describe("readValue", () => {
  test.each<[what: string, chunks: readonly (string | Uint8Array)[], expected: string]>([
    ["a value without a line break", ["hunter2"], "hunter2"],
    ["a value with one at its end, which is left out", ["hunter2\n"], "hunter2"],
    ["a value with that of Windows at its end", ["hunter2\r\n"], "hunter2"],
    ["a value with two at its end, of which one stays", ["hunter2\n\n"], "hunter2\n"],
    ["a value with two of Windows at its end", ["hunter2\r\n\r\n"], "hunter2\r\n"],
    ["a value with a lone carriage return at its end, which stays", ["hunter2\r"], "hunter2\r"],
    ["a value with line breaks within, as a PEM block", ["-----BEGIN\nx\n-----END\n"], "-----BEGIN\nx\n-----END"],
    ["a value with white space around it, which stays", ["  hunter2 \t\n"], "  hunter2 \t"],
    ["a value in many chunks", ["hun", "", "ter", "2\n"], "hunter2"],
    ["a line break cut in two", ["hunter2\r", "\n"], "hunter2"],
    ["a character cut in three", [euro.subarray(0, 1), euro.subarray(1, 2), euro.subarray(2), "\n"], "€"],
    ["a byte order mark, which is text", ["\ufeffhunter2"], "\ufeffhunter2"],
    ["a character outside of the first plane", ["🔑"], "🔑"],
  ])("takes %s", async (_, chunks, expected) => {
    expect(await readValue(streamOf(...chunks))).toBe(expected);
  });

  test("takes the largest value", async () => {
    expect(await readValue(streamOf(...bytes(largestValueBytes)))).toHaveLength(largestValueBytes);
  });

  test.each([["\n"], ["\r\n"]])("takes the largest value with %j at its end", async (end) => {
    expect(await readValue(streamOf(...bytes(largestValueBytes, end)))).toHaveLength(largestValueBytes);
  });

  test("measures bytes, not characters", async () => {
    const text = "€".repeat(Math.floor(largestValueBytes / 3));
    expect(await readValue(streamOf(text))).toBe(text);
    expect((await errorOf(readValue(streamOf(text, "€")))).message).toContain("larger than 512 KiB");
  });

  const empty = "the new value is empty: give one, or let --generate make it";
  const noText = "the new value is no UTF-8 text: encode it, as with base64";
  const tooLarge = "the new value is larger than 512 KiB, the most there can be";

  test.each<[what: string, chunks: readonly (string | Uint8Array)[], message: string]>([
    ["nothing", [], empty],
    ["an empty chunk", [""], empty],
    ["a lone line break", ["\n"], empty],
    ["a lone line break of Windows", ["\r", "\n"], empty],
    ["NUL alone", ["\0"], noText],
    ["NUL within", ["hunter\x002"], noText],
    ["a byte that UTF-8 has not", [Uint8Array.of(0x68, 0xff)], noText],
    ["a character that breaks off", ["hunter", euro.subarray(0, 2)], noText],
    ["text in UTF-16", [Buffer.from("hunter2", "utf16le")], noText],
    ["text in Latin-1", [Buffer.from("größe", "latin1")], noText],
    ["one byte too many", [...bytes(largestValueBytes + 1)], tooLarge],
    ["far too many bytes", [...bytes(3 * largestValueBytes)], tooLarge],
    ["too many bytes that are no text", [...bytes(largestValueBytes), Uint8Array.of(0xff)], tooLarge],
  ])("refuses %s", async (_, chunks, message) => {
    const error = await errorOf(readValue(streamOf(...chunks)));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(message);
  });

  test("refuses far too many bytes in one chunk for their number", async () => {
    expect((await errorOf(readValue(streamOf("x".repeat(600_000))))).message).toBe(tooLarge);
  });

  test("does not read what is too large to its end", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; given < 1000; given++) yield await Promise.resolve(Buffer.alloc(65_536, "x"));
    }
    expect((await errorOf(readValue(endless()))).message).toBe(tooLarge);
    expect(given).toBeLessThan(10);
  });

  test("repeats no value in its errors", async () => {
    for (const chunks of [["hunter2\0"], ["hunter2", Uint8Array.of(0xff)], ["hunter2", ...bytes(largestValueBytes)]]) {
      expect((await errorOf(readValue(streamOf(...chunks)))).message).not.toContain("hunter2");
    }
  });

  test("fails as the stream does", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from("hunter2"));
      throw new Error("EBADF: bad file descriptor, read");
    }
    await expect(readValue(failing())).rejects.toThrow("EBADF: bad file descriptor, read");
  });
});
