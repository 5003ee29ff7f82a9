import { ApiObject, Testing } from "cdk8s";
import type { AlertRule, RuleGroup } from "../../../constructs/kubernetes/monitoring";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { vaultServer } from "../../../infra/config/stores/vault/server";
import { monitoringChart } from "../../../infra/stack/monitoring-chart";
import { guardsChart } from "../../../infra/stack/stores/vault/guards";
import { type FlowPod, passes, policiesOf } from "../../network-flows";
import { certificatePem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

const from = [{ namespaceLabels: { team: "watch" }, podLabels: { app: "prometheus" } }];
const base = {
  kubeContext: "production",
  secrets: [{ name: "client-secret", path: "aidbox/client", maxAge: "90d" }],
  tenants: [{ name: "north", secrets: [{ name: "key", path: "north/key" }] }],
  namespaces: { vault: "secrets" },
  vault: { mode: "ha", release: "hv", snapshots: { schedule: "0 */6 * * *" } },
  monitoring: { from, labels: { release: "prometheus" } },
  aidbox: { image: "healthsamurai/aidboxone:2605", name: "fhir" },
};

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> };
  readonly spec?: { readonly groups?: readonly RuleGroup[]; readonly [key: string]: unknown };
  readonly data?: Record<string, string>;
}

function environmentWith(change: Record<string, unknown> = {}): VaultEnvironment {
  return checkVaultEnvironment("prod", { ...base, ...change });
}

function manifests(environment: VaultEnvironment, certificateEnd?: Date): Manifest[] {
  const chart = monitoringChart(Testing.app(), environment, certificateEnd);
  const objects = chart.node.findAll().filter((each) => ApiObject.isApiObject(each));
  return objects.map((each) => each.toJson() as Manifest);
}

const placesOf = (all: readonly Manifest[]): string[] =>
  all.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);

function alertsOf(all: readonly Manifest[]): Map<string, string> {
  const groups = all.find(({ kind }) => kind === "PrometheusRule")!.spec!.groups!;
  const alerts = groups.flatMap(({ rules }) => rules).filter((rule): rule is AlertRule => "alert" in rule);
  return new Map(alerts.map(({ alert, expr }) => [alert, expr]));
}

test("all of a production stack is watched, where it is, by the labels that Prometheus looks for", () => {
  const all = manifests(environmentWith({ monitoring: { ...base.monitoring, dashboard: {} } }), new Date("2027-01-01"));
  expect(placesOf(all)).toEqual([
    "PodMonitor secrets/hv",
    "PodMonitor kube-system/csi-secrets-store-csi-driver",
    "PrometheusRule aidbox/fhir-secrets",
    "ConfigMap aidbox/fhir-secrets-dashboard",
  ]);
  for (const { kind, metadata } of all) {
    const wanted = kind === "ConfigMap" ? { grafana_dashboard: "1" } : { release: "prometheus" };
    expect(metadata.labels).toMatchObject(wanted);
  }
  const dashboard = JSON.parse(all[3]!.data!["fhir-secrets.json"]!) as { title: string };
  expect(dashboard.title).toBe("Aidbox secrets: prod");
});

test("Vault's metrics come by TLS, with the stack's CA and a name of the certificate", () => {
  const [vault] = manifests(environmentWith());
  expect(vault!.spec).toEqual({
    selector: { matchLabels: { "app.kubernetes.io/instance": "hv", component: "server" } },
    podMetricsEndpoints: [
      {
        port: "metrics",
        path: "/v1/sys/metrics",
        interval: "30s",
        params: { format: ["prometheus"] },
        scheme: "https",
        tlsConfig: { ca: { configMap: { name: "hv-ca", key: "ca.crt" } }, serverName: "hv.secrets.svc" },
      },
    ],
  });
});

test("the servers serve metrics where they are watched alone", () => {
  expect(vaultServer(environmentWith())).toMatchObject({ metrics: true });
  expect(vaultServer(environmentWith({ monitoring: undefined }))).not.toHaveProperty("metrics");
});

test("the alert of snapshots is of copied ones where there are copies", () => {
  const summaries = (snapshots: object): string => {
    const vault = { mode: "ha", release: "hv", snapshots };
    return JSON.stringify(manifests(environmentWith({ vault })));
  };
  const copies = { image: "rclone/rclone:1.71.2", bucket: "backups" };
  expect(summaries({ copies, allowTo: [{ peer: { cidr: "192.0.2.1/32" }, ports: [443] }] })).toContain(
    "copied snapshot",
  );
  expect(summaries({})).not.toContain("copied snapshot");
});

