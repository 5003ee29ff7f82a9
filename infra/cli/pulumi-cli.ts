import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";

/** A program and the arguments that come before all others. */
export interface Executable {
  readonly file: string;
  readonly args: readonly string[];
}

/** The Pulumi CLI on PATH, else the one that the npm package `pulumi` downloads at its first use. */
export function findPulumi(): Executable {
  const installed = findInstalledPulumi();
  if (installed !== undefined) return { file: installed, args: [] };
  return { file: process.execPath, args: [resolve(require.resolve("pulumi/package.json"), `..${sep}run.js`)] };
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

/**
 * Runs a program to its end.
 *
 * @param output where its standard output goes: the terminal, or nowhere
 * @returns its exit code; 1 where a signal ended it
 */
export function run(
  { file, args }: Executable,
  more: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly output: "inherit" | "ignore" },
): Promise<number> {
  return new Promise((done, fail) => {
    const { cwd, env, output } = options;
    const child = spawn(file, [...args, ...more], { cwd, env, stdio: ["inherit", output, output] });
    // The terminal sends an interrupt to the child too, which ends the run in good order: wait for it.
    const ignore = (): void => undefined;
    process.on("SIGINT", ignore);
    child.on("error", fail);
    child.on("close", (code) => {
      process.off("SIGINT", ignore);
      done(code ?? 1);
    });
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
