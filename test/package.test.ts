import { execFile, spawnSync } from "node:child_process";
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
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { packageNames } from "../packages/build";
import { checkTypes, runTsc } from "./check-types";
import { bringKept } from "./kept";
import { PublishedPackages } from "./published-packages";
import {
  docstringExamples,
  documentedPrograms,
  exampleOf,
  newerDefaults,
  newerProgram,
  pulumiProgram,
  yamlProgram,
} from "./stranger-programs";
import { typescriptCell } from "./typescript-versions";

const root = resolve(__dirname, "..");

/** All that the packages are made of, and what strangers write. */
const sources = [
  ...["bridge", "constructs", "examples", "imports", "infra", "packages"],
  ...["CHANGELOG.md", "LICENSE", "package.json", "tsconfig.build.json", "tsconfig.json"],
  ...["test/check-types.ts", "test/environments/Pulumi.dev.yaml", "test/package.test.ts", "test/published-packages.ts"],
  "test/stranger-programs.ts",
];

let folder: string;
let published: PublishedPackages;
/** What a compiler said of the programs, by resolution. */
let said: Readonly<Record<string, readonly string[]>>;

beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), "packages-")), "made");
  bringKept(sources, folder, makeStrangers);
  published = new PublishedPackages(folder);
  said = JSON.parse(readFileSync(join(folder, "said.json"), "utf8")) as typeof said;
});
afterAll(() => {
  rmSync(dirname(folder), { recursive: true });
});

const loadedClouds = `
console.log("clouds:", Object.keys(require.cache).filter((file) => /node_modules\\/@(azure|aws|pulumi\\/(azure|aws))/.test(file)).length);
`;

test("the documentation names the versions of TypeScript that a live test tries", () => {
  const page = readFileSync(join(root, "docs/constructs.md"), "utf8").replace(/ +/g, " ");
  for (const name of packageNames) expect(page).toContain(`| \`${name}\` | ${typescriptCell(name)} |`);
});

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

/** Folders of strangers who have installed one package, or all. */
const bridgeAlone = "bridge-alone";
const yamlAlone = "yaml-alone";
const wholeStack = "whole-stack";

/** Programs of each, and those that are ES modules whatever the resolution. */
const programs: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
  [bridgeAlone]: () => ({ "program.ts": exampleOf("cdk8s-pulumi.md") }),
  [yamlAlone]: () => ({ "program.ts": yamlProgram(), "newer.ts": newerProgram, "module.mts": yamlProgram() }),
  [wholeStack]: () => ({ "program.ts": pulumiProgram + loadedClouds, "module.mts": pulumiProgram }),
};

const wrong = "wrong.ts";
const node10 = "CommonJS and node10, as `cdk8s init` makes it";
const resolutions = {
  [node10]: { module: "commonjs", moduleResolution: "node10", noEmit: true },
  // Which writes the JavaScript that the other tests run.
  node16: { module: "node16" },
  nodenext: { module: "nodenext", noEmit: true },
  "a bundler": { module: "esnext", moduleResolution: "bundler", noEmit: true },
};
/** The packages as strangers have installed them, with programs that were checked, and what was said of these by resolution. */
function makeStrangers(folder: string): void {
  const published = PublishedPackages.make(folder);
  const said: Record<string, readonly string[]> = {};
  published.install(bridgeAlone, ["cdk8s-pulumi"]);
  const yaml = published.install(yamlAlone, ["aidbox-secrets"], ["cdk8s-plus-33"]);
  const stack = published.install(wholeStack, packageNames, ["pulumi", "@pulumi/policy"]);
  copyFileSync(join(root, "test/environments/Pulumi.dev.yaml"), join(stack, "Pulumi.dev.yaml"));
  writeFileSync(join(yaml, wrong), 'import { SecretTable } from "aidbox-secrets/secrets";\nnew SecretTable(1);\n');
  cpSync(join(root, "examples"), join(stack, "examples"), { recursive: true });
  const examples = readdirSync(join(stack, "examples"), { recursive: true, encoding: "utf8" });
  mkdirSync(join(stack, "documented"));
  const documented = Object.entries(documentedPrograms()).map(([file, text]) => {
    writeFileSync(join(stack, "documented", file), text);
    return join(wholeStack, "documented", file);
  });
  const files = Object.entries(programs).flatMap(([stranger, made]) =>
    Object.entries(made()).map(([file, text]) => {
      writeFileSync(join(folder, stranger, file), text);
      return join(stranger, file);
    }),
  );
  files.push(join(yamlAlone, wrong));
  const exampleFiles = examples
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(wholeStack, "examples", file));
  const common = { target: "ES2022", strict: true, types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
  // One program of all of them for each resolution: each import is resolved from the folder of the file that has it.
  for (const [name, options] of Object.entries(resolutions)) {
    const own = "moduleResolution" in options ? files.filter((file) => !file.endsWith(".mts")) : files;
    const all = name === "node16" ? [...own, ...exampleFiles, ...documented] : own;
    // TypeScript 7 has it no longer, and takes a fraction of the time for the others; once with the declarations that are imported.
    said[name] =
      name === node10
        ? checkTypes(folder, all, { ...common, ...options, skipLibCheck: true })
            .split("\n")
            .filter(Boolean)
        : runTsc(folder, all, { ...common, ...options, skipLibCheck: name !== "nodenext" });
  }
  writeFileSync(join(folder, "said.json"), JSON.stringify(said));
}

