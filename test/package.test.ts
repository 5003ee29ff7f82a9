import { execFile, execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { checkTypes } from "./check-types";
import { packageNames } from "../packages/build";
import { PublishedPackages } from "./published-packages";
import { exampleOf, newerDefaults, newerProgram, pulumiProgram, yamlProgram } from "./stranger-programs";

const root = resolve(__dirname, "..");

let folder: string;
let published: PublishedPackages;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "packages-"));
  published = new PublishedPackages(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const loadedClouds = `
console.log("clouds:", Object.keys(require.cache).filter((file) => /node_modules\\/@(azure|aws|pulumi\\/(azure|aws))/.test(file)).length);
`;

/** What `tsc` says of programs. */
function check(stranger: string, files: string | readonly string[], compilerOptions: object): string {
  const common = { target: "ES2022", strict: true, skipLibCheck: true, types: ["node"] };
  const typeRoots = [join(root, "node_modules/@types")];
  return checkTypes(stranger, [files].flat(), { ...common, typeRoots, ...compilerOptions });
}

test("the programs import every entry", () => {
  const imported = [
    ...`${yamlProgram()}${pulumiProgram}`.matchAll(/ from "((?:aidbox-secrets|cdk8s-pulumi)[^"]*)"/g),
  ].map(([, entry]) => entry);
  const entries = packageNames.flatMap((name) =>
    Object.keys(published.manifest(name).exports).map((entry) => entry.replace(".", name)),
  );
  const documented = entries.filter((entry) => !/internal|package\.json$/.test(entry));
  expect([...new Set(imported)].sort()).toEqual(documented.sort());
});

describe("the bridge's package", () => {
  let stranger: string;
  beforeAll(() => {
    stranger = published.install("bridge-alone", ["cdk8s-pulumi"]);
    writeFileSync(join(stranger, "program.ts"), exampleOf("cdk8s-pulumi.md"));
  });

  test("needs cdk8s and Pulumi, and nothing of the other packages", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = published.manifest("cdk8s-pulumi");
    expect(dependencies).toEqual({});
    expect(Object.keys(peerDependencies)).toEqual(["@pulumi/kubernetes", "@pulumi/pulumi", "cdk8s", "constructs"]);
    expect(peerDependenciesMeta).toEqual({});
  });

  test.each([
    ["CommonJS and node10", { module: "commonjs", moduleResolution: "node10", noEmit: true }],
    ["node16", { module: "node16" }],
  ])("type-checks in its README's program, by %s", (_, options) => {
    expect(check(stranger, "program.ts", options)).toBe("");
  });

  test("is loaded where nothing but its peers is installed", () => {
    const names = "console.log(Object.keys(require('cdk8s-pulumi')).join())";
    const printed = execFileSync(process.execPath, ["-e", names], { cwd: stranger, encoding: "utf8" });
    expect(printed).toBe("asDependency,DeployedChart,KubernetesObject,OutputTokens\n");
  });
});

describe("the constructs' package", () => {
  let stranger: string;
  beforeAll(() => {
    stranger = published.install("yaml-alone", ["aidbox-secrets"], ["cdk8s-plus-33"]);
    writeFileSync(join(stranger, "program.ts"), yamlProgram());
    writeFileSync(join(stranger, "newer.ts"), newerProgram);
    writeFileSync(join(stranger, "module.mts"), yamlProgram());
    writeFileSync(
      join(stranger, "wrong.ts"),
      'import { SecretTable } from "aidbox-secrets/secrets";\nnew SecretTable(1);\n',
    );
  });

  test("needs cdk8s, and three small libraries", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = published.manifest("aidbox-secrets");
    expect(Object.keys(dependencies)).toEqual(["cockatiel", "croner", "deepmerge-ts", "undici"]);
    const needed = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    expect(needed).toEqual(["cdk8s", "cdk8s-plus-28", "constructs"]);
  });

  test.each<[way: string, options: object, more?: string]>([
    ["CommonJS and node10, as `cdk8s init` makes it", { module: "commonjs", moduleResolution: "node10", noEmit: true }],
    ["nodenext, as CommonJS and as an ES module", { module: "nodenext" }, "module.mts"],
    ["a bundler", { module: "esnext", moduleResolution: "bundler", noEmit: true }],
  ])("type-checks in a program without Pulumi, by %s", (_, options, more = "program.ts") => {
    expect(check(stranger, ["program.ts", more], options)).toBe("");
  });

  test("type-checks with objects of a newer cdk8s-plus, and is found to be used wrongly where it is", () => {
    const said = check(stranger, ["newer.ts", "wrong.ts"], { module: "node16" });
    expect(said).toMatch(/^wrong\.ts\(2,17\): error TS.*\n$/);
  });

  test("makes the same of objects of a newer cdk8s-plus as of those of its own", () => {
    const newer = readFileSync(join(stranger, "newer.js"), "utf8");
    writeFileSync(join(stranger, "own.js"), newer.replace("cdk8s-plus-33", "cdk8s-plus-28"));
    const [ofNewer, ofOwn] = ["newer.js", "own.js"].map((file) =>
      spawnSync(process.execPath, [file], { cwd: stranger, encoding: "utf8" }),
    );
    expect(ofNewer!.stdout).toContain("maxSurge: 50%");
    expect(ofNewer!.stdout.replaceAll(newerDefaults, "")).toBe(ofOwn!.stdout);
    expect(ofOwn!.stderr).toBe("");
    // Its own fault: it renders no volumes of a StatefulSet that has no claim templates.
    expect(ofNewer!.stderr).toBe(
      "Error: apps/set: its cdk8s-plus leaves the volume vault-secrets out, as cdk8s-plus-33 does of a StatefulSet without " +
        "volumeClaimTemplates: give it one, or make it with cdk8s-plus-28\n",
    );
  });

  test("runs where there is no Pulumi", () => {
    const printed = execFileSync(process.execPath, ["program.js"], { cwd: stranger, encoding: "utf8" });
    expect(printed).toContain("secretProviderClass: aidbox-vault-secrets");
    expect(printed).toContain('"_secret"');
    expect(printed).toContain("objectName: aidbox-client\n");
  });

  test("runs as an ES module", () => {
    const printed = execFileSync(process.execPath, ["module.mjs"], { cwd: stranger, encoding: "utf8" });
    expect(printed).toContain("secretProviderClass: aidbox-vault-secrets");
  });
});

