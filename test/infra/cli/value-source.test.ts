import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import * as questions from "../../../infra/cli/ask";
import { typedValue, valueSource } from "../../../infra/cli/value-source";
import { InvalidRequestError } from "../../../infra/operate/errors";

const alphabet = "hex";
const standardInput = Object.getOwnPropertyDescriptor(process, "stdin")!;
afterEach(() => {
  Object.defineProperty(process, "stdin", standardInput);
});

function pipeIn(text: string, isTTY = false): void {
  const stdin = Object.assign(Readable.from([Buffer.from(text)]), { isTTY });
  Object.defineProperty(process, "stdin", { configurable: true, value: stdin });
}

test("no option asks for no value", () => {
  expect(valueSource({ alphabet })).toBeUndefined();
});

test("a generated value is one value, however often it is asked for", async () => {
  const make = valueSource({ alphabet, generate: 16 })!;
  const made = await make();
  expect(made).toMatch(/^[0-9a-f]{16}$/);
  expect(await make()).toBe(made);
  expect(await valueSource({ alphabet, generate: 16 })!()).not.toBe(made);
});

test("standard input, without the line break at its end", async () => {
  pipeIn("from a pipe\n");
  expect(await valueSource({ alphabet, stdin: true })!()).toBe("from a pipe");
});

test("no terminal, where the value could be seen", () => {
  pipeIn("typed", true);
  expect(() => valueSource({ alphabet, stdin: true })).toThrow(
    new InvalidRequestError("standard input is a terminal, which would show the value: pipe it in, or --generate it"),
  );
});

describe("what is typed at a terminal", () => {
  const terminal = (isTTY: boolean, answer: string): jest.SpyInstance => {
    pipeIn("", isTTY);
    Object.defineProperty(process.stderr, "isTTY", { configurable: true, value: isTTY });
    return jest.spyOn(questions, "askHidden").mockResolvedValue(answer);
  };
  const errors = Object.getOwnPropertyDescriptor(process.stderr, "isTTY");
  afterEach(() => {
    jest.restoreAllMocks();
    if (errors === undefined) Reflect.deleteProperty(process.stderr, "isTTY");
    else Object.defineProperty(process.stderr, "isTTY", errors);
  });

  test("is asked for, so that it does not show", async () => {
    const asked = terminal(true, "typed");
    const value = typedValue("license")!;
    expect(asked).not.toHaveBeenCalled();
    expect(await value()).toBe("typed");
    expect(asked).toHaveBeenCalledWith("Value of license, which does not show:");
  });

  test.each([
    ["nothing", "", "the new value is empty: give one, or let --generate make it"],
    [
      "a key's first line",
      "-----BEGIN PRIVATE KEY-----",
      "a value of several lines cannot be typed: pipe it in, as from a file by <",
    ],
  ])("is refused: %s", async (_, answer, problem) => {
    terminal(true, answer);
    await expect(typedValue("license")!()).rejects.toThrow(new InvalidRequestError(problem));
  });

  test("is asked for of nobody where there is no terminal", () => {
    terminal(false, "");
    expect(typedValue("license")).toBeUndefined();
  });
});

test("a file descriptor", async () => {
  const folder = mkdtempSync(join(tmpdir(), "value-source-"));
  const file = join(folder, "value");
  writeFileSync(file, "from a file");
  expect(await valueSource({ alphabet, fd: openSync(file, "r") })!()).toBe("from a file");
  rmSync(folder, { recursive: true });
});

test("a descriptor that is not open", async () => {
  await expect(valueSource({ alphabet, fd: 987 })!()).rejects.toThrow(
    /^file descriptor 987 cannot be read .*npm and npx pass none on/,
  );
});

test.each([
  { stdin: true, fd: 3 },
  { stdin: true, generate: 16 },
  { fd: 3, generate: 16 },
])("more than one of them: %o", (given) => {
  expect(() => valueSource({ alphabet, ...given })).toThrow("say where the value comes from by one option alone");
});
