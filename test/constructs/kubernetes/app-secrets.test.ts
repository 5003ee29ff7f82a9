import { Chart, Cron, Duration, Testing } from "cdk8s";
import {
  type ContainerProps,
  CronJob,
  Deployment,
  type DeploymentProps,
  Job,
  ServiceAccount,
  StatefulSet,
  type Workload,
} from "cdk8s-plus-28";
import { AppSecrets, type AppSecretsProps } from "../../../constructs/kubernetes";
import { SecretTable } from "../../../constructs/secrets";
import { AwsStore } from "../../../constructs/stores/aws";
import { KeyVaultStore } from "../../../constructs/stores/azure-key-vault";
import { VaultStore } from "../../../constructs/stores/vault";
import { manifestsOf, yamlOf } from "./fixtures";

const table = new SecretTable({
  mountPath: "/tmp/secrets",
  secrets: [
    { name: "admin-password", path: "keycloak/admin", environment: "KC_BOOTSTRAP_ADMIN_PASSWORD" },
    { name: "tls-key", path: "keycloak/tls" },
  ],
});
const store = new VaultStore({ address: "https://vault.example.com", role: "keycloak" });
const image = "quay.io/keycloak/keycloak:26.4";
const kinds: [string, (chart: Chart, name: string) => Workload][] = [
  ["Deployment", (chart, name) => new Deployment(chart, name, { metadata: { name }, replicas: 2 })],
  [
    "StatefulSet",
    (chart, name) => new StatefulSet(chart, name, { metadata: { name }, containers: [{ image, portNumber: 8080 }] }),
  ],
  ["Job", (chart, name) => new Job(chart, name, { metadata: { name } })],
  ["CronJob", (chart, name) => new CronJob(chart, name, { metadata: { name }, schedule: new Cron({ minute: "0" }) })],
];

function newChart(): Chart {
  return new Chart(Testing.app(), "apps", { namespace: "apps" });
}

function add(chart: Chart, workload: Workload, change: Partial<AppSecretsProps> = {}): AppSecrets {
  if (workload.containers.length === 0) workload.addContainer({ image });
  return new AppSecrets(chart, `${workload.node.id}-secrets`, { workload, table, store, ...change });
}

