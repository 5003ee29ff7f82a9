import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chartWith, containerOf, environmentOf } from "./fixtures";

const container = containerOf(chartWith(), "follow-password");
const variables = environmentOf(chartWith(), "follow-password");

/** Stands in for psql: notes its arguments, its variables and its input, and fails where it is told to. */
const fakePsql = `#!/bin/sh
call=100
while [ -e "$FAKES/calls/$call" ]; do call=$((call + 1)); done
call="$FAKES/calls/$call"
mkdir "$call"
printf '%s\\n' "$@" > "$call/arguments"
env > "$call/environment"
cat > "$call/input"
echo 'Enter new password for user "aidbox": ' >&2
if [ -e "$FAKES/refusal" ]; then cat "$FAKES/refusal" >&2; exit 1; fi
`;

/** Stands in for sleep: does what is to happen between two looks at the file, and ends the shell after the rounds. */
const fakeSleep = `#!/bin/sh
echo "$@" >> "$FAKES/sleeps"
round=0
while read -r each; do round=$((round + 1)); done < "$FAKES/sleeps"
if [ -e "$FAKES/after/$round" ]; then . "$FAKES/after/$round"; fi
[ "$round" -lt "$ROUNDS" ] || kill $PPID
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "follow-password-"));
  for (const each of ["after", "bin", "calls", "tmp"]) mkdirSync(join(folder, each));
  writeFileSync(join(folder, "bin/psql"), fakePsql, { mode: 0o755 });
  writeFileSync(join(folder, "bin/sleep"), fakeSleep, { mode: 0o755 });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const file = (): string => join(folder, "password");
const write = (value: string): void => {
  writeFileSync(file(), value);
};
/** Has a line of sh happen after a round. */
const after = (round: number, line: string): void => {
  writeFileSync(join(folder, "after", String(round)), line);
};
const becomes = (value: string): string => `printf %s '${value}' > "$PASSWORD_FILE"`;

/** The container's command and variables, with the pod's folders in the temporary one. */
function inFolder(command: readonly string[]): [command: string, arguments_: string[]] {
  const [first, ...rest] = command.map((part) => part.replaceAll("/tmp/", `${folder}/tmp/`));
  return [first!, rest];
}
const env = (rounds: number): Record<string, string> => ({
  ...variables,
  PASSWORD_FILE: file(),
  PATH: `${folder}/bin:${process.env.PATH}`,
  FAKES: folder,
  ROUNDS: String(rounds),
});

function follow(rounds: number): string {
  const { status, stdout, stderr } = spawnSync(...inFolder(container.command!), {
    encoding: "utf8",
    env: env(rounds),
    timeout: 60_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

interface Call {
  readonly arguments: string;
  readonly environment: string;
  readonly input: string;
}

function calls(): Call[] {
  return readdirSync(join(folder, "calls"))
    .sort()
    .map((each) => {
      const read = (name: string): string => readFileSync(join(folder, "calls", each, name), "utf8");
      return { arguments: read("arguments"), environment: read("environment"), input: read("input") };
    });
}

const inputs = (): string[] => calls().map(({ input }) => input);
const isReady = (): boolean =>
  spawnSync(...inFolder(container.readinessProbe!.exec!.command!), { env: env(1) }).status === 0;
const done = (): string => `the password of aidbox is now that of ${file()}\n`;

describe("the script, run with a psql that notes what it is given", () => {
  it("gives the user the file's password at the start, whatever the one in force", () => {
    write("first");
    expect(follow(1)).toBe(done());
    expect(calls().map((call) => call.arguments)).toEqual(["--no-psqlrc\n--no-password\n--command=\\password\n"]);
    expect(inputs()).toEqual(["first\nfirst\n"]);
  });

  it("does so once, as long as the file stays as it is", () => {
    write("first");
    expect(follow(5)).toBe(done());
    expect(calls()).toHaveLength(1);
    expect(readFileSync(join(folder, "sleeps"), "utf8")).toBe("1\n".repeat(5));
  });

  it("does so again once the file changes, also back to an earlier password", () => {
    write("first");
    after(2, becomes("second"));
    after(4, becomes("first"));
    expect(follow(6)).toBe(done().repeat(3));
    expect(inputs()).toEqual(["first\nfirst\n", "second\nsecond\n", "first\nfirst\n"]);
  });

  it("tries again where PostgreSQL refuses, says why once, and is ready only then", () => {
    write("first");
    writeFileSync(join(folder, "refusal"), "psql: error: the database system is starting up\n");
    after(3, 'rm "$FAKES/refusal"');
    expect(isReady()).toBe(false);
    expect(follow(2)).toBe(
      `the password of aidbox is not yet that of ${file()}: ` +
        'Enter new password for user "aidbox": \npsql: error: the database system is starting up\n',
    );
    expect(isReady()).toBe(false);
    expect(follow(5)).toContain(done());
    expect(inputs()).toEqual(["first\nfirst\n", "first\nfirst\n", "first\nfirst\n", "first\nfirst\n"]);
    expect(isReady()).toBe(true);
  });

  it("stays ready with the password in force while a new one is refused", () => {
    write("first");
    after(1, `echo no > "$FAKES/refusal"; ${becomes("second")}`);
    follow(4);
    expect(inputs()).toEqual(["first\nfirst\n", ...Array<string>(3).fill("second\nsecond\n")]);
    expect(isReady()).toBe(true);
  });

  it.each([
    { what: "missing", before: () => undefined },
    {
      what: "empty",
      before: () => {
        write("");
      },
    },
  ])("waits for a file that is $what, and says so once", ({ before }) => {
    before();
    after(3, becomes("first"));
    expect(follow(5)).toBe(`waiting for ${file()}: missing or empty\n${done()}`);
    expect(inputs()).toEqual(["first\nfirst\n"]);
  });

  it("keeps the password in force while the file is away", () => {
    write("first");
    after(1, 'rm "$PASSWORD_FILE"');
    after(3, becomes("first"));
    follow(5);
    expect(calls()).toHaveLength(1);
  });

  it.each(["first\n", "two\nlines", "same\nsame", "return\r", "\n"])(
    "refuses a password with a line break, of which psql would take a part: %j",
    (value) => {
      write(value);
      after(2, becomes("first"));
      expect(follow(4)).toBe(
        `${file()} has a line break, which no password may have: write it without, as by printf\n${done()}`,
      );
      expect(inputs()).toEqual(["first\nfirst\n"]);
    },
  );

  it.each([
    "$HOME",
    "$(id)",
    "`id`",
    `'"`,
    "\\",
    "\\n",
    "%s%n",
    "*",
    "?",
    "-n",
    "--command=x",
    " leading and trailing ",
    "\ttab",
    ":'x'",
    "; DROP ROLE aidbox; --",
    "pässwörd-日本-🔑",
    "x".repeat(1000),
  ])("hands on every other character as it is: %j", (value) => {
    write(value);
    expect(follow(2)).toBe(done());
    expect(inputs()).toEqual([`${value}\n${value}\n`]);
  });

  it("shows no password: in no argument, in no variable and in no output", () => {
    write("first-s3cret");
    after(1, `echo no > "$FAKES/refusal"; ${becomes("second-s3cret")}`);
    after(2, 'rm "$FAKES/refusal"');
    after(3, `printf 'third-s3cret\\n' > "$PASSWORD_FILE"`);
    const output = follow(5);
    expect(inputs()).toEqual([
      "first-s3cret\nfirst-s3cret\n",
      "second-s3cret\nsecond-s3cret\n",
      "second-s3cret\nsecond-s3cret\n",
    ]);
    const shown = [output, ...calls().flatMap((call) => [call.arguments, call.environment])];
    expect(shown.join("\n")).not.toContain("s3cret");
    expect(readdirSync(join(folder, "tmp"))).toEqual(["password-in-force"]);
    expect(readFileSync(join(folder, "tmp/password-in-force"), "utf8")).toBe("");
  });

  it("has PostgreSQL log no statement of it", () => {
    write("first");
    follow(1);
    expect(calls()[0]!.environment).toContain(
      "PGOPTIONS=-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1",
    );
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends at once, and well, by %s, as the image's stop signal may be",
    async (signal) => {
      // So long that a busy machine cannot be taken for a shell that waits for its sleep.
      writeFileSync(join(folder, "bin/sleep"), "#!/bin/sh\nexec /bin/sleep 60 > /dev/null 2>&1\n", { mode: 0o755 });
      write("first");
      const shell = spawn(...inFolder(container.command!), { env: env(1), stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => shell.stdout.once("data", resolve));
      const start = Date.now();
      shell.kill(signal);
      expect(await new Promise((resolve) => shell.once("exit", resolve))).toBe(0);
      expect(Date.now() - start).toBeLessThan(30_000);
      expect(existsSync(join(folder, "tmp/password-in-force"))).toBe(true);
    },
  );
});
