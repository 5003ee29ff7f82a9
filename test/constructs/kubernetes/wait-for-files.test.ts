import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyFileIn, waitForFiles } from "../../../constructs/kubernetes/wait-for-files";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wait-for-files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);

/** Runs the container's command until it waits for the first time; what it says. */
function run(files: readonly string[], mayBeEmpty: readonly string[]): string {
  const [sh = "", flag = "", script = "", ...rest] = waitForFiles("image", files, mayBeEmpty).command!;
  const once = script.replace("sleep 1", "exit 1");
  return spawnSync(sh, [flag, once, ...rest], { encoding: "utf8" }).stdout;
}

test("a file that may be empty must be there alone, and others must have content", () => {
  writeFileSync(at("filled"), "hunter2");
  writeFileSync(at("empty"), "");
  expect(run([at("filled")], [at("empty")])).toBe("");
  expect(run([at("filled"), at("empty")], [])).toBe(`waiting for ${at("empty")}: empty\n`);
  expect(run([at("filled")], [at("other")])).toBe(`waiting for ${at("other")}: missing\n`);
  expect(run([at("other")], [])).toBe(`waiting for ${at("other")}: missing\n`);
});

test("the log tells of the file that is empty, where it is the last line", () => {
  expect(emptyFileIn(`waiting for ${at("a b")}: empty\n`)).toBe(at("a b"));
  expect(emptyFileIn("waiting for /a: empty\nwaiting for /b: missing\n")).toBeUndefined();
  expect(emptyFileIn("")).toBeUndefined();
});
