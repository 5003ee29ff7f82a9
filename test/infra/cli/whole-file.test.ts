import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFileOnce, replaceFile } from "../../../infra/cli/whole-file";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "whole-file-"));
  file = join(folder, "salt.yaml");
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A disk that is full, or a process that ends, while a file is written. */
function failWhileWriting(): void {
  const write = fs.writeFileSync;
  jest.spyOn(fs, "writeFileSync").mockImplementation((target, text) => {
    write(target, (text as string).slice(0, 3));
    throw new Error("no space left on device");
  });
}

test.each([replaceFile, makeFileOnce])(
  "%p writes a file for its owner alone, and leaves nothing beside it",
  (write) => {
    write(file, "the salt");
    expect(readFileSync(file, "utf8")).toBe("the salt");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["salt.yaml"]);
  },
);

test("one that is replaced stays whole where the write fails", () => {
  writeFileSync(file, "the former salt");
  failWhileWriting();
  expect(() => {
    replaceFile(file, "the salt");
  }).toThrow("no space left on device");
  expect(readFileSync(file, "utf8")).toBe("the former salt");
});

test("one that is made once is not there in part where the write fails", () => {
  failWhileWriting();
  expect(() => {
    makeFileOnce(file, "passphrase");
  }).toThrow("no space left on device");
  expect(fs.existsSync(file)).toBe(false);
});

test("one that is made once is not made again", () => {
  writeFileSync(file, "the former one");
  makeFileOnce(file, "another");
  expect(readFileSync(file, "utf8")).toBe("the former one");
  expect(readdirSync(folder)).toEqual(["salt.yaml"]);
});