test("the rules know each name: of servers, snapshots, driver and every Aidbox's Republisher", () => {
  const alerts = alertsOf(manifests(environmentWith(), new Date("2027-01-01")));
  expect(alerts.get("VaultSealed")).toContain('{namespace="secrets",pod=~"hv-[0-9]+"}');
  expect(alerts.get("VaultSnapshotTooOld")).toContain('cronjob="hv-snapshots"');
  expect(alerts.get("VaultSnapshotTooOld")).toContain("> 43200 or absent("); // two of six hours
  expect(alerts.get("SecretsStale")).toContain('pod=~"csi-secrets-store-csi-driver-.*",provider="vault"');
  expect(alerts.get("SecretPastItsAge")).toContain('{environment="prod"}');
  const groups = manifests(environmentWith()).find(({ kind }) => kind === "PrometheusRule")!.spec!.groups!;
  const text = JSON.stringify(groups);
  for (const republisher of ["aidbox", "aidbox-north"]) {
    expect(text).toContain(`namespace=\\"${republisher}\\",deployment=\\"fhir-republisher\\"`);
  }
});

test("the end of the stack's own certificate is in the rules as long as it is the same", () => {
  const [one, again] = [1, 2].map(() => manifests(environmentWith(), new Date("2027-01-01T00:00:00Z")));
  expect(one).toEqual(again);
  expect(JSON.stringify(one)).toContain(`vector(${Date.parse("2027-01-01T00:00:00Z") / 1000})`);
  expect(alertsOf(manifests(environmentWith())).has("VaultCertificateEnds")).toBe(false); // YAML alone knows none
});

test("cert-manager's certificate is told by its own metric", () => {
  const certManager = { issuer: "pki", ca: certificatePem };
  const alerts = alertsOf(manifests(environmentWith({ vault: { ...base.vault, certManager } })));
  expect(alerts.get("VaultCertificateEnds")).toMatch(/^certmanager_\w+\{namespace="secrets",name="hv-tls"\}/);
});

test.each<[string, Record<string, unknown>, string[]]>([
  [
    "a Vault of others, and no Republisher",
    {
      vault: { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" } },
      rotationBound: "90s",
      tenants: [],
      secrets: [{ name: "client-secret", path: "aidbox/client" }],
    },
    ["SecretsNotWatched", "SecretsStale", "SecretsRemountErrors", "SecretsDriverNotReady"],
  ],
  [
    "a Vault in dev mode, which takes no configuration",
    { development: true, vault: { mode: "dev" }, csiDriver: { install: false }, tenants: [] },
    ["RepublisherNotAtWork", "SecretPastItsAge", "SecretPodsStale", "SecretAgesUnknown"],
  ],
])("what is others' is not watched: %s", (_, change, expected) => {
  expect([...alertsOf(manifests(environmentWith(change))).keys()]).toEqual(expected);
});

test("Prometheus reaches the port of the metrics, and not that of the API; nobody else reaches either", () => {
  const pod = (namespace: string, labels: Record<string, string>, namespaceLabels = {}): FlowPod => ({
    namespace,
    labels,
    namespaceLabels,
  });
  const vault = pod("secrets", { "app.kubernetes.io/instance": "hv", component: "server" });
  const prometheus = pod("monitoring", { app: "prometheus" }, { team: "watch" });
  const stranger = pod("monitoring", { app: "other" }, { team: "watch" });
  const isOpen = (environment: VaultEnvironment, end: FlowPod, port: number): boolean =>
    passes(policiesOf(guardsChart(Testing.app(), environment)), { from: end, to: vault, port, protocol: "TCP" });
  const watched = environmentWith();
  expect([8202, 8200].map((port) => isOpen(watched, prometheus, port))).toEqual([true, false]);
  expect([8202, 8200].map((port) => isOpen(watched, stranger, port))).toEqual([false, false]);
  expect(isOpen(environmentWith({ monitoring: undefined }), prometheus, 8202)).toBe(false);
});

test.each<[object, string]>([
  [{}, "monitoring.from"],
  [{ from: [] }, "monitoring.from"],
  [{ from: [{ cidr: "10.0.0.0/99" }] }, "monitoring.from[0]"],
  [{ from, interval: 30 }, "monitoring.interval"],
  [{ from, dashboard: true }, "monitoring.dashboard"],
])("%j is refused by its key %s", (monitoring, key) => {
  const problems = ((): ConfigError["problems"] => {
    try {
      checkEnvironment("prod", { ...base, monitoring });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  })();
  expect(problems.map((each) => each.key).join()).toContain(key);
});