describe("the stack's package", () => {
  let stranger: string;
  beforeAll(() => {
    stranger = published.install(
      "whole-stack",
      ["cdk8s-pulumi", "aidbox-secrets", "aidbox-secrets-stack"],
      ["pulumi", "@pulumi/policy"],
    );
    copyFileSync(join(root, "test/environments/Pulumi.dev.yaml"), join(stranger, "Pulumi.dev.yaml"));
    writeFileSync(join(stranger, "program.ts"), pulumiProgram + loadedClouds);
  });

  test("type-checks in a program, by CommonJS and node10", () => {
    const options = { module: "commonjs", moduleResolution: "node10", noEmit: true };
    expect(check(stranger, "program.ts", options)).toBe("");
  });

  test("type-checks in a program and in the examples, which import the constructs' one by name, by node16", () => {
    const programs = join(root, "examples");
    cpSync(programs, join(stranger, "examples"), { recursive: true });
    const files = readdirSync(programs, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(10);
    const examples = files.map((file) => join("examples", file));
    expect(check(stranger, ["program.ts", ...examples], { module: "node16" })).toBe("");
  });

  test("runs in a program, and loads nothing of a cloud's for who has another store", () => {
    const printed = execFileSync(process.execPath, ["program.js"], { cwd: stranger, encoding: "utf8" });
    expect(printed).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\n");
    expect(printed).toContain("Vault: policy aidbox\n");
    expect(printed).toContain("\nrotate\nverify\ndeployEnvironment\n");
    expect(printed).toMatch(/\nclouds: 0\n$/);
  });

  describe("the executable", () => {
    const executable = (): string =>
      join(
        stranger,
        "node_modules/aidbox-secrets-stack",
        published.manifest("aidbox-secrets-stack").bin!["aidbox-secrets"]!,
      );

    /** Runs it as npm's link to it does, where a stranger keeps the environments. */
    function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
      return spawnSync(process.execPath, [executable(), ...args], {
        cwd: stranger,
        encoding: "utf8",
        env: { ...process.env, CHARTS_DIR: undefined, ...env },
      });
    }

    test("starts with the line by which a shell runs it", () => {
      expect(readFileSync(executable(), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    });

    test("explains a secret of the folder's environment, also to machines", () => {
      const { status, stdout, stderr } = run(["explain", "client-secret"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("secret/aidbox/client, key client-secret");
      expect(stdout).toContain("npx aidbox-secrets "); // as commands are run here
      expect(stdout).not.toContain("npm run");
      const { stdout: json } = run(["explain", "client-secret", "--json"]);
      expect(JSON.parse(json)).toMatchObject({ secret: "client-secret", reference: { fields: ["secret"] } });
    });

    test("ends with 2 where there is no such secret, and no such environment", () => {
      const unknown = run(["explain", "db-password"]);
      expect([unknown.status, unknown.stderr]).toEqual([
        2,
        'environment "dev" has no secret "db-password": it has client-secret\n',
      ]);
      const elsewhere = run(["explain", "client-secret", "--env", "prod"]);
      expect(elsewhere.status).toBe(2);
      expect(elsewhere.stderr).toContain("pass --env with one of: dev\n");
    });

    test("hands Pulumi a project of its own, whose program is the package's", async () => {
      const cluster = createServer((_, answer) => {
        answer.setHeader("content-type", "application/json");
        answer.end(JSON.stringify({ major: "1", minor: "34" }));
      });
      await once(cluster.listen(0, "127.0.0.1"), "listening");
      const { port } = cluster.address() as AddressInfo;
      const bin = join(stranger, "bin");
      mkdirSync(bin);
      writeFileSync(
        join(bin, "pulumi"),
        "#!/bin/sh\n[ $1 = preview ] || exit 0\npwd\ncat Pulumi.yaml main.js\nnode -p \"typeof require('./main.js')\"\n",
        {
          mode: 0o755,
        },
      );
      const kubeconfig = join(stranger, "kubeconfig");
      writeFileSync(
        kubeconfig,
        "apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: " +
          `{ server: 'http://127.0.0.1:${port}', insecure-skip-tls-verify: true } }]\n` +
          "users: [{ name: u, user: {} }]\ncontexts: [{ name: kind-aidbox, context: { cluster: c, user: u } }]\n",
      );
      const PATH = `${bin}:${process.env.PATH ?? ""}`;
      const { stdout } = await promisify(execFile)(process.execPath, [executable(), "preview"], {
        cwd: stranger,
        env: { ...process.env, PATH, KUBECONFIG: kubeconfig, PULUMI_BACKEND_URL: "file:///nowhere" },
      });
      cluster.close();
      expect(stdout).toContain(`${stranger}/.state/project\n`);
      expect(stdout).toContain("name: aidbox-secrets\n");
      expect(stdout).toContain("function\n");
    });
  });
});
