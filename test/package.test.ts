import { execFileSync, spawnSync } from "node:child_process";
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
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkTypes } from "./check-types";
import { packageNames } from "../packages/build";
import { PublishedPackages } from "./published-packages";

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

function exampleOf(readme: string): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "packages", readme), "utf8"))?.[1] ?? "";
  return example.replace("app.synth();", "console.log(app.synthYaml());");
}

/** The README's example, and one import of each entry that needs no Pulumi. */
function yamlProgram(): string {
  return `${exampleOf("aidbox-secrets.md")}
import { initBundle, withSecrets } from "aidbox-secrets/fhir";
import { KeyVaultStore } from "aidbox-secrets/azure";
import { AwsStore } from "aidbox-secrets/aws";
const table = new SecretTable({
  secrets: [{ name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client" } }],
});
const client = withSecrets(
  table,
  { resourceType: "Client", id: "basic", grant_types: ["basic"] },
  { secret: "client-secret" },
);
console.log(JSON.stringify(initBundle([client])));
console.log(new AwsStore({ identity: { type: "pod-identity" } }).title);
const identity = { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" } as const;
console.log(new KeyVaultStore({ keyVault: "aidbox-test", tenantId: "t", identity }).parameters(table).objects);
`;
}

/** One import of each entry that needs Pulumi. */
const pulumiProgram = `
import { DeployedChart } from "cdk8s-pulumi";
import { CsiDriver, Vault, VaultAccess } from "aidbox-secrets/platform";
import { checkEnvironment, explain, rotate, verify } from "aidbox-secrets-stack/operate";
import { deployEnvironment } from "aidbox-secrets-stack/stack";
for (const component of [DeployedChart, CsiDriver, Vault, VaultAccess]) console.log(component.name);

const environment = checkEnvironment("dev", {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
});
if (environment.vault === undefined) throw new Error("its store is Vault");
console.log(explain(environment, "client-secret").stations.map(({ title }) => title).join("\\n"));
for (const each of [rotate, verify, deployEnvironment]) console.log(each.name);
`;

/** Whatever of cdk8s-plus the constructs take, of the version that `cdk8s init` brings now. */
const newerProgram = `
import { App, Chart, Cron, Duration, Size } from "cdk8s";
import * as kplus from "cdk8s-plus-33";
import { AidboxChart, AidboxGatewayRoute, AidboxIngress, AppSecrets, DevelopmentPostgres, namePublishSecret } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";

const app = new App();
const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox" });
const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "db-password", path: "aidbox/db", environment: "BOX_DB_PASSWORD" },
  ],
});
const volumes = new Chart(app, "volumes");
const resources = {
  cpu: { request: kplus.Cpu.millis(100), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
};
new AidboxChart(app, "aidbox", {
  namespace: "aidbox",
  table,
  store,
  aidbox: {
    image: "healthsamurai/aidboxone:2605",
    imagePull: { policy: kplus.ImagePullPolicy.ALWAYS },
    strategy: kplus.DeploymentStrategy.rollingUpdate({
      maxSurge: kplus.PercentOrAbsolute.percent(50),
      maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
    }),
    resources,
    environment: { NODE: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.NODE_NAME), PLAIN: "text" },
    service: { type: kplus.ServiceType.NODE_PORT },
    ingress: { hosts: ["aidbox.example.com"], pathType: kplus.HttpIngressPathType.EXACT },
    pod: {
      mounts: [
        {
          path: "/data",
          volume: kplus.Volume.fromEmptyDir(volumes, "data", "data", { medium: kplus.EmptyDirMedium.MEMORY }),
          propagation: kplus.MountPropagation.NONE,
        },
      ],
      initContainers: [
        {
          name: "first",
          image: "busybox:1.37",
          imagePullPolicy: kplus.ImagePullPolicy.NEVER,
          envVariables: { PLAIN: kplus.EnvValue.fromValue("text") },
          envFrom: [kplus.Env.fromConfigMap(kplus.ConfigMap.fromConfigMapName(volumes, "config", "config"))],
          ports: [{ number: 1234, protocol: kplus.Protocol.UDP }],
          securityContext: { capabilities: { drop: [kplus.Capability.ALL] } },
          resources,
        },
      ],
      sidecars: [
        {
          name: "beside",
          image: "busybox:1.37",
          readiness: kplus.Probe.fromCommand(["true"], { periodSeconds: Duration.seconds(3) }),
          lifecycle: { preStop: kplus.Handler.fromCommand(["true"]) },
        },
      ],
    },
  },
});
new DevelopmentPostgres(new Chart(app, "postgres", { namespace: "aidbox" }), "postgres", { table, store, from: [], resources });

const chart = new Chart(app, "apps", { namespace: "apps" });
const service = new kplus.Service(chart, "service", { metadata: { name: "web" }, ports: [{ port: 80 }] });
const leading = { name: "web", labels: {}, service };
new AidboxIngress(chart, "ingress", { ...leading, hosts: ["web.example.com"] });
new AidboxGatewayRoute(chart, "route", { ...leading, hostnames: ["web.example.com"], parentRefs: [{ name: "gateway" }] });
const container = { image: "web:1" };
const workloads = [
  new kplus.Deployment(chart, "deployment", { metadata: { name: "deployment" }, containers: [container] }),
  new kplus.Job(chart, "job", { metadata: { name: "job" }, containers: [container] }),
  new kplus.CronJob(chart, "cron", { metadata: { name: "cron" }, schedule: Cron.daily(), containers: [container] }),
];
for (const workload of workloads) {
  const secrets = new AppSecrets(chart, "secrets-" + workload.name, {
    workload,
    containers: workload.containers,
    table,
    store,
    republishEvery: Duration.seconds(5),
  });
  namePublishSecret(workload, secrets.secretProviderClass.mount);
}
console.log(app.synthYaml());

const set = new kplus.StatefulSet(chart, "set", { metadata: { name: "set" }, service, containers: [container] });
try {
  new AppSecrets(chart, "secrets-set", { workload: set, table, store });
} catch (error) {
  console.error(String(error));
}
`;