test("what people begin with has an example, and each that is documented is type-checked", () => {
  const beginnings = [
    "AidboxChart",
    "AppSecrets",
    "AwsStore",
    "checkEnvironment",
    "CsiDriver",
    "DeployedChart",
    "deployEnvironment",
    "fromClassName",
    "initBundle",
    "KeyVaultStore",
    "Monitoring",
    "PostgresChart",
    "readPolicy",
    "rotate",
    "SecretTable",
    "Vault",
    "VaultAccess",
    "VaultCsiProvider",
    "VaultStore",
    "verify",
    "withSecrets",
  ];
  expect([...docstringExamples().keys()].sort()).toEqual(beginnings.sort());
  const compiled = readdirSync(join(folder, wholeStack, "documented")).filter((file) => file.endsWith(".js"));
  expect(compiled).toHaveLength(Object.keys(documentedPrograms()).length);
});

describe.each(Object.keys(resolutions))("by %s", (resolution) => {
  test.each(Object.keys(programs))("the programs of %s type-check", (stranger) => {
    const own = said[resolution]!.filter((line) => line.startsWith(`${stranger}/`) && !line.includes(`/${wrong}`));
    expect(own).toEqual([]);
  });

  test("a program that uses a package wrongly is told where, and nothing else is said", () => {
    const told = said[resolution]!.filter((line) => line.includes(wrong));
    expect(told).toEqual([expect.stringMatching(/^yaml-alone\/wrong\.ts\(2,17\): error TS/)]);
    // Errors in the declarations of others are theirs.
    const elsewhere = said[resolution]!.filter(
      (line) => !/^(bridge-alone|yaml-alone|whole-stack)\/|\/node_modules\//.test(line),
    );
    expect(elsewhere).toEqual([]);
  });
});

/** Runs what was compiled. */
function run(stranger: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, args, { cwd: join(folder, stranger), encoding: "utf8" });
}

describe("the bridge's package", () => {
  test("needs cdk8s and Pulumi, and nothing of the other packages", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = published.manifest("cdk8s-pulumi");
    expect(dependencies).toEqual({});
    expect(Object.keys(peerDependencies)).toEqual(["@pulumi/kubernetes", "@pulumi/pulumi", "cdk8s", "constructs"]);
    expect(peerDependenciesMeta).toEqual({});
  });

  test("is loaded where nothing but its peers is installed", () => {
    const { stdout } = run(bridgeAlone, "-e", "console.log(Object.keys(require('cdk8s-pulumi')).join())");
    expect(stdout).toBe("asDependency,DeployedChart,KubernetesObject,OutputTokens\n");
  });
});

describe("the constructs' package", () => {
  test("needs cdk8s, and five small libraries", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = published.manifest("aidbox-secrets");
    expect(Object.keys(dependencies)).toEqual(["cockatiel", "croner", "deepmerge-ts", "fastest-levenshtein", "undici"]);
    const needed = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    expect(needed).toEqual(["cdk8s", "cdk8s-plus-28", "constructs"]);
  });

  test("takes objects of a newer cdk8s-plus, and makes the same of them as of its own", () => {
    const newer = readFileSync(join(folder, yamlAlone, "newer.js"), "utf8");
    writeFileSync(join(folder, yamlAlone, "own.js"), newer.replace("cdk8s-plus-33", "cdk8s-plus-28"));
    const [ofNewer, ofOwn] = ["newer.js", "own.js"].map((file) => run(yamlAlone, file));
    expect(ofNewer!.stdout).toContain("maxSurge: 50%");
    expect(ofNewer!.stdout.replaceAll(newerDefaults, "")).toBe(ofOwn!.stdout);
    expect(ofOwn!.stderr).toBe("");
    // Its own fault: it renders no volumes of a StatefulSet that has no claim templates.
    expect(ofNewer!.stderr).toBe(
      "Error: apps/set: its cdk8s-plus leaves the volume vault-secrets out, as cdk8s-plus-33 does of a StatefulSet without " +
        "volumeClaimTemplates: give it one, or make it with cdk8s-plus-28\n",
    );
  });

  test.each(["program.js", "module.mjs"])(
    "runs where there is no Pulumi, as CommonJS and as an ES module: %s",
    (file) => {
      const { stdout } = run(yamlAlone, file);
      expect(stdout).toContain("secretProviderClass: aidbox-vault-secrets");
      expect(stdout).toContain('"_secret"');
      expect(stdout).toContain("objectName: aidbox-client\n");
    },
  );
});

