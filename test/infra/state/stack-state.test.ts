import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseState, readState } from "../../../infra/state/stack-state";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stack-state-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A stand-in for Pulumi's command line that runs a script. */
function pulumi(script: string): { readonly file: string; readonly args: readonly string[] } {
  const file = join(folder, "pulumi");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { file, args: ["first"] };
}

const urn = "urn:pulumi:prod::aidbox-secrets::vault:index/mount:Mount::vault-access-kv";
const exported = JSON.stringify({
  version: 3,
  deployment: {
    resources: [
      { urn, type: "vault:index/mount:Mount", inputs: { path: "secret" }, retainOnDelete: true },
      { urn: `${urn}-2`, type: "vault:index/mount:Mount", protect: true },
    ],
  },
});
const parsed = [
  { urn, type: "vault:index/mount:Mount", inputs: { path: "secret" }, retainOnDelete: true, protect: false },
  { urn: `${urn}-2`, type: "vault:index/mount:Mount", inputs: {}, retainOnDelete: false, protect: true },
];

test("says of each resource what Pulumi goes by", () => {
  expect(parseState(exported)).toEqual(parsed);
});

test.each(['{"version":3,"deployment":{"manifest":{}}}', '{"version":3}'])("may hold nothing yet: %s", (text) => {
  expect(parseState(text)).toEqual([]);
});

test("is exported by Pulumi's command line, in the project's folder and with the given variables", async () => {
  writeFileSync(join(folder, "exported"), exported);
  const executable = pulumi('echo "$PWD $BACKEND $*" > called; cat exported');
  expect(
    await readState(executable, "org/project/prod", { cwd: folder, env: { BACKEND: "here", PATH: "/bin" } }),
  ).toEqual(parsed);
  expect(readFileSync(join(folder, "called"), "utf8")).toBe(
    `${folder} here first stack export --stack org/project/prod --non-interactive\n`,
  );
});

test("that cannot be read is an error in Pulumi's words: nothing may be deleted unseen", async () => {
  const reading = readState(pulumi('echo "error: no stack named prod" >&2; exit 255'), "prod", {
    cwd: folder,
    env: {},
  });
  await expect(reading).rejects.toThrow(
    "The stack's state cannot be read by `pulumi stack export`: error: no stack named prod",
  );
});

test("is read again where an up beside it was about to write it", async () => {
  writeFileSync(join(folder, "exported"), exported);
  const executable = pulumi(
    '[ -e tried ] && exec cat exported; : > tried; echo "error: failed to load checkpoint: EOF" >&2; exit 255',
  );
  expect(await readState(executable, "prod", { cwd: folder, env: { PATH: "/bin" } })).toEqual(parsed);
});

test("is not read where there is no Pulumi", async () => {
  const reading = readState({ file: join(folder, "absent"), args: [] }, "prod", { cwd: folder, env: {} });
  await expect(reading).rejects.toThrow(/^The stack's state cannot be read by `pulumi stack export`: spawn .*ENOENT$/);
});
