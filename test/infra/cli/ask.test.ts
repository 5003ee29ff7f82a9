import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { ask } from "../../../infra/cli/ask";
import { InvalidRequestError } from "../../../infra/operate/errors";
import { errorOf } from "../../mocks";

/** Asks twice on a terminal of its own, and tells how long each answer was; typing is what is put in at each question. */
function askTwice(...typing: readonly string[]): Promise<string> {
  const program = `
    const { askHidden } = require("./infra/cli/ask.ts");
    (async () => {
      const lengths = [(await askHidden("First:")).length, (await askHidden("Second:")).length];
      console.log("lengths " + lengths.join(" "));
    })().catch((error) => console.log("refused: " + error.message));`;
  const command = `"$NODE" --require ./test/jest/typescript.js -e "$PROGRAM"`;
  const env = { ...process.env, NODE: process.execPath, PROGRAM: program, SHELL: "/bin/sh" };
  return new Promise((done, fail) => {
    const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: resolve(__dirname, "../../.."), env });
    let screen = "";
    const rest = ["First:", "Second:"].map((question, index) => ({ question, answer: typing[index] }));
    child.stdout.on("data", (chunk: Buffer) => {
      screen += chunk.toString();
      if (rest[0] !== undefined && screen.includes(rest[0].question)) child.stdin.write(rest.shift()?.answer ?? "");
    });
    child.on("error", fail);
    child.on("close", () => {
      done(screen);
    });
  });
}

test("what is typed at a terminal is taken, and does not show", async () => {
  const screen = await askTwice("c2hhcmUgMQ==\r", " hvs.root \r");
  expect(screen).toContain("lengths 12 8");
  expect(screen).not.toMatch(/c2hh|hvs/);
});

test("Enter and the end of the input are no answer", async () => {
  expect(await askTwice("\r", "\x04")).toContain("lengths 0 0");
});

test("Ctrl-C stops it, and shows nothing of what was typed", async () => {
  const screen = await askTwice("c2hh\x03");
  expect(screen).toContain("refused: stopped; nothing of this answer was used");
  expect(screen).not.toContain("c2hh");
});

describe("what is asked before something is done", () => {
  const standardInput = Object.getOwnPropertyDescriptor(process, "stdin")!;
  const typing = (stream: NodeJS.ReadableStream): void => {
    Object.defineProperty(process, "stdin", { value: stream, configurable: true });
  };
  let shown: jest.SpyInstance;
  beforeEach(() => {
    shown = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => {
    Object.defineProperty(process, "stdin", standardInput);
    shown.mockRestore();
  });

  test("is answered without the spaces around it", async () => {
    typing(Readable.from([" yes \n"]));
    expect(await ask("Do it? ")).toBe("yes");
    expect(shown.mock.calls.join("")).toContain("Do it? ");
  });

  test("is refused in words where the input ends, as by Ctrl-C", async () => {
    typing(Readable.from([]));
    expect(await errorOf(ask("Do it? "))).toEqual(new InvalidRequestError("stopped: nothing was changed"));
  });
});
