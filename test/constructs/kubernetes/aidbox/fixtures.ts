import { type Chart, Duration, Size, Testing } from "cdk8s";
import {
  type ContainerResources,
  Cpu,
  DeploymentStrategy,
  EnvValue,
  HttpIngressPathType,
  ImagePullPolicy,
  Probe,
  type ProbeOptions,
  ServiceAccount,
  ServiceType,
  Volume,
} from "cdk8s-plus-28";
import {
  Aidbox,
  type AidboxProps,
  type AutoscalingOptions,
  type DatabaseConnection,
  type DisruptionBudgetOptions,
  type EnvironmentSources,
  type GatewayRouteOptions,
  type HealthProbeOptions,
  type ImagePullOptions,
  type IngressOptions,
  InitBundleConfig,
  type NetworkPolicyOptions,
  type PlacementOptions,
  type PodOptions,
  type SecretMount,
  type SecurityOptions,
  type ServiceMonitorOptions,
  type ServiceOptions,
  VaultConfig,
} from "../../../../constructs/kubernetes";
import type { SecretTable } from "../../../../constructs/secrets";
import { basicClient, fullTable, minimalTable } from "../fixtures";

const digest = `sha256:${"0a".repeat(32)}`;

export const everyResource: Required<ContainerResources> = {
  cpu: { request: Cpu.millis(250), limit: Cpu.units(2) },
  memory: { request: Size.gibibytes(1), limit: Size.gibibytes(3) },
  ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
};

const everyProbeOption: Required<ProbeOptions> = {
  initialDelaySeconds: Duration.seconds(20),
  periodSeconds: Duration.seconds(2),
  timeoutSeconds: Duration.seconds(3),
  failureThreshold: 60,
  successThreshold: 1,
};

const everyPod: Required<PodOptions> = {
  annotations: { "example.com/backup": "no" },
  labels: { "example.com/team": "health" },
  mounts: [
    {
      path: "/data",
      volume: Volume.fromEmptyDir(Testing.chart(), "data", "data", { sizeLimit: Size.gibibytes(1) }),
      readOnly: true,
    },
  ],
  initContainers: [{ name: "migrate", image: `registry.example.com/migrate@${digest}`, resources: everyResource }],
  sidecars: [
    {
      name: "audit",
      image: `registry.example.com/audit@${digest}`,
      resources: everyResource,
      readiness: Probe.fromTcpSocket({ port: 9901 }),
      liveness: Probe.fromTcpSocket({ port: 9901 }),
    },
  ],
  terminationGracePeriod: Duration.minutes(1),
};

