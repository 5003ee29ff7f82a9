import { Console } from "node:console";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import type * as CommandLine from "../../../infra/cli/run-command-line";
import type { Ran } from "./ran";

/** Where and with what a command runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
}

/** What every test file of a worker shares: the program is loaded once, from one file as a user's is. */
const shared = globalThis as { commandLine?: typeof CommandLine; readonly [name: symbol]: unknown };

/** One command after the other: they share the process's folder, variables and output. */
let last: Promise<unknown> = Promise.resolve();

/** Runs the command line within this process, in a twentieth of the time of one of its own. */
export function runInProcess(args: readonly string[], surroundings: Surroundings): Promise<Ran> {
  const ran = last.then(() => runNow(args, surroundings));
  last = ran.catch(() => undefined);
  return ran;
}

async function runNow(args: readonly string[], { cwd, env, input }: Surroundings): Promise<Ran> {
  const said = { stdout: "", stderr: "" };
  const before = { cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode };
  const restore = [
    replace(process, "stdin", Readable.from([Buffer.from(input)])),
    replace(globalThis, "console", new Console(process.stdout, process.stderr)), // Jest keeps what is said to its own
    replace(Error, "prepareStackTrace", undefined), // Jest's looks each line up in source maps, and Pulumi's SDK asks for many
    ...(["stdout", "stderr"] as const).flatMap((name) => [
      replace(process[name], "isTTY", false),
      replace(process[name], "write", (chunk: string | Uint8Array) => {
        said[name] += chunk.toString();
        return true;
      }),
    ]),
  ];
  try {
    process.chdir(cwd);
    setEnv(env);
    shared.commandLine ??= load();
    await shared.commandLine.runCommandLine(args);
    return { code: Number(process.exitCode), ...said };
  } finally {
    for (const each of restore) each();
    process.chdir(before.cwd);
    setEnv(before.env);
    process.exitCode = before.exitCode;
  }
}

/** Gives a property another value. @returns what gives it back the former one */
function replace<T extends object>(target: T, name: keyof T, value: unknown): () => void {
  const former = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => {
    if (former === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, former);
  };
}

function setEnv(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) Reflect.deleteProperty(process.env, name);
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}

function load(): typeof CommandLine {
  const require = shared[Symbol.for("aidbox-secrets: require")] as NodeJS.Require;
  const bundled = require(resolve(__dirname, "../../../infra/cli/bundled.js")) as {
    readonly loadCommandLine: () => typeof CommandLine;
  };
  return bundled.loadCommandLine();
}
