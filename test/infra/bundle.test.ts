import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(__dirname, "../..");

let root: string;
const inRoot = (file: string): string => join(root, file);
const cacheFolder = (): string => inRoot("node_modules/.cache/aidbox-secrets");
const made = (ending: string): string[] => readdirSync(cacheFolder()).filter((file) => file.endsWith(ending));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bundle-"));
  mkdirSync(inRoot("infra"));
  mkdirSync(inRoot("node_modules"));
  for (const name of ["esbuild", "tsx"]) {
    symlinkSync(join(repository, "node_modules", name), inRoot(`node_modules/${name}`));
  }
  copyFileSync(join(repository, "infra/bundle.js"), inRoot("infra/bundle.js"));
  write("package-lock.json", "{}");
  write("infra/start.js", 'require("./bundle").loadBundled("infra/entry.ts", { use: process.argv[2] });\n');
  write("infra/entry.ts", 'import { word } from "./word";\nconsole.log(word as string);\n');
  write("infra/word.ts", 'export const word: string = "first";\n');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Writes a source as somebody did who went for coffee then. */
function write(file: string, text: string, secondsAgo = 10): void {
  writeFileSync(inRoot(file), text);
  const then = Date.now() / 1000 - secondsAgo;
  utimesSync(inRoot(file), then, then);
}

function start(use = "use"): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inRoot("infra/start.js"), use], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

const writtenAt = (file: string): number => statSync(join(cacheFolder(), file)).mtimeMs;

test("it is compiled once, and V8's code is kept for each use", () => {
  expect([start(), start("other")]).toEqual(["first\n", "first\n"]);
  const [bundle = "", ...others] = made(".js");
  expect(others).toEqual([]);
  expect(made(".cache").sort()).toEqual([`${bundle}.other.cache`, `${bundle}.use.cache`]);
  const before = readdirSync(cacheFolder()).map(writtenAt);
  expect(start()).toBe("first\n"); // V8 takes the cache, or it would be written anew
  expect(readdirSync(cacheFolder()).map(writtenAt)).toEqual(before);
});

test("a use begins with the code that another has left", () => {
  const long = Array.from({ length: 200 }, (_, index) => `word += ${index} * word.length;`).join("");
  const functions = ["use", "other"].map((use) => `function run_${use}(word: any) {${long} return word;}`);
  write("infra/entry.ts", `${functions.join("\n")}\nprocess.argv[2] === "use" ? run_use("") : run_other("");\n`);
  start("use");
  start("other");
  const [bundle = ""] = made(".js");
  const [first, second] = ["use", "other"].map((use) => statSync(join(cacheFolder(), `${bundle}.${use}.cache`)).size);
  expect(second).toBeGreaterThan(first! * 1.5); // it holds what both have run
});

test("a changed source is seen, also where neither its length nor that of the whole changes", () => {
  start();
  write("infra/word.ts", 'export const word: string = "other";\n', 5);
  expect(start()).toBe("other\n");
  expect(made(".cache")).toEqual([`${made(".js")[0]!}.use.cache`]);
});

test("a source that changes while it is compiled is looked at again", () => {
  write("infra/word.ts", 'export const word: string = "first";\n', -60);
  start();
  expect(made(".json")).toEqual([]);
});

test("a source that does not compile is told", () => {
  write("infra/word.ts", "export const word: string = ;\n");
  const { status, stderr } = spawnSync(process.execPath, [inRoot("infra/start.js")], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain("infra/word.ts:1:28: ERROR: Unexpected");
});

test("what failed keeps no code, since it ran a part only", () => {
  write("infra/entry.ts", "process.exitCode = 3;\n");
  const { status } = spawnSync(process.execPath, [inRoot("infra/start.js"), "use"]);
  expect(status).toBe(3);
  expect(made(".cache")).toEqual([]);
});

test("where nothing can be written it runs all the same", () => {
  writeFileSync(inRoot("node_modules/.cache"), "no folder");
  expect(start()).toBe("first\n");
  expect(readFileSync(inRoot("node_modules/.cache"), "utf8")).toBe("no folder");
  expect(existsSync(inRoot("infra/word.js"))).toBe(false);
});

test("before `npm ci` the command says what to run", () => {
  for (const file of ["infra/cli/start.js", "infra/cli/bundled.js", "package.json"]) {
    mkdirSync(inRoot("infra/cli"), { recursive: true });
    copyFileSync(join(repository, file), inRoot(file));
  }
  rmSync(inRoot("node_modules"), { recursive: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [inRoot("infra/cli/start.js")], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
  expect(stderr).toBe(
    "A package is not installed (Cannot find module 'esbuild'). " +
      "Run `npm ci` in the folder of the clone, with Node >=20.19.\n",
  );
  const tests = spawnSync(process.execPath, [join(repository, "test/jest/run.js")], {
    cwd: inRoot("."),
    encoding: "utf8",
  });
  expect([tests.status, tests.stderr]).toEqual([
    4,
    "The packages are not installed. Run `npm ci` in the folder of the clone.\n",
  ]);
});
