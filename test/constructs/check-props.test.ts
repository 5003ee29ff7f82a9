import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Chart, Duration, Size, Testing } from "cdk8s";
import { Cpu, Deployment, ServiceAccount } from "cdk8s-plus-28";
import * as bridge from "../../bridge";
import { DeployedChart, KubernetesObject } from "../../bridge";
import * as fhir from "../../constructs/fhir";
import { initBundle, secretReference, withSecrets } from "../../constructs/fhir";
import * as kubernetes from "../../constructs/kubernetes";
import {
  Aidbox,
  AidboxAutoscaler,
  AidboxChart,
  AidboxDisruptionBudget,
  AidboxGatewayRoute,
  AidboxIngress,
  AidboxMetricsService,
  AidboxNetworkPolicy,
  AidboxService,
  AidboxServiceMonitor,
  alertRules,
  AppSecrets,
  dashboard,
  DevelopmentPostgres,
  fitToSite,
  InitBundleConfig,
  Monitoring,
  NetworkGuard,
  passwordTable,
  PodMonitor,
  PodSecurityNamespace,
  PostgresChart,
  Republisher,
  SecretProviderClass,
  VaultConfig,
} from "../../constructs/kubernetes";
import * as platform from "../../constructs/platform";
import {
  AwsCsiProvider,
  AzureCsiProvider,
  AzureKeyVault,
  CsiDriver,
  Vault,
  VaultAccess,
  VaultCsiProvider,
  vaultServerNames,
  VaultSnapshotAccess,
  VaultTls,
} from "../../constructs/platform";
import * as secrets from "../../constructs/secrets";
import { SecretTable } from "../../constructs/secrets";
import * as aws from "../../constructs/stores/aws";
import { AwsStore } from "../../constructs/stores/aws";
import * as azure from "../../constructs/stores/azure-key-vault";
import { KeyVaultClient, KeyVaultStore } from "../../constructs/stores/azure-key-vault";
import * as vault from "../../constructs/stores/vault";
import {
  DatabaseMount,
  enableEngineCommand,
  KvMount,
  makeRoleCommand,
  policyText,
  readPolicy,
  TokenRefusal,
  VaultClient,
  VaultGuards,
  VaultPaths,
  vaultServiceAddress,
  VaultSnapshots,
  VaultStore,
} from "../../constructs/stores/vault";
import * as operate from "../../infra/operate";
import {
  checkEnvironment,
  explain,
  operatorRights,
  readAccess,
  readEnvironment,
  readStatus,
  remake,
  rollBack,
  rotate,
  rotateDue,
  rotateKeypair,
  verify,
} from "../../infra/operate";
import * as program from "../../infra/program";
import { deployEnvironment } from "../../infra/program";
import { Engine } from "../mocks";

const root = resolve(__dirname, "../..");
const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox" });

