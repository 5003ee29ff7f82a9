import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encryptionProblems, unencryptedProblems } from "../../../infra/config/encryption";
import { readEnvironment } from "../../../infra/config/environment-file";

const told = (path: string, key: string): string =>
  `is in plain text: run \`pulumi config set --secret ${path}aidbox-secrets:${key}\`, which reads the value from its ` +
  "input; where others may have read the file, with a new value";

it("quotes a key that a shell would not take as it is", () => {
  const [problem] = unencryptedProblems({ "aidbox-secrets:values": { "it's $(id)": "hunter2" } });
  expect(problem?.message).toContain(String.raw`--path 'aidbox-secrets:values.it'\''s $(id)'`);
});

it("finds every value that is in plain text in a stack's file, at any depth, and no encrypted one", () => {
  const problems = unencryptedProblems({
    "aidbox-secrets:values": {
      license: { secure: "AAABAK2x" },
      password: "hunter2",
      north: { password: { secure: "AAABAK2x" }, pin: 1234, both: { secure: "AAABAK2x", plain: "hunter2" } },
    },
    "aidbox-secrets:vaultToken": "hunter2",
    "aidbox-secrets:sealToken": { secure: "AAABAK2x" },
    "other:values": "hunter2",
  });
  expect(problems).toEqual([
    { key: "values.password", message: told("--path ", "values.password") },
    { key: "values.north.pin", message: told("--path ", "values.north.pin") },
    { key: "values.north.both.secure", message: told("--path ", "values.north.both.secure") },
    { key: "values.north.both.plain", message: told("--path ", "values.north.both.plain") },
    { key: "vaultToken", message: told("", "vaultToken") },
  ]);
});

it("is an error of the file beside all others, and shows no value", () => {
  const folder = mkdtempSync(join(tmpdir(), "encryption-"));
  try {
    const lines = ["config:", "  aidbox-secrets:values: { password: hunter2 }", "  aidbox-secrets:replicas: 2"];
    writeFileSync(join(folder, "Pulumi.dev.yaml"), lines.join("\n"));
    const read = (): unknown => readEnvironment(folder, "dev");
    expect(read).toThrow(`aidbox-secrets:values.password (line 2, column 28): ${told("--path ", "values.password")}`);
    expect(read).toThrow("aidbox-secrets:replicas (line 3, column 3): is not a key that this stack knows");
    expect(read).not.toThrow("hunter2");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("goes by what the engine says where there is no file, and takes no other encrypted key", () => {
  const keys = ["values", "vaultToken", "aidbox", "kubeContext"];
  expect(encryptionProblems(keys, ["aidbox-secrets:values", "aidbox-secrets:aidbox", "other:kubeContext"])).toEqual([
    { key: "vaultToken", message: told("", "vaultToken") },
    {
      key: "aidbox",
      message:
        "is encrypted, and the stack would show it in plain text: of encrypted keys it takes values, vaultToken, sealToken " +
        "alone: write a row of secrets",
    },
  ]);
});
