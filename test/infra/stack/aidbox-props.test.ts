import { type Chart, Testing } from "cdk8s";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { aidboxChart } from "../../../infra/stack/charts";
import { containerOf, manifestOf, manifestsOf, podOf, yamlOf } from "../../constructs/kubernetes/fixtures";

const image = "healthsamurai/aidboxone:2605";
const database = { peer: { podLabels: { app: "postgres" } } };

function chartOf(aidbox: object): Chart {
  const environment = checkEnvironment("prod", {
    kubeContext: "prod",
    secrets: [
      { name: "client-secret", path: "aidbox/client" },
      { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
    ],
    rotationBound: "90s", // which kubelet keeps without a Republisher
    vault: { mode: "external", address: "https://vault.example.com", login: { method: "kubernetes" } },
    aidbox: { image, ...aidbox },
  });
  return aidboxChart(Testing.app(), environment);
}

/** Each key of the config below `aidbox`, set to something else than its default. */
const everyKey = {
  name: "box",
  imagePullPolicy: "Always",
  imagePullSecrets: ["registry"],
  initBundle: { type: "batch", resources: [{ resource: { resourceType: "Patient", id: "one" } }] },
  environmentFrom: { configMaps: ["settings"], secrets: ["postgres"] },
  startupTimeout: "10m",
  terminationGracePeriod: "1m",
  podAnnotations: { "example.com/backup": "no" },
  podLabels: { "example.com/team": "health" },
  serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/aidbox" },
  serviceAccountLabels: { "example.com/identity": "aidbox" },
  syncedSecret: {
    type: "example.com/settings",
    labels: { team: "health" },
    annotations: { "example.com/backup": "no" },
  },
  nodeSelector: { "example.com/pool": "health" },
  tolerations: [{ key: "pool", operator: "Equal", value: "health", effect: "NoSchedule" }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  topologySpread: [{ topologyKey: "example.com/rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
  priorityClassName: "production",
  autoscaling: { minReplicas: 3, maxReplicas: 9, cpuUtilization: 70, memoryUtilization: 90 },
  disruptionBudget: { enabled: true, minAvailable: "50%" },
  maxInstances: 12,
  serviceType: "NodePort",
  servicePort: 80,
  serviceAnnotations: { "example.com/internal": "true" },
  ingress: {
    className: "nginx",
    hosts: ["aidbox.example.com"],
    tls: true,
    tlsSecretName: "wildcard",
    path: "/fhir",
    annotations: { "cert-manager.io/cluster-issuer": "letsencrypt" },
  },
  gatewayRoute: {
    parentRefs: [{ name: "public", namespace: "gateways", sectionName: "https" }],
    hostnames: ["fhir.example.com"],
    path: "/fhir",
    timeout: "1m",
    annotations: { "example.com/owner": "health" },
  },
  metricsPort: 9765,
  serviceMonitor: { interval: "30s", labels: { release: "prometheus" } },
  networkPolicy: {
    from: [{ namespaceLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } }],
    monitors: [{ podLabels: { app: "prometheus" } }],
    database: { peer: { cidr: "10.1.2.3/32" }, port: 6432 },
    dns: { cidr: "169.254.20.10/32" },
    to: [{ peer: { cidr: "203.0.113.0/24" }, ports: [443] }],
  },
};

it("every key of how Aidbox is run reaches its object", () => {
  expect(yamlOf(chartOf(everyKey))).toMatchSnapshot();
});

it.each(Object.keys(everyKey))("%s changes something by itself", (key) => {
  const needs: Record<string, object> = { disruptionBudget: { replicas: 3 }, networkPolicy: { metricsPort: 9765 } };
  const alone = { [key]: everyKey[key as keyof typeof everyKey], ...needs[key] };
  expect(yamlOf(chartOf(alone))).not.toBe(yamlOf(chartOf(needs[key] ?? {})));
});

describe("the number of pods", () => {
  it("is the autoscaler's where there is one, and not the config's default", () => {
    expect(manifestOf(chartOf({ autoscaling: { maxReplicas: 9 } }), "Deployment").spec).not.toHaveProperty("replicas");
  });

  it("is one by default, without a budget and a spread", () => {
    const chart = chartOf({});
    expect(manifestOf(chart, "Deployment").spec!.replicas).toBe(1);
    expect(manifestsOf(chart).map(({ kind }) => kind)).not.toContain("PodDisruptionBudget");
    expect(podOf(chart)).not.toHaveProperty("topologySpreadConstraints");
  });

  it("comes with a budget and a spread where it is more than one", () => {
    const chart = chartOf({ replicas: 3 });
    expect(manifestOf(chart, "PodDisruptionBudget").spec).toMatchObject({ maxUnavailable: 1 });
    expect(podOf(chart).topologySpreadConstraints).toHaveLength(2);
  });
});

describe("the time to start", () => {
  it.each([
    { aidbox: {}, seconds: 300 },
    { aidbox: { startupTimeout: "90s" }, seconds: 90 },
    { aidbox: { startupTimeout: "1h" }, seconds: 3600 },
  ])("is $seconds seconds with $aidbox, looked at each second", ({ aidbox, seconds }) => {
    expect(containerOf(chartOf(aidbox)).startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: seconds });
  });
});

it("a ServiceMonitor needs no more than to be named", () => {
  expect(manifestOf(chartOf({ serviceMonitor: {} }), "ServiceMonitor").spec).toMatchObject({
    endpoints: [{ interval: "10s" }, { interval: "60s" }, { interval: "600s" }],
  });
});

it("a NetworkPolicy needs no more than its database", () => {
  expect(manifestOf(chartOf({ networkPolicy: { database } }), "NetworkPolicy").spec!.egress).toHaveLength(2);
});

it("says of the ServiceAccount what a cloud's workload identity wants, and nothing more by default", () => {
  const { serviceAccountAnnotations, serviceAccountLabels } = everyKey;
  const chart = chartOf({ serviceAccountAnnotations, serviceAccountLabels });
  expect(manifestOf(chart, "ServiceAccount")).toMatchObject({
    metadata: { annotations: serviceAccountAnnotations, labels: serviceAccountLabels },
  });
  expect(Object.keys((manifestOf(chartOf({}), "ServiceAccount") as { metadata: object }).metadata)).toEqual([
    "name",
    "namespace",
  ]);
});
