import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCaFile } from "../../../infra/certificates/ca-file";

const before = process.env.XDG_CACHE_HOME;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ca-file-"));
  process.env.XDG_CACHE_HOME = join(folder, "cache");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  jest.restoreAllMocks();
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("a CA is written to a file in the user's cache, which is made where it is not there", () => {
  const path = writeCaFile("site.prod", "the CA");
  expect(path).toBe(join(folder, "cache", "aidbox-secrets", "site.prod-vault-ca.pem"));
  expect(readFileSync(path, "utf8")).toBe("the CA");
});

test("the path is the same in every run of a stack, and holds the CA of the last", () => {
  const first = writeCaFile("site.prod", "the CA, which is longer than the next");
  const second = writeCaFile("site.prod", "another CA");
  expect(second).toBe(first);
  expect(readFileSync(first, "utf8")).toBe("another CA");
  expect(readdirSync(join(folder, "cache", "aidbox-secrets"))).toEqual(["site.prod-vault-ca.pem"]);
});

test("stacks have files of their own", () => {
  const [prod, staging] = [writeCaFile("site.prod", "one"), writeCaFile("site.staging", "two")];
  expect([prod, staging].map((each) => readFileSync(each, "utf8"))).toEqual(["one", "two"]);
});

test("everybody may read the file, the folder is the user's alone", () => {
  const umask = process.umask(0o022);
  const path = writeCaFile("site.prod", "the CA");
  process.umask(umask);
  expect(modeOf(path)).toBe(0o644);
  expect(modeOf(join(folder, "cache", "aidbox-secrets"))).toBe(0o700);
});

test("without a cache of its own name it lies below the home", () => {
  delete process.env.XDG_CACHE_HOME;
  jest.spyOn(os, "homedir").mockReturnValue(folder);
  expect(writeCaFile("site.prod", "the CA")).toBe(join(folder, ".cache", "aidbox-secrets", "site.prod-vault-ca.pem"));
});
