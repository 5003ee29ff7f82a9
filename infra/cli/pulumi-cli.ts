import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { CommandError, exitCodes } from "./exit-codes";
import { tell } from "./terminal";

/** A program and the arguments that come before all others. */
export interface Executable {
  /** What people call it. @default Pulumi */
  readonly title?: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** The Pulumi CLI on PATH, else the one that the npm package `pulumi` downloads at its first use. */
export function findPulumi(): Executable {
  const installed = findInstalledPulumi();
  if (installed !== undefined) return { file: installed, args: [] };
  // The downloader itself would end at an interrupt, while the CLI that it runs still ends in good order.
  const patience = ["--import", "data:text/javascript,process.on('SIGINT',()=>{})"];
  return {
    file: process.execPath,
    args: [...patience, resolve(require.resolve("pulumi/package.json"), `..${sep}run.js`)],
  };
}

/** What a person types to run it. */
export function typed({ args }: Executable): readonly string[] {
  return args.length === 0 ? ["pulumi"] : ["npx", "pulumi"];
}

/** Path of the Pulumi CLI on PATH; none where there is no such one. */
export function findInstalledPulumi(path = process.env.PATH ?? ""): string | undefined {
  // npm puts node_modules/.bin first, and there lies the downloader: an installed CLI goes before it.
  return path
    .split(delimiter)
    .filter((folder) => !resolve(folder).endsWith(join("node_modules", ".bin")))
    .map((folder) => join(folder, process.platform === "win32" ? "pulumi.exe" : "pulumi"))
    .find(isExecutable);
}

/** What asks this program to end: the terminal, or whoever runs it. */
const endSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** A terminal's interrupt comes a second time by npm, which passes it on: within this time, in ms, two are one. */
const echoMilliseconds = 500;

/**
 * Runs a program to its end. A signal that asks this one to end is passed on as an interrupt, at which Pulumi ends what it
 * has begun and writes its state; a second one ends it at once.
 *
 * @param output where its standard output goes: the terminal, or nowhere
 * @returns its exit code; 1 where a signal ended it
 * @throws CommandError where this program was asked to end, once that one has ended
 */
export function run(
  { title = "Pulumi", file, args }: Executable,
  more: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly output: "inherit" | "ignore" },
): Promise<number> {
  return new Promise((done, fail) => {
    const { cwd, env, output } = options;
    // In a session of its own it gets what is passed on, and not the terminal's signals too: a hang-up would kill it.
    const detached = process.platform !== "win32";
    let asked: NodeJS.Signals | undefined;
    let last = 0;
    const passOn = (signal: NodeJS.Signals): void => {
      if (Date.now() - last < echoMilliseconds) return;
      last = Date.now();
      const what =
        asked === undefined ? `interrupting ${title}, and waiting until it has ended` : `ending ${title} at once`;
      asked ??= signal;
      tell(`${signal}: ${what}`);
      if (detached && child.pid !== undefined) signalGroup(child.pid);
    };
    // Before it starts: a signal that comes in the same moment would end this program alone.
    for (const signal of endSignals) process.on(signal, passOn);
    const child = spawn(file, [...args, ...more], { cwd, env, stdio: ["inherit", output, output], detached });
    const stopListening = (): void => {
      for (const signal of endSignals) process.off(signal, passOn);
    };
    child.on("error", (error) => {
      stopListening();
      fail(error);
    });
    child.on("close", (code) => {
      stopListening();
      if (asked === undefined) done(code ?? 1);
      else fail(new CommandError(`${asked}: ${title} has ended. To go on, run the command again.`, exitCodes.failed));
    });
  });
}

/** Interrupts a program and those that it runs, as a terminal does. */
function signalGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGINT");
  } catch {
    // It has ended meanwhile.
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
