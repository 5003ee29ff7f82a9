import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseState, readState } from "../../../infra/state/stack-state";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";

hurryTimers(1000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stack-state-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A stand-in for Pulumi's command line that runs a script. */
function pulumi(script: string): { readonly file: string; readonly args: readonly string[] } {
  const file = join(folder, "pulumi");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { file, args: ["first"] };
}

const urn = "urn:pulumi:prod::aidbox-secrets::vault:index/mount:Mount::vault-access-kv";
const exported = JSON.stringify({
  version: 3,
  deployment: {
    resources: [
      { urn, type: "vault:index/mount:Mount", inputs: { path: "secret" }, retainOnDelete: true },
      { urn: `${urn}-2`, type: "vault:index/mount:Mount", protect: true },
    ],
  },
});
const parsed = [
  { urn, type: "vault:index/mount:Mount", inputs: { path: "secret" }, retainOnDelete: true, protect: false },
  { urn: `${urn}-2`, type: "vault:index/mount:Mount", inputs: {}, retainOnDelete: false, protect: true },
];

test("says of each resource what Pulumi goes by", () => {
  expect(parseState(exported)).toEqual(parsed);
});

test.each(['{"version":3,"deployment":{"manifest":{}}}', '{"version":3}'])("may hold nothing yet: %s", (text) => {
  expect(parseState(text)).toEqual([]);
});

test("is exported by Pulumi's command line, in the project's folder and with the given variables", async () => {
  writeFileSync(join(folder, "exported"), exported);
  const executable = pulumi('echo "$PWD $BACKEND $*" > called; cat exported');
  expect(
    await readState(executable, "org/project/prod", { cwd: folder, env: { BACKEND: "here", PATH: "/bin" } }),
  ).toEqual(parsed);
  expect(readFileSync(join(folder, "called"), "utf8")).toBe(
    `${folder} here first stack export --stack org/project/prod --non-interactive\n`,
  );
});

test("that cannot be read is an error in Pulumi's words: nothing may be deleted unseen", async () => {
  const reading = readState(pulumi('echo "error: no stack named prod" >&2; exit 255'), "prod", {
    cwd: folder,
    env: {},
  });
  await expect(reading).rejects.toThrow(
    "The stack's state cannot be read by `pulumi stack export`: error: no stack named prod",
  );
});

test.each(["EOF", "unexpected EOF", "unexpected end of JSON input"])(
  "is read again where an up beside it was about to write it: %s",
  async (words) => {
    writeFileSync(join(folder, "exported"), exported);
    const executable = pulumi(
      `[ -e tried ] && exec cat exported; : > tried; echo "error: failed to load checkpoint: ${words}" >&2; exit 255`,
    );
    expect(await readState(executable, "prod", { cwd: folder, env: { PATH: "/bin" } })).toEqual(parsed);
  },
);

const saying = (error: string): { readonly file: string; readonly args: readonly string[] } =>
  pulumi(`echo x >> tries; echo "error: failed to load checkpoint: ${error}" >&2; exit 255`);
const tries = (): number => readFileSync(join(folder, "tries"), "utf8").split("\n").length - 1;

test("that is damaged for good is an error at once", async () => {
  const reading = readState(saying("place 1: invalid character '<' looking for beginning of value"), "prod", {
    cwd: folder,
    env: { PATH: "/bin" },
  });
  await expect(reading).rejects.toThrow(/place 1: invalid character '<' looking for beginning of value$/);
  expect(tries()).toBe(1);
});

test("whose file ends too early and stays so is an error within seconds", async () => {
  const start = Date.now();
  const reading = readState(saying("place 1: EOF"), "prod", { cwd: folder, env: { PATH: "/bin" } });
  await expect(reading).rejects.toThrow(
    "error: failed to load checkpoint: place 1: EOF. It ends too early for 15 s now, so nobody is writing it. " +
      "With a state in files its last good copy lies beside it, and ends with .bak",
  );
  expect(Date.now() - start).toBeLessThan(20_000);
  expect(tries()).toBeGreaterThan(1);
});

test("that Pulumi does not give in time is an error, and Pulumi is not waited for", async () => {
  const pidFile = join(folder, "pid");
  const executable = pulumi(`echo $$ > pid.part; mv pid.part pid; exec sleep 60`);
  const failed = errorOf(readState(executable, "prod", { cwd: folder, env: { PATH: "/bin:/usr/bin" } }));
  while (!existsSync(pidFile)) await new Promise((done) => setImmediate(done));
  await jest.advanceTimersByTimeAsync(15_000);
  expect((await failed).message).toBe("The stack's state cannot be read by `pulumi stack export`: no answer in 15 s");
  const pid = Number(readFileSync(pidFile, "utf8"));
  while (isAlive(pid)) await new Promise((done) => setImmediate(done));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("is not read where there is no Pulumi", async () => {
  const reading = readState({ file: join(folder, "absent"), args: [] }, "prod", { cwd: folder, env: {} });
  await expect(reading).rejects.toThrow(/^The stack's state cannot be read by `pulumi stack export`: spawn .*ENOENT$/);
});
