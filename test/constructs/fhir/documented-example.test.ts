import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../../..");

test("the documented example prints the Init Bundle that it says it prints", () => {
  const [, section] = readFileSync(join(root, "docs/constructs.md"), "utf8").split(
    "## Refer to a secret from a FHIR resource\n",
  );
  const example = /```ts\n([\s\S]*?)```/.exec(section!)![1]!;
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const program = join(folder, "example.ts");
    writeFileSync(program, example.replaceAll('"aidbox-secrets/', `"${root}/constructs/`));
    const typescript = join(root, "test/jest/typescript.js");
    const printed = execFileSync(process.execPath, ["--require", typescript, program], { encoding: "utf8" });
    expect(JSON.parse(printed)).toStrictEqual({
      resourceType: "Bundle",
      type: "transaction",
      entry: [
        {
          request: { method: "PUT", url: "Client/basic" },
          resource: {
            resourceType: "Client",
            id: "basic",
            grant_types: ["client_credentials", "basic"],
            _secret: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "client-secret" },
              ],
            },
          },
        },
      ],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