/** What a construct says of props that no compiler has seen. */
function refusalOf(make: (props: never) => unknown, props: object): string {
  try {
    make(props as never);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return "nothing";
}

const role = { name: "web", serviceAccount: "web", namespace: "apps", audience: "vault", ttl: Duration.minutes(15) };

const chart = (): Chart => new Chart(Testing.app(), "apps", { namespace: "apps" });
const workload = (): Deployment => {
  const deployment = new Deployment(chart(), "web", { metadata: { name: "web" } });
  deployment.addContainer({ image: "nginx" });
  return deployment;
};

function withSecretsAlready(): Deployment {
  const deployment = workload();
  new AppSecrets(deployment, "secrets", { workload: deployment, table, store });
  return deployment;
}

/** What an Aidbox needs beside what is said of it. */
function beside(): object {
  const scope = chart();
  return {
    image: "aidbox",
    secrets: new SecretProviderClass(scope, "class", { table, store }).mount,
    serviceAccount: new ServiceAccount(scope, "account"),
    vaultConfig: new VaultConfig(scope, "config", { table }),
  };
}

beforeEach(async () => {
  await Engine.start({ types: {} });
});

const containerKeys =
  "name, image, imagePullPolicy, port, portNumber, ports, command, args, workingDir, envVariables, envFrom, volumeMounts, readiness, " +
  "liveness, startup, lifecycle, resources, securityContext, restartPolicy";
const securityKeys =
  "user, group, ensureNonRoot, privileged, readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities, seccompProfile";

const rows: readonly {
  what: string;
  make: (props: never) => unknown;
  props: object;
  where: string;
  problems: string[];
}[] = [
  {
    what: "a SecretProviderClass",
    make: (props) => new SecretProviderClass(chart(), "class", props),
    props: { tabel: table, store: {}, name: 5 },
    where: "apps/class",
    problems: [
      "tabel: there is no such prop: did you mean table?",
      "name: 5: write a text",
      "table: is missing: give a SecretTable",
      "store: is an object: give a store, as new VaultStore(…)",
    ],
  },
  {
    what: "a VaultConfig",
    make: (props) => new VaultConfig(chart(), "config", props),
    props: { name: ["a"], table: { secrets: [] } },
    where: "apps/config",
    problems: ["name: is a list: write a text", "table: is an object: give a SecretTable"],
  },
  {
    what: "a Republisher",
    make: (props) => new Republisher(chart(), "republisher", props),
    props: { name: "web", podLabels: "app=web", interval: 30 },
    where: "apps/republisher",
    problems: [
      "namespace: is missing: write a text",
      'podLabels: "app=web": write an object',
      "interval: 30: write a Duration of cdk8s, as Duration.seconds(30)",
    ],
  },
  {
    what: "a Republisher that rolls",
    make: (props) => new Republisher(chart(), "republisher", props),
    props: {
      name: "web",
      namespace: "apps",
      podLabels: {},
      interval: Duration.seconds(5),
      allowTo: [{ peer: { cidr: 10 } }],
      rolls: {
        deployment: 5,
        objects: "a",
        atOnce: ["a", 5],
        schedule: { batch: 30, quietWindow: { fromMinute: 1440 } },
      },
    },
    where: "apps/republisher",
    problems: [
      "allowTo[0].peer.cidr: 10: write a text",
      "allowTo[0].ports: is missing: write a list",
      "rolls.deployment: 5: write a text",
      "rolls.secretProviderClass: is missing: write a text",
      'rolls.objects: "a": write a list',
      "rolls.atOnce[1]: 5: write a text",
      "rolls.schedule.batch: 30: write a Duration of cdk8s, as Duration.seconds(30)",
      "rolls.schedule.quietWindow.fromMinute: 1440: write minutes after midnight, 0 to 1439",
      "rolls.schedule.quietWindow.toMinute: is missing: write minutes after midnight, 0 to 1439",
    ],
  },
  {
    what: "an AppSecrets",
    make: (props) => new AppSecrets(chart(), "secrets", props),
    props: { workload: workload(), table, republishEvery: 30 },
    where: "apps/secrets",
    problems: [
      "store: is missing: give a store, as new VaultStore(…)",
      "republishEvery: 30: write a Duration of cdk8s, as Duration.seconds(30)",
    ],
  },
  {
    what: "an AidboxChart",
    make: (props) => new AidboxChart(Testing.app(), "aidbox", props),
    props: { table, store, image: "aidbox" },
    where: "aidbox",
    problems: [
      "image: there is no such prop: write one of namespace, name, labels, disableResourceNameHashes, table, store, serviceAccount, syncedSecret, " +
        "aidbox, initBundle, republisher, rollSchedule",
      "namespace: is missing: write a text",
      "aidbox: is missing: write an object",
    ],
  },
  {
    what: "an AidboxChart, of what is beside its Aidbox",
    make: (props) => new AidboxChart(Testing.app(), "aidbox", props),
    props: {
      namespace: "aidbox",
      table,
      store,
      aidbox: {},
      serviceAccount: { name: "web" },
      syncedSecret: { type: 5 },
      republisher: { rolls: {} },
      rollSchedule: { window: "night" },
    },
    where: "aidbox",
    problems: [
      "serviceAccount.name: there is no such prop: write one of annotations, labels",
      "syncedSecret.type: 5: write a text",
      "aidbox.image: is missing: write a text",
      "republisher.rolls: there is no such prop: write one of image, priorityClass, logFormat, allowTo, interval",
      "republisher.interval: is missing: write a Duration of cdk8s, as Duration.seconds(30)",
      "rollSchedule.window: there is no such prop: write one of batch, quietWindow",
    ],
  },
  {
    what: "an Aidbox",
    make: (props) => new Aidbox(chart(), "aidbox", props),
    props: { replicas: "3", secrets: { table: {} }, vaultConfig: {} },
    where: "apps/aidbox",
    problems: [
      "image: is missing: write a text",
      'replicas: "3": write a whole number',
      "secrets.table: is an object: give a SecretTable",
      "secrets.syncedSecretName: is missing: write a text",
      "secrets.className: is missing: write a text",
      "serviceAccount: is missing: give a ServiceAccount of cdk8s-plus",
      "vaultConfig: is an object: give a VaultConfig",
    ],
  },
  {
    what: "an Aidbox, of what leads to it, scales and guards it",
    make: (props) => new Aidbox(chart(), "aidbox", props),
    props: {
      ...beside(),
      autoscaling: { max: 3 },
      disruptionBudget: { maxUnavailable: "half" },
      service: { port: "80" },
      ingress: { hosts: "aidbox.example.com" },
      gatewayRoute: { parentRefs: [{ kind: "Gateway" }], hostnames: [5], timeout: 30 },
      serviceMonitor: { interval: "10s" },
      networkPolicy: { from: [{ cidr: 10 }], database: { port: 5432 }, to: [{ peer: "all" }] },
    },
    where: "apps/aidbox",
    problems: [
      "autoscaling.max: there is no such prop: did you mean maxReplicas?",
      "autoscaling.maxReplicas: is missing: write a whole number",
      'disruptionBudget.maxUnavailable: "half": write a whole number, or a share as "50%"',
      'service.port: "80": write a whole number',
      'ingress.hosts: "aidbox.example.com": write a list',
      "gatewayRoute.parentRefs[0].kind: there is no such prop: write one of name, namespace, sectionName",
      "gatewayRoute.parentRefs[0].name: is missing: write a text",
      "gatewayRoute.hostnames[0]: 5: write a text",
      "gatewayRoute.timeout: 30: write a Duration of cdk8s, as Duration.seconds(30)",
      'serviceMonitor.interval: "10s": write a Duration of cdk8s, as Duration.seconds(30)',
      "networkPolicy.from[0].cidr: 10: write a text",
      "networkPolicy.database.peer: is missing: write an object",
      'networkPolicy.to[0].peer: "all": write an object',
      "networkPolicy.to[0].ports: is missing: write a list",
    ],
  },
  {
    what: "an Aidbox, of its pods",
    make: (props) => new Aidbox(chart(), "aidbox", props),
    props: {
      ...beside(),
      imagePull: { policy: "always", secrets: "registry" },
      strategy: { type: "Recreate" },
      placement: {
        nodeSelektor: {},
        tolerations: [{ effect: "NoShedule" }],
        affinity: { podAfinity: {} },
        topologySpread: [{ maxSkew: "1" }],
      },
      resources: {
        cpu: { request: "500m", limit: Cpu.millis(Number.NaN) },
        memory: { request: "2Gi", limits: Size.gibibytes(4), limit: Size.kibibytes(100) },
      },
      probes: {
        path: 5,
        startup: { period: 5 },
        readiness: { failureThreshold: Number.NaN, timeoutSeconds: Duration.millis(500) },
        liveness: null,
      },
      environment: { BOX_ONE: 5, BOX_TWO: { from: "field" }, BOX_THREE: "three" },
      environmentFrom: { configMap: ["one"], secrets: [5] },
      database: { host: "db", name: "aidbox", user: "aidbox", tls: { mode: "verify-full", caConfig: "ca" } },
      security: { runAsUser: 1000, group: "1000" },
      pod: {
        labels: { team: 5 },
        mounts: [{ path: "/data", volume: { name: "data" } }, "data"],
        initContainers: [{ image: "busybox", env: {}, ports: [{ number: "80" }] }],
        sidecars: [{ name: "beside", resources: { memory: { limit: 5 } }, securityContext: { runAsUser: 5 } }],
        terminationGracePeriod: 30,
      },
      annotations: "none",
    },
    where: "apps/aidbox",
    problems: [
      'imagePull.policy: "always": write Always or IfNotPresent or Never',
      'imagePull.secrets: "registry": write a list',
      "strategy: is an object: write a DeploymentStrategy of cdk8s-plus, as DeploymentStrategy.recreate()",
      "placement.nodeSelektor: there is no such prop: did you mean nodeSelector?",
      'placement.tolerations[0].effect: "NoShedule": write NoSchedule or PreferNoSchedule or NoExecute',
      "placement.affinity.podAfinity: there is no such prop: did you mean podAffinity?",
      "placement.topologySpread[0].topologyKey: is missing: write a text",
      'placement.topologySpread[0].maxSkew: "1": write a whole number',
      'resources.cpu.request: "500m": write a Cpu of cdk8s-plus, as Cpu.millis(500)',
      'resources.cpu.limit: "NaNm": write a Cpu of cdk8s-plus, as Cpu.millis(500)',
      "resources.memory.limits: there is no such prop: did you mean limit?",
      'resources.memory.request: "2Gi": write a Size of cdk8s, as Size.gibibytes(1)',
      'resources.memory.limit: "100Ki": write whole mebibytes',
      "probes.path: 5: write a text",
      "probes.startup.period: there is no such prop: did you mean periodSeconds?",
      "probes.readiness.failureThreshold: NaN: write a whole number",
      "probes.readiness.timeoutSeconds: 0.5 s: write whole seconds",
      "probes.liveness: null: write an object",
      'environment.BOX_ONE: is no text: write one, as "5", or an EnvValue of cdk8s-plus',
      'environment.BOX_TWO: is no text: write one, as "5", or an EnvValue of cdk8s-plus',
      "database.tls.caConfig: there is no such prop: did you mean caConfigMap?",
      "database.tls.caConfigMap: is missing: write a text",
      "environmentFrom.configMap: there is no such prop: did you mean configMaps?",
      "environmentFrom.secrets[0]: 5: write a text",
      "security.runAsUser: there is no such prop: write one of readOnlyRootFilesystem, user, group, fsGroup",
      'security.group: "1000": write a whole number',
      "pod.labels.team: 5: write a text",
      "pod.mounts[0].volume: is an object: give a Volume of cdk8s-plus, as Volume.fromEmptyDir(…)",
      'pod.mounts[1]: "data": write an object',
      `pod.initContainers[0].env: there is no such prop: write one of ${containerKeys}`,
      'pod.initContainers[0].ports[0].number: "80": write a whole number',
      "pod.sidecars[0].image: is missing: write a text",
      "pod.sidecars[0].resources.memory.limit: 5: write a Size of cdk8s, as Size.gibibytes(1)",
      `pod.sidecars[0].securityContext.runAsUser: there is no such prop: write one of ${securityKeys}`,
      "pod.terminationGracePeriod: 30: write a Duration of cdk8s, as Duration.seconds(30)",
      'annotations: "none": write an object',
    ],
  },
  {
    what: "an AidboxChart of no props at all",
    make: (props) => new AidboxChart(Testing.app(), "aidbox", props),
    props: null as never,
    where: "aidbox",
    problems: ["props: null: write an object"],
  },
  {
    what: "a PostgresChart of no props at all",
    make: (props) => new PostgresChart(Testing.app(), "postgres", props),
    props: null as never,
    where: "postgres",
    problems: ["props: null: write an object"],
  },
  {
    what: "an AidboxChart, of names and numbers that Kubernetes does not take",
    make: (props) => new AidboxChart(Testing.app(), "aidbox", props),
    props: {
      namespace: "My Apps",
      name: "My_Aidbox",
      table,
      store,
      aidbox: {
        image: "aidbox:1",
        replicas: -1,
        port: 99_999,
        metricsPort: 0,
        security: { user: -5 },
        service: { type: "ExternalName" },
        networkPolicy: { database: { peer: { cidr: "10.0.0.0/8" } }, to: [{ peer: {}, ports: [70_000] }] },
      },
    },
    where: "aidbox",
    problems: [
      'namespace: "My Apps": write a DNS label: up to 63 lower-case letters, digits and dashes',
      'name: "My_Aidbox": write a DNS label: up to 63 lower-case letters, digits and dashes',
      "aidbox.replicas: -1: write 0 or more",
      "aidbox.security.user: -5: write 0 or more",
      "aidbox.port: 99999: write a port, 1 to 65535",
      'aidbox.service.type: "ExternalName": write ClusterIP or NodePort or LoadBalancer',
      "aidbox.metricsPort: 0: write a port, 1 to 65535",
      "aidbox.networkPolicy.to[0].ports[0]: 70000: write a port, 1 to 65535",
    ],
  },
  {
    what: "an AppSecrets, of containers of another workload and none of the pod",
    make: (props) => new AppSecrets(chart(), "secrets", props),
    props: { workload: workload(), table, store, containers: workload().containers },
    where: "apps/secrets",
    problems: ["containers[0]: is none of apps/web: add it to that first"],
  },
  {
    what: "an AppSecrets, of a workload that has one",
    make: (props) => new AppSecrets(chart(), "secrets", props),
    props: { workload: withSecretsAlready(), table, store },
    where: "apps/secrets",
    problems: ["workload: apps/web: has secrets already: write all rows into one table"],
  },
  {
    what: "a VaultStore whose address is no URL",
    make: (props) => new VaultStore(props),
    props: { address: "vault.example.com", role: "aidbox" },
    where: "VaultStore",
    problems: ['address: "vault.example.com": write a URL, as https://vault.example.com:8200'],
  },
  {
    what: "a KeyVaultStore whose key vault is a URL",
    make: (props) => new KeyVaultStore(props),
    props: { keyVault: "https://aidbox.vault.azure.net", tenantId: "t", identity: { type: "node" } },
    where: "KeyVaultStore",
    problems: [
      'keyVault: "https://aidbox.vault.azure.net": write the name of the key vault alone, as aidbox-prod: 3 to 24 letters, ' +
        "digits and single '-', a letter first",
    ],
  },
  {
    what: "an AwsStore of a region and a role that are none",
    make: (props) => new AwsStore(props),
    props: { region: "europe", identity: { type: "irsa", roleArn: "aidbox" } },
    where: "AwsStore",
    problems: [
      'region: "europe": write a region of AWS, as eu-central-1',
      'identity.roleArn: "aidbox": write the role\'s ARN, as arn:aws:iam::111122223333:role/aidbox',
    ],
  },
  {
    what: "an AidboxAutoscaler",
    make: (props) => new AidboxAutoscaler(chart(), "scaler", props),
    props: { name: "web", labels: {}, deployment: {}, maxReplicas: 3 },
    where: "apps/scaler",
    problems: ["deployment: is an object: give a Deployment of cdk8s-plus", "containerName: is missing: write a text"],
  },
  {
    what: "an AidboxDisruptionBudget",
    make: (props) => new AidboxDisruptionBudget(chart(), "budget", props),
    props: { name: "web", labels: "app=web", minAvailable: 1.5 },
    where: "apps/budget",
    problems: ['minAvailable: 1.5: write a whole number, or a share as "50%"', 'labels: "app=web": write an object'],
  },
  {
    what: "an AidboxIngress",
    make: (props) => new AidboxIngress(chart(), "ingress", props),
    props: { name: "web", labels: {}, hosts: [], tls: "no" },
    where: "apps/ingress",
    problems: ['tls: "no": write true or false', "service: is missing: give a Service of cdk8s-plus"],
  },
  {
    what: "an AidboxGatewayRoute",
    make: (props) => new AidboxGatewayRoute(chart(), "route", props),
    props: { name: "web", labels: {}, hostnames: [], service: {} },
    where: "apps/route",
    problems: ["parentRefs: is missing: write a list", "service: is an object: give a Service of cdk8s-plus"],
  },
  {
    what: "an AidboxService",
    make: (props) => new AidboxService(chart(), "service", props),
    props: { name: "web", labels: {}, port: 80 },
    where: "apps/service",
    problems: ["webPort: is missing: write a whole number"],
  },
  {
    what: "an AidboxMetricsService",
    make: (props) => new AidboxMetricsService(chart(), "metrics", props),
    props: { name: "web", metricsPort: "metrics" },
    where: "apps/metrics",
    problems: ["labels: is missing: write an object", 'metricsPort: "metrics": write a whole number'],
  },
  {
    what: "an AidboxServiceMonitor",
    make: (props) => new AidboxServiceMonitor(chart(), "monitor", props),
    props: { name: "web", labels: ["a"] },
    where: "apps/monitor",
    problems: ["labels: is a list: write an object", "serviceLabels: is missing: write an object"],
  },
  {
    what: "an AidboxNetworkPolicy",
    make: (props) => new AidboxNetworkPolicy(chart(), "policy", props),
    props: { name: "web", labels: {}, database: { peer: {} }, from: {} },
    where: "apps/policy",
    problems: ["from: is an object: write a list", "webPort: is missing: write a whole number"],
  },
  {
    what: "a NetworkGuard",
    make: (props) => new NetworkGuard(chart(), "guard", props),
    props: { podLabels: { app: "web" }, from: [{ peers: [{ cidr: "10.0.0.0/8" }] }], to: [{ ports: ["443"] }] },
    where: "apps/guard",
    problems: [
      "name: is missing: write a text",
      "from[0].ports: is missing: write a list",
      "to[0].peer: is missing: write an object",
      'to[0].ports[0]: "443": write a whole number',
    ],
  },
  {
    what: "a NetworkGuard that would open more than it says",
    make: (props) => new NetworkGuard(chart(), "guard", props),
    props: {
      name: "web",
      podLabels: { app: "web" },
      from: [{ peers: [{}, { cidr: "10.0.0.1" }], ports: [] }],
      to: [{ peer: {}, ports: [443] }],
    },
    where: "apps/guard",
    problems: [
      "from[0].peers[0]: {}: names nobody: write podLabels, namespaceLabels or cidr",
      'from[0].peers[1].cidr: "10.0.0.1": is no range of addresses: did you mean "10.0.0.1/32"?',
      "from[0].ports: []: would open every port: name at least one, as [443]",
      "to[0].peer: {}: names nobody: write podLabels, namespaceLabels or cidr",
    ],
  },
  {
    what: "a VaultGuards",
    make: (props) => new VaultGuards(chart(), "guards", props),
    props: { servers: { release: "vault", namespace: "vault" }, allowFrom: {}, allowTo: [{ peer: {}, ports: [] }] },
    where: "apps/guards",
    problems: [
      "servers.release: there is no such prop: did you mean releaseName?",
      "servers.releaseName: is missing: write a text",
      "allowFrom: is an object: write a list",
    ],
  },
  {
    what: "a PodSecurityNamespace",
    make: (props) => new PodSecurityNamespace(chart(), "namespace", props),
    props: { level: "strict", labels: "team=web" },
    where: "apps/namespace",
    problems: [
      "name: is missing: write a text",
      'level: "strict": write privileged or baseline or restricted',
      'labels: "team=web": write an object',
    ],
  },
  {
    what: "a PodSecurityNamespace of no name that Kubernetes takes",
    make: (props) => new PodSecurityNamespace(chart(), "namespace", props),
    props: { name: "My Apps", level: "baseline" },
    where: "apps/namespace",
    problems: ['name: "My Apps": write a DNS label: up to 63 lower-case letters, digits and dashes'],
  },
  {
    what: "fitToSite",
    make: (props) => {
      fitToSite(chart(), props);
    },
    props: { registry: "registry.example.com", assignsUsers: "yes", tolerations: {} },
    where: "fitToSite(apps)",
    problems: [
      "registry: there is no such prop: write one of images, assignsUsers, nodeSelector, tolerations",
      'assignsUsers: "yes": write true or false',
      "tolerations: is an object: write a list",
    ],
  },
  {
    what: "a PodMonitor",
    make: (props) => new PodMonitor(chart(), "monitor", props),
    props: { name: "web", namespace: "apps", labels: {}, podLabels: {}, port: 8080, interval: "30s", tls: {} },
    where: "apps/monitor",
    problems: [
      "port: 8080: write a text",
      'interval: "30s": write a Duration of cdk8s, as Duration.seconds(30)',
      "tls.caConfigMap: is missing: write a text",
      "tls.serverName: is missing: write a text",
    ],
  },
  {
    what: "a Monitoring",
    make: (props) => new Monitoring(chart(), "monitoring", props),
    props: { name: "web", namespace: "apps", watched: { vault: { namespace: "vault", certificateEnd: "2027" } } },
    where: "apps/monitoring",
    problems: [
      "watched.environment: is missing: write a text",
      "watched.vault.name: is missing: write a text",
      'watched.vault.certificateEnd: "2027": write a Date',
      "watched.republishers: is missing: write a list",
      "watched.hasAges: is missing: write true or false",
    ],
  },
  {
    what: "a TokenRefusal",
    make: (props) => new TokenRefusal(chart(), "refusal", props),
    props: { name: "no-tokens", serviceAccount: "provider" },
    where: "apps/refusal",
    problems: ['serviceAccount: "provider": write an object'],
  },
  {
    what: "a VaultSnapshots",
    make: (props) => new VaultSnapshots(chart(), "snapshots", props),
    props: {
      servers: { releaseName: "vault" },
      address: "https://vault.vault:8200",
      caConfigMapName: "ca",
      login: { authMount: "kubernetes", role: "snapshots", audience: 5 },
      schedule: "0 0 * * *",
      keep: "7",
      storage: { size: 10 },
      copies: { bucket: "snapshots" },
    },
    where: "apps/snapshots",
    problems: [
      "servers.namespace: is missing: write a text",
      "login.audience: 5: write a text",
      'keep: "7": write a whole number',
      "storage.size: 10: write a Size of cdk8s, as Size.gibibytes(1)",
      "copies.image: is missing: write a text",
    ],
  },
  {
    what: "a VaultSnapshotAccess",
    make: (props) => new VaultSnapshotAccess("snapshots", props),
    props: { method: "token", authMount: "kubernetes", role: { name: "snapshots", ttl: "15m" } },
    where: "VaultSnapshotAccess snapshots",
    problems: [
      'method: "token": write kubernetes or jwt',
      "role.serviceAccount: is missing: write a text",
      "role.namespace: is missing: write a text",
      "role.audience: is missing: write a text",
      'role.ttl: "15m": write a Duration of cdk8s, as Duration.seconds(30)',
    ],
  },
  {
    what: "an AzureKeyVault",
    make: (props) => new AzureKeyVault("azure", props),
    props: { keyVault: "aidbox", tenant: "t", serviceAccounts: [{ name: "aidbox" }], purgeProtection: "yes" },
    where: "AzureKeyVault azure",
    problems: [
      "tenant: there is no such prop: did you mean tenantId?",
      "tenantId: is missing: write a text",
      "resourceGroup: is missing: write a text",
      "issuer: is missing: give it",
      "serviceAccounts[0].namespace: is missing: write a text",
      'purgeProtection: "yes": write true or false',
    ],
  },
  {
    what: "a VaultStore",
    make: (props) => new VaultStore(props),
    props: { adress: "https://vault.example.com", role: 5, provider: "consul" },
    where: "VaultStore",
    problems: [
      "adress: there is no such prop: did you mean address?",
      "address: is missing: write a text",
      "role: 5: write a text",
      'provider: "consul": write vault or openbao',
    ],
  },
  {
    what: "a VaultPaths",
    make: (props) => new VaultPaths(props),
    props: { mount: "secret", kvMount: 5 },
    where: "VaultPaths",
    problems: ["mount: there is no such prop: did you mean kvMount?", "kvMount: 5: write a text"],
  },
  {
    what: "a KeyVaultStore",
    make: (props) => new KeyVaultStore(props),
    props: { keyVault: "aidbox", identity: "workload", cloud: "mars" },
    where: "KeyVaultStore",
    problems: [
      "tenantId: is missing: write a text",
      'identity: "workload": write an object',
      'cloud: "mars": write public or us-government or china',
    ],
  },
  {
    what: "a KeyVaultStore whose identity is not whole",
    make: (props) => new KeyVaultStore(props),
    props: { keyVault: "aidbox", tenantId: "t", identity: { type: "workload", client: "c" } },
    where: "KeyVaultStore",
    problems: [
      "identity.client: there is no such prop: did you mean clientId?",
      "identity.clientId: is missing: write a text",
    ],
  },
  {
    what: "a KeyVaultStore of an unknown identity",
    make: (props) => new KeyVaultStore(props),
    props: { keyVault: "aidbox", tenantId: "t", identity: { type: "managed" } },
    where: "KeyVaultStore",
    problems: ['identity.type: "managed": write workload or node or service-principal'],
  },
  {
    what: "an AwsStore",
    make: (props) => new AwsStore(props),
    props: { region: 5 },
    where: "AwsStore",
    problems: ["region: 5: write a text", "identity: is missing: write an object"],
  },
  {
    what: "an AwsStore whose identity is not whole",
    make: (props) => new AwsStore(props),
    props: { identity: { type: "irsa", role: "aidbox" } },
    where: "AwsStore",
    problems: [
      "identity.role: there is no such prop: did you mean roleArn?",
      "identity.roleArn: is missing: write a text",
    ],
  },
  {
    what: "a VaultAccess",
    make: (props) => new VaultAccess("access", props),
    props: { table, login: "jwt", role: { ...role, ttl: 900 }, readers: [{ role, table: {} }], keepsValues: "no" },
    where: "VaultAccess access",
    problems: [
      'login: "jwt": write an object',
      "role.ttl: 900: write a Duration of cdk8s, as Duration.seconds(30)",
      "readers[0].table: is an object: give a SecretTable",
      'keepsValues: "no": write true or false',
      "connection: is missing: give an Output, as pulumi.output({ address, token })",
    ],
  },
  {
    what: "a VaultAccess whose table does not fit Vault",
    make: (props) => new VaultAccess("access", props),
    props: {
      table: new SecretTable({ secrets: [{ name: "client-secret", path: "data/client" }] }),
      login: { method: "kubernetes" },
      role,
      connection: pulumi.output({}),
    },
    where: "VaultAccess access",
    problems: ['secrets[0].path: "data/client": leave out data/ and metadata/: they are added'],
  },
  {
    what: "a Vault",
    make: (props) => new Vault("vault", props),
    props: { namespace: "vault", server: { mode: "ha", replicas: 2, storage: { size: "1Gi" } } },
    where: "Vault vault",
    problems: [
      'server.storage.size: "1Gi": write a Size of cdk8s, as Size.gibibytes(1)',
      "server.tls: is missing: write an object",
      "server.replicas: 2: write 3 or 5",
    ],
  },
  {
    what: "a DevelopmentPostgres",
    make: (props) => new DevelopmentPostgres(chart(), "postgres", props),
    props: { user: 5, table, from: "aidbox", storage: "1Gi", pvc: true },
    where: "apps/postgres",
    problems: [
      "pvc: there is no such prop: write one of name, image, database, user, table, store, from, storage, storageClass, resources",
      "user: 5: write a text",
      "store: is missing: give a store, as new VaultStore(…)",
      'from: "aidbox": write a list',
      'storage: "1Gi": write a Size of cdk8s, as Size.gibibytes(1)',
    ],
  },
  {
    what: "a DevelopmentPostgres with a name that is too long and a table without a password",
    make: (props) => new DevelopmentPostgres(chart(), "postgres", props),
    props: { name: "p".repeat(53), table, store, from: [] },
    where: "apps/postgres",
    problems: [
      `name: "${"p".repeat(53)}" has 53 characters: shorten it to 52`,
      "table: no row has environment: BOX_DB_PASSWORD: give the database's password that",
    ],
  },
  {
    what: "a PostgresChart",
    make: (props) => new PostgresChart(Testing.app(), "database", props),
    props: { name: "", table, republisher: true },
    where: "database",
    problems: [
      "table: there is no such prop: write one of namespace, name, labels, disableResourceNameHashes, postgres, republisher",
      "namespace: is missing: write a text",
      'name: "": write a text',
      "postgres: is missing: write an object",
      "republisher: true: write an object",
    ],
  },
  {
    what: "an InitBundleConfig",
    make: (props) => new InitBundleConfig(chart(), "bundle", props),
    props: { table: {}, resources: [{ resourceType: "Client", id: "basic" }, "Client/basic"], type: "collection" },
    where: "apps/bundle",
    problems: [
      "table: is an object: give a SecretTable",
      'resources[1]: "Client/basic": write an object',
      'type: "collection": write transaction or batch',
    ],
  },
  {
    what: "a CsiDriver",
    make: (props) => new CsiDriver("driver", props),
    props: {
      tokenAudiences: "vault",
      chart: { name: "driver" },
      syncSecrets: "yes",
      rotationPollInterval: 1,
      version: "1.6.1",
    },
    where: "CsiDriver driver",
    problems: [
      "version: there is no such prop: write one of chart, releaseName, values, repair, namespace, tokenAudiences, syncSecrets, " +
        "rotationPollInterval, priorityClass, logFormat, labels, site",
      "chart: lacks a text: write { repository, name, version }, or { path } of a folder or archive",
      'tokenAudiences: "vault": write a list',
      'syncSecrets: "yes": write true or false',
      "rotationPollInterval: 1: write a Duration of cdk8s, as Duration.seconds(30)",
    ],
  },
  {
    what: "a VaultCsiProvider",
    make: (props) => new VaultCsiProvider("provider", props),
    props: { namespace: 5, chart: { path: "" }, releaseName: pulumi.output("vault") },
    where: "VaultCsiProvider provider",
    problems: [
      "chart: lacks a text: write { repository, name, version }, or { path } of a folder or archive",
      "releaseName: is an Output of Pulumi's: write a text",
      "address: is missing: give it",
      "namespace: 5: write a text",
    ],
  },
  {
    what: "an AzureCsiProvider",
    make: (props) => new AzureCsiProvider("provider", props),
    props: { site: "openshift" },
    where: "AzureCsiProvider provider",
    problems: ["namespace: is missing: write a text", 'site: "openshift": write an object'],
  },
  {
    what: "an AwsCsiProvider",
    make: (props) => new AwsCsiProvider("provider", props),
    props: { values: [] },
    where: "AwsCsiProvider provider",
    problems: ["values: is a list: write an object", "namespace: is missing: write a text"],
  },
  {
    what: "a VaultTls, whose keys are not shown",
    make: (props) => new VaultTls("tls", props),
    props: {
      releaseName: "vault",
      namespace: "vault",
      names: { dns: ["vault", 5], ip: "127.0.0.1" },
      source: { caCert: "PEM", caKey: "-----BEGIN PRIVATE KEY-----", trusted: "PEM", cert: "PEM" },
    },
    where: "VaultTls tls",
    problems: [
      "source.key: is missing: give it",
      "names.dns[1]: 5: write a text",
      'names.ip: "127.0.0.1": write a list',
    ],
  },
  {
    what: "a VaultTls of cert-manager",
    make: (props) => new VaultTls("tls", props),
    props: {
      releaseName: "vault",
      namespace: "vault",
      names: { dns: [], ip: [] },
      source: { certManager: { name: "issuer", kind: "issuer" } },
    },
    where: "VaultTls tls",
    problems: [
      'source.certManager.kind: "issuer": write Issuer or ClusterIssuer',
      "source.trusted: is missing: give it",
    ],
  },
  {
    what: "a Vault of an unknown mode, whose token is not shown",
    make: (props) => new Vault("vault", props),
    props: { namespace: "vault", server: { mode: "prod" }, devRootToken: 5, repair: 7 },
    where: "Vault vault",
    problems: ['server.mode: "prod": write dev or standalone or ha', "repair: 7: write a text"],
  },
];

test.each(rows)(
  "$what says by its path all that is wrong with props without types",
  ({ make, props, where, problems }) => {
    const lines = problems.map((problem) => `  ${problem}`);
    expect(refusalOf(make, props)).toBe([`Error: The props of ${where} are not valid:`, ...lines].join("\n"));
  },
);

/** What a function says of arguments that no compiler has seen. */
async function refusedArguments(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "nothing";
}

/** A function, or a class that is made with arguments in their order, as one without types calls it. */
type Untyped = (...args: readonly unknown[]) => unknown;
const untyped = (called: unknown): Untyped => called as Untyped;
const notChecked =
  "environment: is no checked environment: give what checkEnvironment or readEnvironment of aidbox-secrets-stack/operate returns";
const environment = checkEnvironment("dev", {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
});
const watched = { environment: "dev", republishers: [{ namespace: "apps" }], hasAges: 1 };
const watchedProblems = ["republishers[0].deployment: is missing: write a text", "hasAges: 1: write true or false"];
const client = new VaultClient({ address: "https://vault.example.com", token: "" });

const calls: readonly { name: string; call: () => unknown; problems: string[] }[] = [
  {
    name: "VaultClient",
    call: () => new VaultClient({ adress: "https://vault", token: 5, clientCertificate: { cert: "PEM" } } as never),
    problems: [
      "adress: there is no such prop: did you mean address?",
      "address: is missing: write a text",
      "token: is no text: write a text",
      "clientCertificate.key: is missing: write a text",
    ],
  },
  {
    name: "KeyVaultClient",
    call: () =>
      new KeyVaultClient({ credential: { type: "password", tenantId: "t", clientSecret: 5 }, cloud: "x" } as never),
    problems: [
      "keyVault: is missing: write a text",
      "credential.clientId: is missing: write a text",
      "credential.clientSecret: is no text: write a text",
      'cloud: "x": write public or us-government or china',
    ],
  },
  {
    name: "KvMount",
    call: () => new KvMount({} as never, undefined as never),
    problems: ["client: is an object: give a VaultClient", "mount: is missing: write a text"],
  },
  { name: "DatabaseMount", call: () => new DatabaseMount(client, 5 as never), problems: ["mount: 5: write a text"] },
  { name: "alertRules", call: () => alertRules(watched as never), problems: watchedProblems },
  { name: "dashboard", call: () => dashboard(watched as never), problems: watchedProblems },
  {
    name: "policyText",
    call: () => policyText([{ path: "secret/data/web", capabilities: "read" }] as never),
    problems: ['rules[0].capabilities: "read": write a list'],
  },
  {
    name: "policyText",
    call: () => policyText([{ path: "secret/data/web", capabilities: ["read", "raed"] }]),
    problems: [
      'rules[0].capabilities[1]: "raed": write create or read or update or patch or delete or list or sudo or deny or subscribe or recover',
    ],
  },
  {
    name: "readPolicy",
    call: () => untyped(readPolicy)({}, "secret", 5),
    problems: [
      "table: is an object: give a SecretTable",
      'paths: "secret": give a VaultPaths',
      "mark: 5: write a text",
    ],
  },
  { name: "passwordTable", call: () => untyped(passwordTable)(), problems: ["table: is missing: give a SecretTable"] },
  {
    name: "vaultServiceAddress",
    call: () => untyped(vaultServiceAddress)("vault"),
    problems: ["namespace: is missing: write a text"],
  },
  {
    name: "vaultServerNames",
    call: () => untyped(vaultServerNames)("vault"),
    problems: ["namespace: is missing: write a text"],
  },
  {
    name: "enableEngineCommand",
    call: () => untyped(enableEngineCommand)("vault"),
    problems: ["mount: is missing: write a text"],
  },
  {
    name: "makeRoleCommand",
    call: () => untyped(makeRoleCommand)("vault", "database"),
    problems: ["name: is missing: write a text"],
  },
  {
    name: "initBundle",
    call: () => untyped(initBundle)([{ resourceType: "Client" }], { type: "collection" }),
    problems: ["resources[0].id: is missing: write a text", 'options.type: "collection": write transaction or batch'],
  },
  {
    name: "withSecrets",
    call: () => untyped(withSecrets)(table, { id: "basic" }, "client-secret"),
    problems: ["resource.resourceType: is missing: write a text", 'secrets: "client-secret": write an object'],
  },
  {
    name: "withSecrets",
    call: () =>
      untyped(withSecrets)(table, { resourceType: "Client", id: "basic" }, { secret: ["one", 5], other: null }),
    problems: ["secrets.secret[1]: 5: write a text", "secrets.other: null: write a text"],
  },
  {
    name: "secretReference",
    call: () => untyped(secretReference)(table, { resourceType: "Client", id: "basic", field: "secret" }),
    problems: ["secretName: is missing: write a text"],
  },
  {
    name: "checkEnvironment",
    call: () => untyped(checkEnvironment)({ secrets: [] }),
    problems: ["name: is an object: write a text", "config: is missing: write an object"],
  },
  ...[deployEnvironment, verify, readStatus, readAccess, rotateDue].map((called) => ({
    name: called.name,
    call: () => untyped(called)({ secrets: [] }),
    problems: [notChecked],
  })),
  {
    name: "rollBack",
    call: () => untyped(rollBack)("dev", "client-secret"),
    problems: [notChecked, "version: is missing: give it"],
  },
  {
    name: "rotate",
    call: () => untyped(rotate)(environment, "client-secret", () => "x", { timeout: 5, restart: "yes" }),
    problems: [
      "options.timeout: there is no such prop: did you mean timeoutSeconds?",
      'options.restart: "yes": write true or false',
    ],
  },
  {
    name: "verify",
    call: () => untyped(verify)(environment, { onProgress: 5 }),
    problems: ["options.onProgress: is no function: write one that gives it"],
  },
  ...[readStatus, readAccess].map((called) => ({
    name: called.name,
    call: () => untyped(called)(environment, { token: "hvs.secret", vaultToken: 5 }),
    problems: [
      "options.token: there is no such prop: write one of vaultToken",
      "options.vaultToken: is no text: write a text",
    ],
  })),
  {
    name: "readEnvironment",
    call: () => untyped(readEnvironment)(),
    problems: ["folder: is missing: write a text", "name: is missing: write a text"],
  },
  ...[explain, remake].map((called) => ({
    name: called.name,
    call: () => untyped(called)("dev"),
    problems: [notChecked, "name: is missing: write a text"],
  })),
  {
    name: "rotate",
    call: () => untyped(rotate)("dev", "client-secret", "swordfish"),
    problems: [notChecked, "value: is no function: write one that gives it"],
  },
  {
    name: "rotateKeypair",
    call: () => untyped(rotateKeypair)("dev", "keys", "PEM"),
    problems: [notChecked, "pem: is no function: write one that gives it"],
  },
  {
    name: "operatorRights",
    call: () => untyped(operatorRights)("dev", "admin", "team"),
    problems: [notChecked, 'role: "admin": write viewer or rotator or writer or scheduler or auditor or stack'],
  },
];

test.each(calls)("$name says all that is wrong with arguments without types", async ({ name, call, problems }) => {
  const lines = problems.map((problem) => `  ${problem}`);
  expect(await refusedArguments(call)).toBe([`The arguments of ${name} are not valid:`, ...lines].join("\n"));
});

test("the bridge says what it is to be given", async () => {
  await Engine.start({ types: { "cdk8s-pulumi:index:DeployedChart": {} } });
  const built = (build: (builder: Record<string, Untyped>, made: Chart) => unknown): string =>
    refusalOf(
      () =>
        new DeployedChart("web", (builder) => {
          const made = new Chart(builder.app, "web");
          build(builder as never, made);
          return made;
        }),
      {},
    );
  expect(built(({ waitFor }) => waitFor!())).toBe("Error: waitFor: give a construct of the chart");
  expect(built(({ renamed }) => renamed!("web"))).toBe("Error: renamed: give a construct of the chart");
  expect(built(({ waitFor }, made) => waitFor!(made, 5))).toBe(
    "Error: what is waited for is no resource and no Output: give one",
  );
  expect(refusalOf((build) => new DeployedChart("web", build), chart())).toBe(
    "Error: DeployedChart web: give a function that makes a chart in the app that it is given, and returns it",
  );
  expect(refusalOf((manifest) => new KubernetesObject("web", manifest, {}), { kind: "Pod" })).toBe(
    "Error: KubernetesObject web: write the manifest's apiVersion and kind as plain texts",
  );
});

/** Of what the packages export, that which takes no props of a user's, with why. */
const withoutProps: Readonly<Record<string, string>> = {
  namePublishSecret: "takes constructs",
  pathOfVolume: "takes a construct",
  secretsVolume: "takes constructs",
  asDependency: "takes a resource",
  OutputTokens: "is made by DeployedChart",
  SecretTable: "has a test of its own below",
  expandRow: "takes a row that a table has checked",
  isMadeByStore: "takes a row that a table has checked",
  partsOf: "takes a kind that a table has checked",
  signsTokens: "takes a kind that a table has checked",
  overlap: "takes paths that a table has checked",
  findKeysProblems: "says what is wrong by itself",
  findSourceProblems: "says what is wrong by itself",
  findResourceProblems: "says what is wrong by itself",
  textProblems: "says what is wrong by itself",
  isSecretByForm: "takes any value",
  isSensitiveName: "takes any text",
  generateValue: "has a test of its own",
  readValue: "takes a stream",
};

test("nothing that the packages export is forgotten here", () => {
  const entries = [kubernetes, platform, vault, azure, aws, secrets, fhir, bridge, operate, program];
  const exported = entries
    .flatMap((entry) => Object.entries(entry) as [string, unknown][])
    .filter(([, value]) => typeof value === "function" && !(value.prototype instanceof Error))
    .map(([name]) => name);
  const named = [...rows.map(({ what }) => what), ...calls.map(({ name }) => name), "DeployedChart KubernetesObject"];
  const listed = [...new Set(named.flatMap((text) => text.match(/\w+/g) ?? [])), ...Object.keys(withoutProps)];
  expect(exported.filter((name) => !listed.includes(name))).toEqual([]);
  expect(Object.keys(withoutProps).filter((name) => !exported.includes(name))).toEqual([]);
});

test("a prop that is an object of the user's is checked wholly", () => {
  // What has a form of its own elsewhere: Kubernetes, a chart, Vault's policies, Prometheus and Node look at these. The rows of
  // a table's secrets are looked at one by one.
  const open = ["nodeAffinity", "podAffinity", "podAntiAffinity", "values", "parameters", "rules", "agent", "secrets"];
  const folder = join(root, "constructs");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /^[^_]+\.ts$/.test(file));
  const found = sources.flatMap((file) => [
    ...readFileSync(join(folder, file), "utf8").matchAll(
      /^(?!.*readonly)[^*/\n]*\b(\w+): (?:(?:optional|each|valuesOf)\()*(?:object|list)\)*(?: }.*)?[,;]$/gm,
    ),
  ]);
  expect(found.map(([, prop]) => prop).sort()).toEqual(open.sort());
});

test.each<{ props: object; problems: string[] }>([
  { props: {}, problems: ["secrets: is missing: write a list"] },
  { props: undefined as never, problems: ["props: is missing: write an object"] },
  {
    props: { secrets: [{ name: "one", pth: "aidbox/one" }, "two", { name: 3, path: "three", source: "vault" }] },
    problems: [
      "secrets[0].pth: there is no such prop: did you mean path?",
      "secrets[0].path: is missing: write a text",
      'secrets[1]: "two": write an object',
      "secrets[2].name: 3: write a text",
      'secrets[2].source: "vault": write managed or seeded or external or database',
    ],
  },
])("a table says all that is not of its kind", ({ props, problems }) => {
  const lines = problems.map((problem) => `  ${problem}`);
  expect(refusalOf((given) => new SecretTable(given), props)).toBe(
    ["Error: The table of secrets is not valid:", ...lines].join("\n"),
  );
});
