import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Size } from "cdk8s";
import { rotationScript } from "../../../../constructs/platform/vault/audit-log";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "audit-log-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => join(folder, name);
const script = (keep = 2): string =>
  rotationScript({ place: "storage", rotateAt: Size.mebibytes(1), keep }, file("audit.log"));

/** Runs a number of its rounds with stand-ins for what it waits for and signals; the signals that it sent. */
function run(rounds: number, { keep = 2, reloads = true } = {}): string[] {
  const standIns = [
    `rounds=0; sleep() { [ $rounds -lt ${rounds} ] && rounds=$((rounds + 1)); }`,
    "pidof() { echo 812 7 31; }",
    `kill() { echo "kill $*" >> ${file("signals")}; ${reloads ? "true" : "false"}; }`,
    'date() { echo "20261126T10000${rounds}Z"; }',
  ];
  execFileSync("sh", ["-c", [...standIns, script(keep)].join("\n")], { stdio: "pipe" });
  return existsSync(file("signals")) ? readFileSync(file("signals"), "utf8").trim().split("\n") : [];
}

const files = (): string[] =>
  readdirSync(folder)
    .filter((name) => name !== "signals")
    .sort();
const full = "x".repeat(1024 ** 2);

test("a file that has its size is closed: renamed first, then Vault is signalled, the server and no probe", () => {
  writeFileSync(file("audit.log"), full);
  expect(run(1)).toEqual([]);
  expect(files()).toEqual(["audit.log.closing"]);
  writeFileSync(file("audit.log"), "what Vault begins anew");
  expect(run(1)).toEqual(["kill -HUP 7"]);
  expect(files()).toEqual(["audit.log", "audit.log.20261126T100001Z"]);
  expect(readFileSync(file("audit.log.20261126T100001Z"), "utf8")).toBe(full);
});

test("a smaller one is left alone, and so is none", () => {
  expect(run(3)).toEqual([]);
  writeFileSync(file("audit.log"), full.slice(1));
  expect(run(3)).toEqual([]);
  expect(files()).toEqual(["audit.log"]);
});

test("a Vault that cannot be signalled yet is signalled again, and nothing is closed before", () => {
  writeFileSync(file("audit.log.closing"), "lines that Vault still writes");
  expect(run(2, { reloads: false })).toEqual(["kill -HUP 7", "kill -HUP 7"]);
  expect(files()).toEqual(["audit.log.closing"]);
});

test("the newest closed files stay, as many as are wanted", () => {
  for (const day of [1, 2, 3]) writeFileSync(file(`audit.log.2026112${day}T000000Z`), String(day));
  writeFileSync(file("audit.log.closing"), "newest");
  run(1, { keep: 2 });
  expect(files()).toEqual(["audit.log.20261123T000000Z", "audit.log.20261126T100001Z"]);
});
