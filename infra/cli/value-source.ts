import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { InvalidRequestError } from "../operate/errors";
import { type Alphabet, generateValue, readValue } from "../operate/new-value";
import { askHidden } from "./ask";

/** Where a new value comes from. */
export interface ValueArguments {
  readonly stdin?: boolean;
  /** Number of a file descriptor. */
  readonly fd?: number;
  /** Length of a generated value. */
  readonly generate?: number;
  readonly alphabet: Alphabet;
}

/**
 * What makes or reads the value that the arguments ask for; undefined where they ask for none.
 *
 * @throws InvalidRequestError where they ask for more than one, or for one that cannot be
 */
export function valueSource({ stdin, fd, generate, alphabet }: ValueArguments): (() => Promise<string>) | undefined {
  const given = [stdin, fd, generate].filter((each) => each !== undefined).length;
  if (given === 0) return undefined;
  if (given > 1) throw new InvalidRequestError("say where the value comes from by one option alone");
  if (generate !== undefined) {
    const value = generateValue(generate, alphabet);
    return () => Promise.resolve(value);
  }
  if (fd !== undefined) return () => readDescriptor(fd);
  if (process.stdin.isTTY) {
    throw new InvalidRequestError(
      "standard input is a terminal, which would show the value: pipe it in, or --generate it",
    );
  }
  return () => readValue(process.stdin);
}

/** What asks for a value at a terminal, where it does not show; undefined where there is none. */
export function typedValue(name: string): (() => Promise<string>) | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async () => {
    const value = await askHidden(`Value of ${name}, which does not show:`);
    if (value.startsWith("-----BEGIN ")) {
      throw new InvalidRequestError("a value of several lines cannot be typed: pipe it in, as from a file by <");
    }
    return readValue(Readable.from([Buffer.from(value)]));
  };
}

async function readDescriptor(fd: number): Promise<string> {
  try {
    return await readValue(createReadStream("", { fd }));
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    throw new InvalidRequestError(
      `file descriptor ${fd} cannot be read (${error instanceof Error ? error.message : ""}): npm and npx pass none on ` +
        "beyond 2, so run the executable itself, or use --stdin",
    );
  }
}