describe("the stack's package", () => {
  const stranger = (): string => join(folder, wholeStack);

  test("runs in a program, and loads nothing of a cloud's for who has another store", () => {
    const { stdout } = run(wholeStack, "program.js");
    expect(stdout).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\n");
    expect(stdout).toContain("Vault: policy aidbox\n");
    expect(stdout).toContain("\nrotate\nverify\ndeployEnvironment\n");
    expect(stdout).toMatch(/\nclouds: 0\n$/);
  });

  test("has all examples in what is type-checked", () => {
    const compiled = readdirSync(join(stranger(), "examples"), { recursive: true, encoding: "utf8" });
    expect(compiled.filter((file) => file.endsWith(".js")).length).toBeGreaterThan(10);
  });

  describe("the executable", () => {
    const executable = (): string =>
      join(
        stranger(),
        "node_modules/aidbox-secrets-stack",
        published.manifest("aidbox-secrets-stack").bin!["aidbox-secrets"]!,
      );

    /** Runs it as npm's link to it does, where a stranger keeps the environments. */
    function runCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
      return spawnSync(process.execPath, [executable(), ...args], {
        cwd: stranger(),
        encoding: "utf8",
        env: { ...process.env, CHARTS_DIR: undefined, ...env },
      });
    }

    test("starts with the line by which a shell runs it", () => {
      expect(readFileSync(executable(), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    });

    test("explains a secret of the folder's environment with its commands as they are run here, also to machines", () => {
      const { status, stdout, stderr } = runCommand(["explain", "client-secret"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("secret/aidbox/client, key client-secret");
      // Its commands as they are run here.
      expect(stdout).toContain("npx aidbox-secrets ");
      expect(stdout).not.toContain("npm run");
      const { stdout: json } = runCommand(["explain", "client-secret", "--json"]);
      expect(JSON.parse(json)).toMatchObject({ secret: "client-secret", reference: { fields: ["secret"] } });
    });

    test("ends with 2 where there is no such secret, and no such environment", () => {
      const unknown = runCommand(["explain", "db-password"]);
      expect([unknown.status, unknown.stderr]).toEqual([
        2,
        'environment "dev" has no secret "db-password": it has client-secret\n',
      ]);
      const elsewhere = runCommand(["explain", "client-secret", "--env", "prod"]);
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
      const bin = join(stranger(), "bin");
      mkdirSync(bin);
      writeFileSync(
        join(bin, "pulumi"),
        "#!/bin/sh\n[ $1 = preview ] || exit 0\npwd\ncat Pulumi.yaml main.js\nnode -p \"typeof require('./main.js')\"\n",
        {
          mode: 0o755,
        },
      );
      const kubeconfig = join(stranger(), "kubeconfig");
      writeFileSync(
        kubeconfig,
        "apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: " +
          `{ server: 'http://127.0.0.1:${port}', insecure-skip-tls-verify: true } }]\n` +
          "users: [{ name: u, user: {} }]\ncontexts: [{ name: kind-aidbox, context: { cluster: c, user: u } }]\n",
      );
      const PATH = `${bin}:${process.env.PATH ?? ""}`;
      const { stdout } = await promisify(execFile)(process.execPath, [executable(), "preview"], {
        cwd: stranger(),
        env: { ...process.env, PATH, KUBECONFIG: kubeconfig, PULUMI_BACKEND_URL: "file:///nowhere" },
      });
      cluster.close();
      expect(stdout).toContain(`${stranger()}/.state/project\n`);
      expect(stdout).toContain("name: aidbox-secrets\n");
      expect(stdout).toContain("function\n");
    });
  });
});