/** What that version says of each pod and Deployment, and the former left to Kubernetes. */
const newerDefaults = /^ *(shareProcessNamespace: false|revisionHistoryLimit: 10)\n/gm;

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
  });

  test("needs cdk8s, and three small libraries", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = published.manifest("aidbox-secrets");
    expect(Object.keys(dependencies)).toEqual(["cockatiel", "deepmerge-ts", "undici"]);
    const needed = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    expect(needed).toEqual(["cdk8s", "cdk8s-plus-28", "constructs"]);
  });

  test.each([
    ["CommonJS and node10, as `cdk8s init` makes it", { module: "commonjs", moduleResolution: "node10" }],
    ["nodenext", { module: "nodenext" }],
    ["a bundler", { module: "esnext", moduleResolution: "bundler" }],
  ])("type-checks in a program without Pulumi, by %s", (_, options) => {
    expect(check(stranger, "program.ts", { ...options, noEmit: true })).toBe("");
  });

  test("is found to be used wrongly where it is", () => {
    writeFileSync(
      join(stranger, "wrong.ts"),
      'import { SecretTable } from "aidbox-secrets/secrets";\nnew SecretTable(1);\n',
    );
    expect(check(stranger, "wrong.ts", { module: "node16", noEmit: true })).toMatch(/^wrong\.ts\(2,17\): error TS/);
  });

  test("takes objects of a newer cdk8s-plus, and makes the same of them as of its own", () => {
    expect(check(stranger, ["newer.ts", "program.ts"], { module: "node16" })).toBe("");
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
    writeFileSync(join(stranger, "module.mts"), yamlProgram());
    expect(check(stranger, "module.mts", { module: "nodenext" })).toBe("");
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
  });

  test.each([
    ["CommonJS and node10", { module: "commonjs", moduleResolution: "node10", noEmit: true }],
    ["node16", { module: "node16" }],
  ])("type-checks in a program, by %s", (_, options) => {
    writeFileSync(join(stranger, "program.ts"), pulumiProgram + loadedClouds);
    expect(check(stranger, "program.ts", options)).toBe("");
  });

  test("runs in a program, and loads nothing of a cloud's for who has another store", () => {
    const printed = execFileSync(process.execPath, ["program.js"], { cwd: stranger, encoding: "utf8" });
    expect(printed).toContain("DeployedChart\nCsiDriver\nVault\nVaultAccess\n");
    expect(printed).toContain("Vault: policy aidbox\n");
    expect(printed).toContain("\nrotate\nverify\ndeployEnvironment\n");
    expect(printed).toMatch(/\nclouds: 0\n$/);
  });

  test("type-checks with the examples, which import the constructs' one by name", () => {
    const programs = join(root, "examples");
    cpSync(programs, join(stranger, "examples"), { recursive: true });
    const files = readdirSync(programs, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(10);
    const examples = files.map((file) => join("examples", file));
    expect(check(stranger, examples, { module: "node16", noEmit: true })).toBe("");
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
      const { stdout: json } = run(["explain", "client-secret", "--json"]);
      expect(JSON.parse(json)).toMatchObject({ secret: "client-secret", reference: { fields: ["secret"] } });
    });

    test("names its commands as they are run here", () => {
      const { stdout } = run(["explain", "client-secret"]);
      expect(stdout).toContain("npx aidbox-secrets ");
      expect(stdout).not.toContain("npm run");
    });

    test("ends with 2 where there is no such secret, and no such environment", () => {
      const unknown = run(["explain", "db-password"]);
      expect([unknown.status, unknown.stderr]).toEqual([
        2,
        'there is no secret "db-password" in environment "dev", but client-secret\n',
      ]);
      const elsewhere = run(["explain", "client-secret", "--env", "prod"]);
      expect(elsewhere.status).toBe(2);
      expect(elsewhere.stderr).toContain("pass --env with one of: dev\n");
    });

    test("hands Pulumi a project of its own, whose program is the package's", () => {
      const bin = join(stranger, "bin");
      mkdirSync(bin);
      writeFileSync(
        join(bin, "pulumi"),
        "#!/bin/sh\npwd\ncat Pulumi.yaml main.js 2>/dev/null\nnode -p \"typeof require('./main.js')\"\n",
        {
          mode: 0o755,
        },
      );
      const kubeconfig = join(stranger, "kubeconfig");
      writeFileSync(
        kubeconfig,
        "apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: { server: 'https://127.0.0.1:1' } }]\n" +
          "users: [{ name: u, user: {} }]\ncontexts: [{ name: kind-aidbox, context: { cluster: c, user: u } }]\n",
      );
      const PATH = `${bin}:${process.env.PATH ?? ""}`;
      const { stdout } = run(["preview"], { PATH, KUBECONFIG: kubeconfig, PULUMI_BACKEND_URL: "file:///nowhere" });
      expect(stdout).toContain(`${stranger}/.state/project\n`);
      expect(stdout).toContain("name: aidbox-secrets\n");
      expect(stdout).toContain("function\n");
    });
  });
});
