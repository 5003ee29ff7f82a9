import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { blocksOf } from "./page-blocks";

const root = resolve(__dirname, "..");

/** The first program of a package's README. */
export function exampleOf(readme: string): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "packages", readme), "utf8"))?.[1] ?? "";
  return example.replace("app.synth();", "console.log(app.synthYaml());");
}

/** The examples of docstrings, by the name of what they are of. */
export function docstringExamples(): ReadonlyMap<string, string> {
  const files = ["bridge", "constructs", "infra"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .map((file) => join(root, folder, file)),
  );
  return new Map(
    files.flatMap((file) => {
      const documented =
        /@example\n((?:(?! *\*\/).*\n)*) *\*\/\s+(?:(?:export|async|class|function|public|static) )+(\w+)/g;
      return [...readFileSync(file, "utf8").matchAll(documented)].map(([, lines = "", name = ""]): [string, string] => [
        name,
        lines.replace(/^ *\* ?/gm, "").replace(/^```.*\n/gm, ""),
      ]);
    }),
  );
}

/** Every example in TypeScript of a docstring or a page, by the name of a file. */
export function documentedPrograms(): Readonly<Record<string, string>> {
  const pages = ["docs", "packages"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) => blocksOf(`${folder}/${file}`, "ts")),
  );
  return Object.fromEntries([
    ...[...docstringExamples()].map(([name, text]) => [`${name}.ts`, text]),
    ...pages.map(({ page, code }, index) => [`${page.replaceAll(/\W/g, "-")}-${index}.ts`, code]),
  ]) as Record<string, string>;
}

/** The README's example, and one import of each entry that needs no Pulumi. */
export function yamlProgram(): string {
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
export const pulumiProgram = `
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
export const newerProgram = `
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
export const newerDefaults = /^ *(shareProcessNamespace: false|revisionHistoryLimit: 10)\n/gm;
