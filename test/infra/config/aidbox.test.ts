import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import type { Environment } from "../../../infra/config/environment";
import type { EnvironmentConfig } from "../../../infra/config/schema";

type AidboxConfig = EnvironmentConfig["aidbox"];

const image = "healthsamurai/aidboxone:2605";
const database = { peer: { podLabels: { app: "postgres" } } };

function check(aidbox: object): Environment["aidbox"] {
  return checkEnvironment("dev", config(aidbox)).aidbox;
}

function config(aidbox: object): Record<string, unknown> {
  return {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [
      { name: "client-secret", path: "aidbox/client" },
      { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
    ],
    vault: { mode: "dev" },
    aidbox: { image, ...aidbox },
  };
}

function problemsOf(aidbox: object): string[] {
  try {
    check(aidbox);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  throw new Error("the config was taken for a valid one");
}

const fixes = {
  key: "is not a key that this stack knows: look it up in docs/config.md, or remove it",
  name: "write a Kubernetes name: lower-case letters, digits, dots and dashes",
  host: "write a host name alone, as aidbox.example.com",
  port: "write a port from 1 to 65535",
  count: "write a number of pods, or a share, as 50%",
  peer: "write { podLabels, namespaceLabels }, or { cidr } with a range of addresses, as 10.1.2.3/32",
};

it("says nothing of how Aidbox is run but what is needed, by default", () => {
  expect(Object.keys(check({})).sort()).toEqual([
    "environment",
    "image",
    "name",
    "readOnlyRootFilesystem",
    "replicas",
    "resources",
  ]);
});

it("keeps every setting that it says", () => {
  const said: Required<Omit<AidboxConfig, "replicas">> = {
    name: "box",
    image,
    imagePullPolicy: "Always",
    imagePullSecrets: ["registry"],
    readOnlyRootFilesystem: false,
    resources: { cpuRequest: "250m", memoryRequest: "1.5Gi", memoryLimit: "3072Mi" },
    environment: { BOX_FHIR_COMPLIANT_MODE: "true" },
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
    tolerations: [
      { key: "pool", operator: "Equal", value: "health", effect: "NoExecute", tolerationSeconds: 60 },
      { operator: "Exists" },
    ],
    affinity: { podAffinity: {} },
    topologySpread: [{ topologyKey: "example.com/rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
    priorityClassName: "production",
    autoscaling: { minReplicas: 3, maxReplicas: 9, cpuUtilization: 70, memoryUtilization: 90 },
    maxInstances: 12,
    disruptionBudget: { enabled: true, maxUnavailable: "50%" },
    serviceType: "LoadBalancer",
    servicePort: 80,
    serviceAnnotations: { "example.com/internal": "true" },
    ingress: {
      className: "nginx",
      hosts: ["aidbox.example.com", "*.example.com", "localhost"],
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
      monitors: [{ podLabels: { app: "prometheus" }, namespaceLabels: { team: "operations" } }],
      database: { peer: { cidr: "10.1.2.3/32" }, port: 6432 },
      dns: { cidr: "169.254.20.10/32" },
      to: [{ peer: { cidr: "203.0.113.0/24" }, ports: [443] }],
    },
  };
  expect(check(said)).toStrictEqual({ ...said, replicas: 1 });
});

describe("a bad value", () => {
  const ingress = (change: object) => ({ ingress: { hosts: ["a.example.com"], ...change } });
  const gatewayRoute = (change: object) => ({
    gatewayRoute: { parentRefs: [{ name: "public" }], hostnames: ["a.example.com"], ...change },
  });
  const networkPolicy = (change: object) => ({ networkPolicy: { database, ...change } });

  it.each<{ what: string; aidbox: object; problem: string }>([
    {
      what: "pull policy",
      aidbox: { imagePullPolicy: "always" },
      problem: 'imagePullPolicy: "always": write IfNotPresent, Always or Never: did you mean Always?',
    },
    {
      what: "name of a Secret",
      aidbox: { imagePullSecrets: ["My Registry"] },
      problem: `imagePullSecrets[0]: "My Registry": ${fixes.name}`,
    },
    {
      what: "Secrets, one",
      aidbox: { imagePullSecrets: "registry" },
      problem: 'imagePullSecrets: "registry": write a list: put it in [ ]',
    },
    {
      what: "name of a ConfigMap",
      aidbox: { environmentFrom: { configMaps: ["A"] } },
      problem: `environmentFrom.configMaps[0]: "A": ${fixes.name}`,
    },
    {
      what: "time to start",
      aidbox: { startupTimeout: 300 },
      problem: "startupTimeout: 300: write the time to start as a whole number above 0 with its unit: 90s, 5m or 1h",
    },
    {
      what: "no time to start",
      aidbox: { startupTimeout: "0s" },
      problem: 'startupTimeout: "0s": write the time to start as a whole number above 0 with its unit: 90s, 5m or 1h',
    },
    {
      what: "time to stop",
      aidbox: { terminationGracePeriod: "half an hour" },
      problem:
        'terminationGracePeriod: "half an hour": write the time to stop as a whole number with its unit: 90s, 5m or 1h',
    },
    {
      what: "annotation, a truth value",
      aidbox: { podAnnotations: { "example.com/backup": false } },
      problem: "podAnnotations.example.com/backup: false: write text: put it in quotes",
    },
    {
      what: "label by which the Service finds the pods",
      aidbox: { name: "box", podLabels: { "app.kubernetes.io/instance": "other" } },
      problem: 'podLabels.app.kubernetes.io/instance: "other": is "box" for the Service to find the pods: leave it out',
    },

    {
      what: "node selector, a list",
      aidbox: { nodeSelector: ["pool"] },
      problem: 'nodeSelector: ["pool"]: write an object with keys',
    },
    {
      what: "effect of a taint",
      aidbox: { tolerations: [{ effect: "Never" }] },
      problem: 'tolerations[0].effect: "Never": write NoSchedule, PreferNoSchedule or NoExecute',
    },
    {
      what: "key of a toleration",
      aidbox: { tolerations: [{ operator: "Exists", name: "pool" }] },
      problem:
        "tolerations[0].name: is not a key that this stack knows: write one of key, operator, value, effect, tolerationSeconds, or remove it",
    },
    {
      what: "affinity, a word",
      aidbox: { affinity: "zone" },
      problem: 'affinity: "zone": write an object, as in a pod\'s spec',
    },
    {
      what: "spread without a topology",
      aidbox: { topologySpread: [{}] },
      problem:
        "topologySpread[0].topologyKey: is missing: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    },
    {
      what: "skew of none",
      aidbox: { topologySpread: [{ topologyKey: "zone", maxSkew: 0 }] },
      problem: "topologySpread[0].maxSkew: 0: write 1 or more",
    },

    {
      what: "autoscaler without a most",
      aidbox: { autoscaling: {} },
      problem: "autoscaling.maxReplicas: is missing: write a whole number",
    },
    {
      what: "autoscaler, a truth value",
      aidbox: { autoscaling: true },
      problem: "autoscaling: true: write an object with keys",
    },
    {
      what: "autoscaler beside a number of pods",
      aidbox: { replicas: 3, autoscaling: { maxReplicas: 9 } },
      problem: "replicas: 3: stands beside autoscaling from 2 to 9, which sets the number of pods: remove one of them",
    },
    {
      what: "autoscaler from more to fewer",
      aidbox: { autoscaling: { minReplicas: 5, maxReplicas: 3 } },
      problem: "autoscaling: minReplicas 5 is more than maxReplicas 3: lower minReplicas or raise maxReplicas",
    },
    {
      what: "utilization of nothing",
      aidbox: { autoscaling: { maxReplicas: 9, cpuUtilization: 0 } },
      problem: "autoscaling.cpuUtilization: 0: write a percentage of 1 or more",
    },
    {
      what: "share of pods",
      aidbox: { disruptionBudget: { minAvailable: "half" } },
      problem: `disruptionBudget.minAvailable: "half": ${fixes.count}`,
    },
    {
      what: "number of pods below none",
      aidbox: { disruptionBudget: { minAvailable: -1 } },
      problem: `disruptionBudget.minAvailable: -1: ${fixes.count}`,
    },
    {
      what: "budget that lets nobody go",
      aidbox: { replicas: 2, disruptionBudget: { minAvailable: "51%" } },
      problem:
        'disruptionBudget.minAvailable: "51%": lets no pod of 2 go, which blocks every drain of a node: ' +
        "lower it or raise replicas",
    },
    {
      what: "budget for the one pod of the default",
      aidbox: { disruptionBudget: { minAvailable: 1 } },
      problem:
        "disruptionBudget.minAvailable: 1: lets no pod of 1 go, which blocks every drain of a node: " +
        "lower it or raise replicas",
    },
    {
      what: "budget with two limits",
      aidbox: { replicas: 3, disruptionBudget: { minAvailable: 1, maxUnavailable: 1 } },
      problem:
        "disruptionBudget: minAvailable 1 stands beside maxUnavailable 1, and Kubernetes takes only one: remove one of them",
    },

    {
      what: "type of a Service",
      aidbox: { serviceType: "ExternalName" },
      problem: 'serviceType: "ExternalName": write ClusterIP, NodePort or LoadBalancer',
    },
    { what: "port past the last", aidbox: { servicePort: 65536 }, problem: `servicePort: 65536: ${fixes.port}` },
    {
      what: "port, text",
      aidbox: { servicePort: "80" },
      problem: 'servicePort: "80": write a whole number: leave the quotes out',
    },
    {
      what: "ingress without hosts",
      aidbox: { ingress: {} },
      problem: "ingress.hosts: is missing: write a list",
    },
    {
      what: "ingress with no host",
      aidbox: ingress({ hosts: [] }),
      problem: "ingress.hosts: []: would take the requests for every host: name at least one, as aidbox.example.com",
    },
    {
      what: "host with its scheme",
      aidbox: ingress({ hosts: ["https://a.example.com"] }),
      problem: `ingress.hosts[0]: "https://a.example.com": ${fixes.host}`,
    },
    {
      what: "host in capitals",
      aidbox: ingress({ hosts: ["A.example.com"] }),
      problem: `ingress.hosts[0]: "A.example.com": ${fixes.host}`,
    },
    {
      what: "path without its slash",
      aidbox: ingress({ path: "fhir" }),
      problem: 'ingress.path: "fhir": write a path with its leading slash and without spaces, as /fhir',
    },
    {
      what: "certificate without TLS",
      aidbox: ingress({ tls: false, tlsSecretName: "wildcard" }),
      problem: 'ingress: tls false stands beside tlsSecretName "wildcard": remove one of them',
    },
    {
      what: "route without a Gateway",
      aidbox: gatewayRoute({ parentRefs: [] }),
      problem:
        "gatewayRoute.parentRefs: []: no Gateway serves the route: name one, as { name: public, namespace: gateways }",
    },
    {
      what: "route without Gateways",
      aidbox: { gatewayRoute: { hostnames: ["a.example.com"] } },
      problem: "gatewayRoute.parentRefs: is missing: write the Gateways, a list of { name, namespace, sectionName }",
    },
    {
      what: "time of a request",
      aidbox: gatewayRoute({ timeout: "1" }),
      problem:
        'gatewayRoute.timeout: "1": write the time of a request as a whole number above 0 with its unit: 90s, 5m or 1h',
    },

    {
      what: "metrics on Aidbox's own port",
      aidbox: { metricsPort: 8080 },
      problem: "metricsPort: 8080: is Aidbox's own port too: write another, as 8765",
    },
    {
      what: "metrics' port as a plain setting",
      aidbox: { environment: { BOX_METRICS_PORT: "8765" } },
      problem: "environment.BOX_METRICS_PORT: is set by this stack: leave it out",
    },
    {
      what: "interval of a monitor",
      aidbox: { serviceMonitor: { interval: 10 } },
      problem: "serviceMonitor.interval: 10: write the interval as a whole number above 0 with its unit: 90s, 5m or 1h",
    },

    {
      what: "policy without a database",
      aidbox: { networkPolicy: {} },
      problem: "networkPolicy.database: is missing: write { peer, port } of PostgreSQL",
    },
    {
      what: "peer of no kind",
      aidbox: networkPolicy({ from: ["ingress-nginx"] }),
      problem: `networkPolicy.from[0]: "ingress-nginx": ${fixes.peer}`,
    },
    {
      what: "peer of both kinds",
      aidbox: networkPolicy({ from: [{ cidr: "10.0.0.0/8", podLabels: {} }] }),
      problem: `networkPolicy.from[0]: {"cidr":"10.0.0.0/8","podLabels":{}}: ${fixes.peer}`,
    },
    {
      what: "peer that is nobody",
      aidbox: networkPolicy({ from: [{}] }),
      problem: "networkPolicy.from[0]: {}: names nobody: write podLabels, namespaceLabels or cidr",
    },
    {
      what: "address without its length",
      aidbox: { networkPolicy: { database: { peer: { cidr: "10.1.2.3" } } } },
      problem: 'networkPolicy.database.peer.cidr: "10.1.2.3": is no range of addresses: did you mean "10.1.2.3/32"?',
    },
    {
      what: "policy that shuts out the ingress",
      aidbox: { ...ingress({}), ...networkPolicy({}) },
      problem: "networkPolicy.from: []: shuts out the proxy of a.example.com: name its pods",
    },
    {
      what: "policy that shuts out the load balancer",
      aidbox: { serviceType: "LoadBalancer", ...networkPolicy({}) },
      problem: "networkPolicy.from: []: shuts out the clients of the LoadBalancer: name their addresses",
    },
    {
      what: "policy that shuts out the monitor",
      aidbox: { serviceMonitor: {}, ...networkPolicy({}) },
      problem: "networkPolicy.monitors: []: shuts out the Prometheus of serviceMonitor: name its pods",
    },
  ])("$what", ({ aidbox, problem }) => {
    expect(problemsOf(aidbox)).toEqual([`aidbox.${problem}`]);
  });

  it("of one key hides no problem of another, nor between others", () => {
    expect(
      problemsOf({
        replicas: 3,
        servicePort: 0,
        autoscaling: { minReplicas: 5, maxReplicas: 3 },
        ingress: { hosts: ["https://a.example.com"] },
        gatewayRoute: { parentRefs: [], hostnames: ["a.example.com"] },
        networkPolicy: { database },
      }),
    ).toEqual([
      `aidbox.servicePort: 0: ${fixes.port}`,
      `aidbox.ingress.hosts[0]: "https://a.example.com": ${fixes.host}`,
      "aidbox.replicas: 3: stands beside autoscaling from 5 to 3, which sets the number of pods: remove one of them",
      "aidbox.autoscaling: minReplicas 5 is more than maxReplicas 3: lower minReplicas or raise maxReplicas",
      "aidbox.gatewayRoute.parentRefs: []: no Gateway serves the route: name one, as { name: public, namespace: gateways }",
      "aidbox.networkPolicy.from: []: shuts out the proxy of a.example.com: name its pods",
    ]);
  });
});
