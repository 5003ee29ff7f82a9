// `npm test`: checks all types while the tests run, which are compiled without a look at types. Arguments are Jest's; with the
// path of a test it runs that alone, in seconds.
const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { resolve } = require("node:path");

// TypeScript 7 takes a quarter of the time of 5, which the linter still needs.
const tsc = resolve("node_modules/typescript-7/bin/tsc");
const incremental = ["--incremental", "--tsBuildInfoFile", "node_modules/.cache/tsc-7.tsbuildinfo"];

// Jest hands Node's own options on to its workers. With the usual small space for what is new, a quarter of the time went into
// sweeping it.
const roomy = "--max-semi-space-size=64";

/** @returns its exit code, and what it printed where that was not to be seen at once */
function run(script, args, stdio) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [roomy, script, ...args], { stdio });
    let printed = "";
    child.stdout?.on("data", (chunk) => (printed += chunk));
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
  const [types, tests] = await Promise.all([
    isWhole ? run(tsc, incremental, ["ignore", "pipe", "inherit"]) : { code: 0 },
    run(require.resolve("jest/bin/jest"), args, "inherit"),
  ]);
  if (types.code !== 0) console.error(`\nThe types are not in order:\n${types.printed}`);
  process.exitCode = Math.max(types.code, tests.code);
}

void main();
