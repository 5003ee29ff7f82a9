// `npm test`: checks all types while the tests run, which are compiled without a look at types. Arguments are Jest's; with the
// path of a test it runs that alone, in seconds.
const { spawn } = require("node:child_process");
const { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } = require("node:fs");
const { join, resolve } = require("node:path");

// TypeScript 7 takes a quarter of the time of 5, which the linter still needs.
const tsc = resolve("node_modules/typescript-7/bin/tsc");
const incremental = ["--incremental", "--tsBuildInfoFile", "node_modules/.cache/tsc-7.tsbuildinfo"];

// Jest hands Node's own options on to its workers. With the usual small space for what is new, a quarter of the time went into
// sweeping it.
const roomy = "--max-semi-space-size=64";

/** Where Linux keeps files in memory: a disk makes a test wait for each file that it writes over. */
const memory = "/dev/shm";

/** A folder in memory for the tests' files; undefined where there is none, it is small, or no program may be run in it. */
function folderInMemory() {
  try {
    const mount = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .find(([, path]) => path === memory);
    const { bavail, bsize } = statfsSync(memory);
    if (mount === undefined || mount[3].split(",").includes("noexec") || bavail * bsize < 2 ** 30) return undefined;
    return mkdtempSync(join(memory, "aidbox-secrets-"));
  } catch {
    return undefined;
  }
}

/** @returns its exit code, and what it printed where that was not to be seen at once */
function run(script, args, stdio, env = process.env) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [roomy, script, ...args], { stdio, env });
    let printed = "";
    child.stdout?.on("data", (chunk) => (printed += chunk));
    // The folder in memory goes once they have ended; a terminal interrupts them itself.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill());
    child.on("close", (code) => done({ code: code ?? 1, printed }));
  });
}

async function main() {
  if (!existsSync("node_modules/jest")) {
    console.error("The packages are not installed. Run `npm ci` in the folder of the clone.");
    process.exitCode = 4; // this machine lacks something, as for the other commands
    return;
  }
  const args = process.argv.slice(2);
  const isWhole = args.every((arg) => arg.startsWith("-"));
  const folder = isWhole ? folderInMemory() : undefined;
  if (folder !== undefined) process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const [types, tests] = await Promise.all([
    isWhole ? run(tsc, incremental, ["ignore", "pipe", "inherit"]) : { code: 0 },
    run(require.resolve("jest/bin/jest"), args, "inherit", { ...process.env, ...(folder && { TMPDIR: folder }) }),
  ]);
  if (types.code !== 0) console.error(`\nThe types are not in order:\n${types.printed}`);
  process.exitCode = Math.max(types.code, tests.code);
}

void main();
