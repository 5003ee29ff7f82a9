import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageNames } from "../../packages/build";
import { checkTypes } from "../check-types";
import { PublishedPackages } from "../published-packages";
import { pulumiProgram, yamlProgram } from "../stranger-programs";
import { root } from "./harness";

// The packed tarballs by each Node that is kept up. npm has Node itself as a package; no cluster is needed.

const versions = ["20.20.0", "22.23.3", "24.9.0"];
const folder = mkdtempSync(join(tmpdir(), "node-versions-e2e-"));
let stranger: string;

/** Node's executable, by npm's package of it for this machine. */
function install(version: string): string {
  const target = join(folder, version);
  const name = `node-${process.platform}-${process.arch}`;
  execFileSync("npm", [
    "install",
    "--prefix",
    target,
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    `${name}@${version}`,
  ]);
  return join(target, "node_modules", name, "bin/node");
}

beforeAll(() => {
  stranger = PublishedPackages.make(folder).install("app", packageNames, ["pulumi"]);
  copyFileSync(join(root, "test/environments/Pulumi.dev.yaml"), join(stranger, "Pulumi.dev.yaml"));
  writeFileSync(join(stranger, "yaml.ts"), yamlProgram());
  writeFileSync(join(stranger, "yaml.mts"), yamlProgram());
  writeFileSync(join(stranger, "pulumi.ts"), pulumiProgram);
  const typeRoots = [join(root, "node_modules/@types")];
  const options = { target: "ES2022", module: "node16", strict: true, skipLibCheck: true, types: ["node"], typeRoots };
  expect(checkTypes(stranger, ["yaml.ts", "yaml.mts", "pulumi.ts"], options)).toBe("");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(versions)("Node %s", (version) => {
  let node: string;
  beforeAll(() => {
    node = install(version);
  });

  function run(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(node, args, { cwd: stranger, encoding: "utf8" });
    expect({ status, stderr: stderr.replace(/^.*(Experimental|Deprecation)Warning.*\n/gm, "") }).toEqual({
      status: 0,
      stderr: expect.not.stringContaining("Error") as string,
    });
    return stdout;
  }

  test("is that version", () => {
    expect(run("--version")).toBe(`v${version}\n`);
  });

  test.each(["yaml.js", "yaml.mjs"])("runs the constructs: %s", (program) => {
    expect(run(program)).toContain("secretProviderClass: aidbox-vault-secrets");
  });

  test("runs the bridge, the components and the stack's functions", () => {
    expect(run("pulumi.js")).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\n");
  });

  test("runs the command line", () => {
    const executable = join(stranger, "node_modules/aidbox-secrets-stack/infra/cli/main.js");
    expect(run(executable, "explain", "client-secret")).toContain("secret/aidbox/client, key client-secret");
    expect(run(executable, "plan")).toContain("Vault policy aidbox: reads secret/data/aidbox/client");
  });
});
