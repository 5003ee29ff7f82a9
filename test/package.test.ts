import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "..");

/** The README's example, and one import of each entry point. */
function strangersProgram(): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "";
  return `${example.replace("app.synth();", "console.log(app.synthYaml());")}
import { DeployedChart } from "aidbox-secrets/bridge";
import { CsiDriver, Vault } from "aidbox-secrets/platform";
import { VaultAccess } from "aidbox-secrets/vault";
for (const component of [DeployedChart, CsiDriver, Vault, VaultAccess]) console.log(component.name);
`;
}

test("a stranger's program type-checks against the built package, and runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "stranger-"));
  try {
    const installed = join(folder, "node_modules/aidbox-secrets");
    mkdirSync(installed, { recursive: true });
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const build = ["--project", join(root, "tsconfig.build.json"), "--outDir", join(installed, "lib")];
    execFileSync(process.execPath, [tsc, ...build]);
    cpSync(join(root, "package.json"), join(installed, "package.json"));
    for (const dependency of ["@pulumi", "cdk8s", "cdk8s-plus-28", "constructs", "cockatiel", "deepmerge-ts"]) {
      symlinkSync(join(root, "node_modules", dependency), join(folder, "node_modules", dependency));
    }
    const compilerOptions = { module: "node16", target: "ES2022", strict: true, skipLibCheck: true, types: ["node"] };
    const typeRoots = [join(root, "node_modules/@types")];
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...compilerOptions, typeRoots } }),
    );
    writeFileSync(join(folder, "program.ts"), strangersProgram());
    execFileSync(process.execPath, [tsc, "--project", folder]);
    const printed = execFileSync(process.execPath, ["program.js"], { cwd: folder, encoding: "utf8" });
    expect(printed).toContain("secretProviderClass: aidbox-vault-secrets");
    expect(printed).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