interface PodSpec {
  readonly initContainers: {
    name: string;
    image: string;
    volumeMounts: { mountPath: string }[];
    command: string[];
    securityContext: { runAsUser?: number };
  }[];
  readonly containers: { env?: unknown[]; volumeMounts: { mountPath: string; readOnly: boolean }[] }[];
  readonly volumes: { name: string; csi?: { nodePublishSecretRef?: object } }[];
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

function templateOf(chart: Chart, kind: string): PodTemplate {
  const { spec } = manifestsOf(chart).find((each) => each.kind === kind) as unknown as {
    spec: { template: PodTemplate; jobTemplate?: { spec: { template: PodTemplate } } };
  };
  return spec.jobTemplate?.spec.template ?? spec.template;
}

test.each(kinds)("a %s gets files, variables and an init container that waits, in its own name", (kind, make) => {
  const chart = newChart();
  add(chart, make(chart, "keycloak"));
  const { spec } = templateOf(chart, kind);
  const mount = { mountPath: "/tmp/secrets", readOnly: true };
  expect(spec.containers[0]!.volumeMounts).toContainEqual(expect.objectContaining(mount));
  expect(spec.containers[0]!.env).toContainEqual({
    name: "KC_BOOTSTRAP_ADMIN_PASSWORD",
    valueFrom: { secretKeyRef: { name: "keycloak-environment", key: "KC_BOOTSTRAP_ADMIN_PASSWORD" } },
  });
  const [waiting] = spec.initContainers;
  expect(waiting).toMatchObject({ name: "wait-for-secrets", image, volumeMounts: [mount] });
  expect(waiting!.command.slice(-2)).toEqual(["/tmp/secrets/admin-password", "/tmp/secrets/tls-key"]);
  const names = manifestsOf(chart).map((each) => `${each.kind} ${each.metadata.name!}`);
  expect(names).toContain("SecretProviderClass keycloak-vault-secrets");
});

test("all of an app with its secrets, published again each 25 s", () => {
  const chart = newChart();
  add(chart, new Deployment(chart, "keycloak", { metadata: { name: "keycloak" }, replicas: 2 }), {
    republishEvery: Duration.seconds(25),
  });
  const yaml = yamlOf(chart);
  expect(yaml).toMatchSnapshot();
  expect(yaml.toLowerCase().replaceAll("aidbox-republisher", "").replaceAll("aidbox-secrets/", "")).not.toContain(
    "aidbox",
  );
});

test("two apps of one namespace do not meet", () => {
  const chart = newChart();
  for (const name of ["keycloak", "grafana"]) {
    add(chart, new Deployment(chart, name, { metadata: { name } }), { republishEvery: Duration.seconds(25) });
  }
  const names = manifestsOf(chart).map(({ kind, metadata }) => `${kind} ${metadata.name!}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("only the containers that are named see the secrets", () => {
  const chart = newChart();
  const deployment = new Deployment(chart, "keycloak", { metadata: { name: "keycloak" } });
  const [app] = [deployment.addContainer({ image }), deployment.addContainer({ image: "proxy:1", name: "proxy" })];
  add(chart, deployment, { containers: [app] });
  const [, proxy] = templateOf(chart, "Deployment").spec.containers;
  expect(proxy!.volumeMounts).toBeUndefined();
  expect(proxy!.env).toBeUndefined();
});

test("waits in another image, where the app's has no shell", () => {
  const chart = newChart();
  add(chart, new Deployment(chart, "keycloak", { metadata: { name: "keycloak" } }), { waitImage: "busybox:1.37" });
  expect(templateOf(chart, "Deployment").spec.initContainers[0]!.image).toBe("busybox:1.37");
});

test.each<[string, DeploymentProps, Partial<ContainerProps>, Partial<AppSecretsProps>, number | undefined]>([
  ["its image's own, as the app does", {}, {}, {}, undefined],
  ["the app's", {}, { securityContext: { user: 1000 } }, {}, 1000],
  ["the pod's", { securityContext: { user: 1000 } }, {}, { waitImage: "busybox:1.37" }, undefined],
  ["nobody, in an image that may be root's", {}, {}, { waitImage: "busybox:1.37" }, 65534],
  ["nobody, where the app is root", {}, { securityContext: { ensureNonRoot: false } }, {}, 65534],
])("waits as a user who is not root: %s", (_, pod, container, change, user) => {
  const chart = newChart();
  const deployment = new Deployment(chart, "web", { metadata: { name: "web" }, ...pod });
  deployment.addContainer({ image, ...container });
  add(chart, deployment, change);
  const [waiting] = templateOf(chart, "Deployment").spec.initContainers;
  expect(waiting!.securityContext).toMatchObject({ runAsNonRoot: true });
  expect(waiting!.securityContext.runAsUser).toBe(user);
});

test.each(kinds)("a %s names the Secret of a service principal on its volume", (kind, make) => {
  const chart = newChart();
  const identity = { type: "service-principal", secretName: "azure-app" } as const;
  const tenantId = "11111111-1111-1111-1111-111111111111";
  add(chart, make(chart, "keycloak"), { store: new KeyVaultStore({ keyVault: "apps-test", tenantId, identity }) });
  const volume = templateOf(chart, kind).spec.volumes.find(({ csi }) => csi !== undefined);
  expect(volume?.csi?.nodePublishSecretRef).toEqual({ name: "azure-app" });
});

test("what the store's identity needs stands on the ServiceAccount", () => {
  const chart = newChart();
  const serviceAccount = new ServiceAccount(chart, "account", { metadata: { name: "keycloak" } });
  const roleArn = "arn:aws:iam::111122223333:role/keycloak";
  add(chart, new Deployment(chart, "keycloak", { metadata: { name: "keycloak" }, serviceAccount }), {
    store: new AwsStore({ region: "eu-central-1", identity: { type: "irsa", roleArn } }),
  });
  expect(serviceAccount.metadata.toJson()).toMatchObject({ annotations: { "eks.amazonaws.com/role-arn": roleArn } });
});

test("a workload without a container, or a Republisher without a namespace, is refused by path", () => {
  const chart = newChart();
  const empty = new Deployment(chart, "keycloak", { metadata: { name: "keycloak" } });
  expect(() => new AppSecrets(chart, "secrets", { workload: empty, table, store })).toThrow(
    "The props of apps/secrets are not valid:\n  workload: apps/keycloak: has no container yet: add it before its secrets",
  );
  const nowhere = new Chart(Testing.app(), "apps");
  const deployment = new Deployment(nowhere, "keycloak", { metadata: { name: "keycloak" } });
  expect(() => add(nowhere, deployment, { republishEvery: Duration.seconds(25) })).toThrow(
    "The props of apps/keycloak-secrets are not valid:\n  republishEvery: the Republisher works in one namespace: give the chart its namespace",
  );
});
