import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../../../..");
const typescript = join(root, "test/jest/typescript.js");

test("the page's example makes the class, the mount and the identity that the page says", () => {
  const page = readFileSync(join(root, "docs/azure-key-vault.md"), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  const folder = mkdtempSync(join(root, "node_modules/.cache-example-"));
  try {
    const here = (name: string): string =>
      join(root, `constructs/${name === "azure" ? "stores/azure-key-vault" : name}`);
    const program = example
      .replaceAll(/"aidbox-secrets\/(\w+)"/g, (_, name: string) => JSON.stringify(here(name)))
      .replace("app.synth();", "console.log(app.synthYaml());");
    writeFileSync(join(folder, "program.ts"), program);
    const yaml = execFileSync(process.execPath, ["--require", typescript, join(folder, "program.ts")], {
      cwd: root,
      encoding: "utf8",
    });
    expect(yaml).toContain("name: aidbox-azure-secrets\n");
    expect(yaml).toContain("mountPath: /run/azure-secrets\n");
    expect(yaml).toContain("clientID: 22222222-2222-2222-2222-222222222222\n");
    expect(yaml).toContain("objectName: client-secret\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
