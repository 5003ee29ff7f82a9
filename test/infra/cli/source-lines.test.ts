import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { inSources } from "../../../infra/cli/source-lines";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "source-lines-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The stack trace of a program that fails in the third line of its source, compiled into one line. */
function stackOfCompiled(sourcemap: "external" | false): string {
  writeFileSync(
    join(folder, "fail.ts"),
    'interface Nothing {}\n\nexport const fail = () => { throw new Error("so"); };\n',
  );
  writeFileSync(
    join(folder, "entry.ts"),
    'import { fail } from "./fail";\ntry { fail(); } catch (e) { console.log(e.stack); }\n',
  );
  buildSync({
    entryPoints: [join(folder, "entry.ts")],
    outfile: join(folder, "dist/all.js"),
    bundle: true,
    minifyWhitespace: true,
    sourcemap,
  });
  return spawnSync(process.execPath, [join(folder, "dist/all.js")], { encoding: "utf8" }).stdout;
}

test("a stack trace tells the lines of the sources", () => {
  const stack = stackOfCompiled("external");
  expect(stack).not.toContain("fail.ts");
  const told = inSources(stack);
  expect(told).toMatch(/^Error: so\n {4}at fail \(\/.*\/fail\.ts:3:\d+\)\n {4}at \/.*\/entry\.ts:2:\d+\n/);
  expect(told).toMatch(/node:internal/);
});

test("one without a map stays as it is", () => {
  const stack = stackOfCompiled(false);
  expect(inSources(stack)).toBe(stack);
});