const everyPlacement: Required<PlacementOptions> = {
  nodeSelector: { "example.com/pool": "health" },
  tolerations: [{ key: "example.com/pool", operator: "Equal", value: "health", effect: "NoSchedule" }],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: "kubernetes.io/hostname",
          labelSelector: { matchLabels: { "example.com/noisy": "yes" } },
        },
      ],
    },
  },
  topologySpread: [{ topologyKey: "example.com/rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
  priorityClassName: "production",
};

export const everyIngress: Required<IngressOptions> = {
  className: "nginx",
  hosts: ["aidbox.example.com", "*.aidbox.example.com"],
  tls: true,
  tlsSecretName: "wildcard",
  path: "/fhir",
  pathType: HttpIngressPathType.EXACT,
  annotations: { "cert-manager.io/cluster-issuer": "letsencrypt" },
};

export const everyGatewayRoute: Required<GatewayRouteOptions> = {
  parentRefs: [{ name: "public", namespace: "gateways", sectionName: "https" }],
  hostnames: ["fhir.example.com"],
  path: "/fhir",
  annotations: { "example.com/owner": "health" },
  timeout: Duration.minutes(1),
};

export const everyAutoscaling: Required<AutoscalingOptions> = {
  minReplicas: 3,
  maxReplicas: 9,
  cpuUtilization: 70,
  memoryUtilization: 90,
  behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
};

/** Not all of them at once: what stays stands against what may go. */
export const everyDisruptionBudget: Required<DisruptionBudgetOptions> = {
  enabled: true,
  minAvailable: "50%",
  maxUnavailable: 2,
  unhealthyPodEvictionPolicy: "IfHealthyBudget",
};

export const everyServiceMonitor: Required<ServiceMonitorOptions> = {
  interval: Duration.seconds(30),
  labels: { release: "prometheus" },
};

export const everyNetworkPolicy: Required<NetworkPolicyOptions> = {
  from: [
    {
      namespaceLabels: { "kubernetes.io/metadata.name": "ingress-nginx" },
      podLabels: { "app.kubernetes.io/name": "ingress-nginx" },
    },
    { podLabels: { app: "portal" } },
  ],
  monitors: [{ namespaceLabels: { "kubernetes.io/metadata.name": "monitoring" } }],
  database: { peer: { cidr: "10.1.2.3/32" }, port: 6432 },
  dns: { cidr: "169.254.20.10/32" },
  to: [{ peer: { cidr: "203.0.113.0/24" }, ports: [443, 8443] }],
};

const everyDatabase: Required<DatabaseConnection> = {
  host: "postgres.example.com",
  port: 6432,
  name: "fhir",
  user: "box",
  tls: { mode: "verify-full", caConfigMap: "postgres-ca", caKey: "root.pem" },
};

/** Every prop of an Aidbox that has nothing to do with where its secrets come from. */
export const everyOption = {
  image: "registry:5000/aidboxone:2603",
  imagePull: { policy: ImagePullPolicy.ALWAYS, secrets: ["registry"] } satisfies Required<ImagePullOptions>,
  replicas: 3,
  autoscaling: everyAutoscaling,
  disruptionBudget: everyDisruptionBudget,
  maxInstances: 12,
  strategy: DeploymentStrategy.recreate(),
  placement: everyPlacement,
  resources: everyResource,
  probes: {
    path: "/__health",
    startup: everyProbeOption,
    readiness: { failureThreshold: 5 },
    liveness: { periodSeconds: Duration.seconds(30) },
  } satisfies Required<HealthProbeOptions>,
  database: everyDatabase,
  environment: {
    BOX_FHIR_COMPLIANT_MODE: "true",
    BOX_NODE: EnvValue.fromValue("one"),
  },
  environmentFrom: { configMaps: ["settings"], secrets: ["postgres"] } satisfies Required<EnvironmentSources>,
  security: {
    readOnlyRootFilesystem: false,
    user: 2000,
    group: 3000,
    fsGroup: 4000,
  } satisfies Required<SecurityOptions>,
  pod: everyPod,
  annotations: { "example.com/runbook": "https://example.com/runbook" },
  port: 9090,
  service: {
    type: ServiceType.LOAD_BALANCER,
    port: 80,
    annotations: { "example.com/internal": "true" },
  } satisfies Required<ServiceOptions>,
  ingress: everyIngress,
  gatewayRoute: everyGatewayRoute,
  metricsPort: 9765,
  serviceMonitor: everyServiceMonitor,
  networkPolicy: everyNetworkPolicy,
} satisfies Partial<AidboxProps>;

const { minAvailable, maxUnavailable, ...budget } = everyDisruptionBudget;

/** How every prop comes without contradicting another: with a fixed number of pods, and autoscaled. */
export const ways = {
  fixed: { autoscaling: undefined, maxInstances: undefined, disruptionBudget: { ...budget, maxUnavailable } },
  autoscaled: { replicas: undefined, strategy: undefined, disruptionBudget: { ...budget, minAvailable } },
};

/** A table's secrets, as a SecretProviderClass of the default names gives them. */
export function mountOf(table: SecretTable): Required<SecretMount> {
  return {
    table,
    className: "aidbox-vault-secrets",
    volumeName: "vault-secrets",
    syncedSecretName: "aidbox-environment",
    mountsPathsWhole: true,
    identity: {},
  };
}

export function requiredProps(chart: Chart, table: SecretTable) {
  return {
    image: "healthsamurai/aidboxone:2605",
    secrets: mountOf(table),
    serviceAccount: new ServiceAccount(chart, "service-account", { metadata: { name: "aidbox" } }),
    vaultConfig: new VaultConfig(chart, "config", { table }),
  } satisfies AidboxProps;
}

/** An Aidbox with the required props, and what a test changes of them. */
export function chartWith(change: Partial<AidboxProps> = {}): Chart {
  const chart = Testing.chart();
  new Aidbox(chart, "aidbox", { ...requiredProps(chart, change.secrets?.table ?? minimalTable), ...change });
  return chart;
}

/** An Aidbox with every prop, in one of its two ways. */
export function chartWithEveryProp(way: keyof typeof ways = "fixed"): Chart {
  const chart = Testing.chart();
  const initBundle = new InitBundleConfig(chart, "bundle", { table: fullTable, resources: [basicClient] });
  const every: Required<AidboxProps> = { ...requiredProps(chart, fullTable), ...everyOption, name: "prod", initBundle };
  new Aidbox(chart, "aidbox", { ...every, ...ways[way] });
  return chart;
}

/** What is said against props, without the first line. */
export function refusalOf(change: Partial<AidboxProps>): string[] {
  try {
    chartWith(change);
  } catch (error) {
    const [first, ...problems] = (error as Error).message.split("\n");
    expect(first).toBe("The props of test/aidbox are not valid:");
    return problems.map((problem) => problem.trim());
  }
  throw new Error("the props were taken for valid ones");
}
