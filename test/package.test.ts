import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(__dirname, "..");

interface PackageJson {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageJson;
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** Where a stranger has installed the package, and nothing else but what it says it needs. */
let folder: string;
let installed: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stranger-"));
  installed = join(folder, "node_modules/aidbox-secrets");
  mkdirSync(installed, { recursive: true });
  // `npm test` has checked its types.
  const build = ["--project", join(root, "tsconfig.build.json"), "--noCheck", "--outDir", join(installed, "lib")];
  execFileSync(process.execPath, [tsc, ...build]);
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  for (const needed of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = join(folder, "node_modules", needed);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", needed), link);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The documented example, and one import of each entry point. */
function strangersProgram(): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/constructs.md"), "utf8"))?.[1] ?? "";
  return `${example.replace("app.synth();", "console.log(app.synthYaml());")}
import { DeployedChart } from "aidbox-secrets/bridge";
import { initBundle, withSecrets } from "aidbox-secrets/fhir";
import { checkEnvironment, explain, rotate, verify } from "aidbox-secrets/operate";
import { CsiDriver, Vault, VaultAccess } from "aidbox-secrets/platform";
import { VaultClient } from "aidbox-secrets/vault";
import { KeyVaultStore } from "aidbox-secrets/azure";
import { AwsStore } from "aidbox-secrets/aws";
for (const component of [DeployedChart, CsiDriver, Vault, VaultAccess, VaultClient]) console.log(component.name);

const table = new SecretTable({
  secrets: [{ name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client" } }],
});
const client = withSecrets(
  table,
  { resourceType: "Client", id: "basic", grant_types: ["basic"] },
  { secret: "client-secret" },
);
console.log(JSON.stringify(initBundle([client])));

const environment = checkEnvironment("dev", {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
});
if (environment.vault === undefined) throw new Error("its store is Vault");
console.log(explain(environment, "client-secret").stations.map(({ title }) => title).join("\\n"));
for (const each of [rotate, verify]) console.log(each.name);
console.log(new AwsStore({ identity: { type: "pod-identity" } }).title);
const identity = { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" } as const;
console.log(new KeyVaultStore({ keyVault: "aidbox-test", tenantId: "t", identity }).parameters(table).objects);
console.log("clouds:", Object.keys(require.cache).filter((file) => /node_modules\\/@(azure|aws|pulumi\\/(azure|aws))/.test(file)).length);
`;
}

test("the program imports every entry point", () => {
  const imported = [...strangersProgram().matchAll(/ from "aidbox-secrets\/(\w+)"/g)].map(([, entry]) => `./${entry!}`);
  expect([...new Set(imported)].sort()).toEqual(Object.keys(manifest.exports).sort());
});

test("a stranger's program type-checks against the built package, and runs", () => {
  const compilerOptions = { module: "node16", target: "ES2022", strict: true, skipLibCheck: true, types: ["node"] };
  const typeRoots = [join(root, "node_modules/@types")];
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, typeRoots }, files: ["program.ts"] }),
  );
  writeFileSync(join(folder, "program.ts"), strangersProgram());
  const checked = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
  expect(checked.stdout).toBe("");
  const printed = execFileSync(process.execPath, ["program.js"], { cwd: folder, encoding: "utf8" });
  expect(printed).toContain("secretProviderClass: aidbox-vault-secrets");
  expect(printed).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\nVaultClient\n");
  expect(printed).toContain('"_secret"');
  expect(printed).toContain("Vault: policy aidbox\n");
  expect(printed).toContain("\nrotate\nverify\n");
  expect(printed).toContain("objectName: aidbox-client\n");
  // Who has another store loads, and installs, nothing of a cloud's.
  expect(printed).toMatch(/\nclouds: 0\n$/);
});

describe("the executable", () => {
  const executable = (): string => join(installed, manifest.bin["aidbox-secrets"]!);

  /** Runs it as npm's link to it does, where a stranger keeps the environments. */
  function run(...args: readonly string[]) {
    copyFileSync(join(root, "test/environments/Pulumi.dev.yaml"), join(folder, "Pulumi.dev.yaml"));
    return spawnSync(process.execPath, [executable(), ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, CHARTS_DIR: undefined },
    });
  }

  test("starts with the line by which a shell runs it", () => {
    expect(readFileSync(executable(), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("explains a secret of the folder's environment", () => {
    const { status, stdout, stderr } = run("explain", "client-secret");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("secret/aidbox/client, key client-secret");
    expect(stdout).toContain("file /run/vault-secrets/client-secret");
    expect(stdout).toContain('"_secret"');
  });

  test("explains it to machines", () => {
    const { status, stdout } = run("explain", "client-secret", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ secret: "client-secret", reference: { fields: ["secret"] } });
  });

  test("ends with 2 where there is no such secret, and no such environment", () => {
    const unknown = run("explain", "db-password");
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      'there is no secret "db-password" in environment "dev", but client-secret\n',
    ]);
    const elsewhere = run("explain", "client-secret", "--env", "prod");
    expect(elsewhere.status).toBe(2);
    expect(elsewhere.stderr).toContain("pass --env with one of: dev\n");
  });
});
