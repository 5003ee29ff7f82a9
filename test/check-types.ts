import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as ts from "typescript";

const typescript7 = resolve(__dirname, "../node_modules/typescript-7/bin/tsc");

// Each declaration is read once for all programs: `tsc` by itself reads some thousand of them again for each.
const read = new Map<string, ts.SourceFile | undefined>();

function sharingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const own = host.getSourceFile.bind(host);
  host.getSourceFile = (file, how, ...rest) => {
    if (!/\.d\.[cm]?ts$/.test(file)) return own(file, how, ...rest);
    const format = typeof how === "object" ? how.impliedNodeFormat : undefined;
    const key = `${file} ${String(format)}`;
    if (!read.has(key)) read.set(key, own(file, how, ...rest));
    return read.get(key);
  };
  return host;
}

/**
 * Checks programs as `tsc` does, and writes their JavaScript beside them unless `noEmit` is set.
 *
 * @param options as a `tsconfig.json` in the folder has them
 * @returns what `tsc` would print
 */
export function checkTypes(folder: string, files: readonly string[], options: object): string {
  const config = ts.parseJsonConfigFileContent({ compilerOptions: options, files }, ts.sys, folder);
  const program = ts.createProgram(config.fileNames, config.options, sharingHost(config.options));
  const said = [...config.errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  return ts.formatDiagnostics(said, {
    getCanonicalFileName: (file) => file,
    getCurrentDirectory: () => folder,
    getNewLine: () => "\n",
  });
}

/**
 * The same by `tsc` itself, by default of TypeScript 7, which takes a fraction of the time and has no `node10`.
 *
 * @param options with `skipLibCheck: false` the declarations of all that is imported are checked too
 * @returns what it prints, a line an error
 */
export function runTsc(
  folder: string,
  files: readonly string[],
  options: object,
  tsc = typescript7,
): readonly string[] {
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files }));
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  return `${stdout}${stderr}`.split("\n").filter((line) => /^\S/.test(line));
}
