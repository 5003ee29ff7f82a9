import type { Chart } from "cdk8s";
import { Testing } from "cdk8s";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { aidboxChart, postgresChart } from "../../../infra/stack/charts";
import { guardsChart } from "../../../infra/stack/stores/vault/guards";
import { snapshotsChart } from "../../../infra/stack/stores/vault/snapshots-chart";
import { manifestOf } from "../../constructs/kubernetes/fixtures";
import { type FlowEnd, type FlowPod, passes, policiesOf } from "../../network-flows";
import { checkVaultEnvironment } from "../vault-environment";

const secrets = [
  { name: "client-secret", path: "aidbox/client" },
  { name: "password", path: "aidbox/database", environment: "BOX_DB_PASSWORD", source: "seeded" },
];
const base = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets,
  database: { mode: "development" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const prometheus = { namespaceLabels: { team: "watch" }, podLabels: { app: "prometheus" } };
const apiServer = { peer: { cidr: "10.96.0.1/32" }, ports: [443] };

function environmentWith(change: Record<string, unknown>): VaultEnvironment {
  return checkVaultEnvironment("dev", { ...base, vault: { mode: "dev" }, ...change });
}

const labels = (chart: Chart, kind: "Deployment" | "StatefulSet", name: string): Record<string, string> =>
  manifestOf(chart, kind, name).spec!.template.metadata!.labels!;

/** All pods of an environment, with the labels of their manifests or, of HashiCorp's chart, of its templates. */
function podsOf(environment: VaultEnvironment) {
  const { namespaces, vault } = environment;
  const [aidbox, postgres] = [aidboxChart(Testing.app(), environment), postgresChart(Testing.app(), environment)];
  const inAidbox = (own: Record<string, string>): FlowPod => ({ labels: own, namespace: namespaces.aidbox });
  const provider = {
    "app.kubernetes.io/name": "vault-csi-provider",
    "app.kubernetes.io/instance": `${vault.release}-node`,
  };
  const instance = { "app.kubernetes.io/instance": vault.release };
  return {
    vault: {
      labels: {
        "helm.sh/chart": "vault-0.34.1",
        "app.kubernetes.io/name": "vault",
        ...instance,
        component: "server",
        "vault-active": "true",
      },
      namespace: namespaces.vault,
    },
    provider: { labels: provider, namespace: namespaces.csiProvider },
    aidbox: inAidbox(labels(aidbox, "Deployment", "aidbox")),
    republisher: inAidbox(labels(aidbox, "Deployment", "aidbox-republisher")),
    postgres: inAidbox(labels(postgres, "StatefulSet", "aidbox-postgres")),
    postgresRepublisher: inAidbox(labels(postgres, "Deployment", "aidbox-postgres-republisher")),
    snapshots: {
      labels: { "app.kubernetes.io/name": "vault-snapshots", ...instance },
      namespace: namespaces.vault,
    },
    drill: { labels: { "app.kubernetes.io/name": "vault-drill", ...instance }, namespace: namespaces.vault },
    neighbour: { labels: { app: "anything" }, namespace: namespaces.vault },
    stranger: { labels: { app: "anything" }, namespace: "other" },
    impostor: { labels: provider, namespace: "other" },
    prometheus: { labels: { app: "prometheus" }, namespace: "watch", namespaceLabels: { team: "watch" } },
    dns: { labels: { "k8s-app": "kube-dns" }, namespace: "kube-system" },
    kubelet: "own node",
    apiServer: { address: "10.96.0.1" },
    internet: { address: "203.0.113.7" },
  } as const satisfies Record<string, FlowEnd>;
}

type Who = keyof ReturnType<typeof podsOf>;
type Row = [from: Who, to: Who, port: number, protocol?: "UDP"];

function check(environment: VaultEnvironment, rows: readonly Row[], expected: boolean): void {
  const pods = podsOf(environment);
  const app = Testing.app();
  const policies = policiesOf(
    guardsChart(app, environment),
    aidboxChart(app, environment),
    postgresChart(app, environment),
  );
  const found = rows.map(([from, to, port, protocol = "TCP" as const]) => ({
    flow: `${from} to ${to}:${port}/${protocol}`,
    passes: passes(policies, { from: pods[from], to: pods[to], port, protocol }),
  }));
  expect(found).toEqual(found.map((each) => ({ ...each, passes: expected })));
}

const needed: readonly Row[] = [
  ["provider", "vault", 8200],
  ["vault", "vault", 8200],
  ["vault", "vault", 8201],
  ["kubelet", "vault", 8200],
  ["kubelet", "provider", 8080],
  ["vault", "apiServer", 443],
  ["vault", "dns", 53, "UDP"],
  ["provider", "apiServer", 443],
  ["provider", "dns", 53, "UDP"],
  ["aidbox", "postgres", 5432],
  ["kubelet", "postgres", 5432],
  ["kubelet", "republisher", 80],
  ["republisher", "apiServer", 443],
  ["republisher", "dns", 53, "UDP"],
  ["postgresRepublisher", "apiServer", 443],
];

const forbidden: readonly Row[] = [
  ["stranger", "vault", 8200],
  ["stranger", "vault", 8201],
  ["impostor", "vault", 8200],
  ["drill", "vault", 8200],
  ["neighbour", "vault", 8200],
  ["aidbox", "vault", 8200],
  ["republisher", "vault", 8200],
  ["postgres", "vault", 8200],
  ["internet", "vault", 8200],
  ["provider", "vault", 8201],
  ["prometheus", "vault", 8200],
  ["stranger", "provider", 8080],
  ["vault", "provider", 8080],
  ["stranger", "postgres", 5432],
  ["republisher", "postgres", 5432],
  ["vault", "postgres", 5432],
  ["postgres", "internet", 443],
  ["postgres", "dns", 53, "UDP"],
  ["postgres", "aidbox", 8080],
  ["stranger", "republisher", 80],
  ["aidbox", "republisher", 80],
  ["aidbox", "postgresRepublisher", 80],
];

describe.each([
  ["by default", {}],
  ["with storage", { vault: { mode: "standalone" } }],
  ["with several servers", { vault: { mode: "ha" } }],
  [
    "with names of its own",
    { vault: { mode: "dev", release: "store" }, namespaces: { vault: "secrets", aidbox: "health" } },
  ],
])("%s", (_, change) => {
  test("what the stack needs passes", () => {
    check(environmentWith(change), needed, true);
  });

  test("nothing else reaches Vault, its provider, PostgreSQL or a Republisher", () => {
    check(environmentWith(change), forbidden, false);
  });

  test("ways out are open, but for PostgreSQL, which needs none", () => {
    check(
      environmentWith(change),
      [
        ["vault", "internet", 443],
        ["provider", "internet", 443],
        ["republisher", "internet", 443],
      ],
      true,
    );
  });
});

describe("who is named by allowFrom", () => {
  const open = environmentWith({
    vault: { mode: "dev", allowFrom: [prometheus, { cidr: "203.0.113.0/24" }] },
    database: { mode: "development", allowFrom: [prometheus] },
  });

  test("reaches the port of what it is named for, and no other", () => {
    check(
      open,
      [
        ["prometheus", "vault", 8200],
        ["internet", "vault", 8200],
        ["prometheus", "postgres", 5432],
      ],
      true,
    );
    check(
      open,
      [
        ["prometheus", "vault", 8201],
        ["prometheus", "republisher", 80],
        ["internet", "postgres", 5432],
      ],
      false,
    );
  });

  test("opens nothing to others", () => {
    check(open, needed, true);
    check(
      open,
      forbidden.filter(([from, to]) => !["prometheus", "internet"].includes(from) || to === "provider"),
      false,
    );
  });
});

describe("where allowTo names whom is to be reached", () => {
  const closed = environmentWith({
    vault: { mode: "ha", allowTo: [apiServer] },
    republisher: { allowTo: [apiServer] },
  });

  test("what the stack needs passes still", () => {
    check(closed, needed, true);
  });

  test("nothing else is reached", () => {
    check(closed, forbidden, false);
    check(
      closed,
      [
        ["vault", "internet", 443],
        ["vault", "stranger", 80],
        ["vault", "apiServer", 22],
        ["vault", "aidbox", 8080],
        ["provider", "internet", 443],
        ["provider", "stranger", 80],
        ["provider", "vault", 8201],
        ["republisher", "internet", 443],
        ["republisher", "stranger", 80],
        ["postgresRepublisher", "internet", 443],
      ],
      false,
    );
  });
});

test("what takes snapshots reaches Vault and DNS alone, and what opens one for a drill reaches nobody", () => {
  const environment = environmentWith({ vault: { mode: "ha", snapshots: {} } });
  const app = Testing.app();
  const policies = policiesOf(guardsChart(app, environment), snapshotsChart(app, environment).chart);
  const pods = podsOf(environment);
  const reaches = (from: Who, to: Who, port: number, protocol: "TCP" | "UDP" = "TCP"): boolean =>
    passes(policies, { from: pods[from], to: pods[to], port, protocol });
  expect([reaches("snapshots", "vault", 8200), reaches("snapshots", "dns", 53, "UDP")]).toEqual([true, true]);
  expect(
    [
      reaches("snapshots", "vault", 8201),
      reaches("snapshots", "internet", 443),
      reaches("snapshots", "apiServer", 443),
      reaches("stranger", "snapshots", 80),
    ].filter(Boolean),
  ).toEqual([]);
  expect(
    [
      reaches("drill", "vault", 8200),
      reaches("drill", "dns", 53, "UDP"),
      reaches("drill", "internet", 443),
      reaches("vault", "drill", 8200),
      reaches("stranger", "drill", 8200),
    ].filter(Boolean),
  ).toEqual([]);
});

test("a drill reaches the Vault whose key opens the snapshot, and no other", () => {
  const [address, reached, notReached] = ["https://203.0.113.7:8200", "203.0.113.7", "203.0.113.8"];
  const seal = { type: "transit", address, keyName: "unseal" };
  const environment = environmentWith({ vault: { mode: "ha", snapshots: {}, seal } });
  const app = Testing.app();
  const policies = policiesOf(guardsChart(app, environment), snapshotsChart(app, environment).chart);
  const { drill, vault, apiServer: server } = podsOf(environment);
  const reaches = (to: FlowEnd, port = 8200): boolean => passes(policies, { from: drill, to, port });
  expect(reaches({ address: reached })).toBe(true);
  expect([
    reaches({ address: reached }, 443),
    reaches({ address: notReached }),
    reaches(vault),
    reaches(server, 443),
  ]).toEqual([false, false, false, false]);
});

test("where a name leads there, a drill reaches any address at its port, but not the live Vault", () => {
  const seal = { type: "transit", address: "https://keys.example", keyName: "unseal" };
  const environment = environmentWith({ vault: { mode: "ha", snapshots: {}, seal } });
  const app = Testing.app();
  const policies = policiesOf(guardsChart(app, environment), snapshotsChart(app, environment).chart);
  const { drill, vault, dns, internet } = podsOf(environment);
  const reaches = (to: FlowEnd, port: number, protocol: "TCP" | "UDP" = "TCP"): boolean =>
    passes(policies, { from: drill, to, port, protocol });
  expect([reaches(internet, 443), reaches(dns, 53, "UDP")]).toEqual([true, true]);
  expect([reaches(internet, 8200), reaches(vault, 8200), reaches(vault, 443)]).toEqual([false, false, false]);
});

test("a tenant's Aidbox reaches its own PostgreSQL, and no other", () => {
  const environment = environmentWith({
    tenants: [{ name: "north", secrets: secrets.map((row) => ({ ...row, path: `north/${row.path}` })) }],
  });
  const [north] = environment.tenants;
  const app = Testing.app();
  const policies = [environment, north!].flatMap((each) => policiesOf(postgresChart(app, each)));
  const [first, second] = [podsOf(environment), podsOf(north!)];
  const reaches = (from: FlowEnd, to: FlowEnd): boolean => passes(policies, { from, to, port: 5432 });
  expect([reaches(first.aidbox, first.postgres), reaches(second.aidbox, second.postgres)]).toEqual([true, true]);
  expect([reaches(first.aidbox, second.postgres), reaches(second.aidbox, first.postgres)]).toEqual([false, false]);
});

test("an external Vault has no policy here, and its provider has one", () => {
  const vault = { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } };
  const policies = policiesOf(guardsChart(Testing.app(), environmentWith({ vault })));
  expect(policies.map(({ name }) => name)).toEqual(["vault-node-csi-provider"]);
});

test("no rule admits everybody, or opens every port", () => {
  const environment = environmentWith({
    vault: { mode: "ha", allowTo: [apiServer] },
    republisher: { allowTo: [apiServer] },
  });
  const app = Testing.app();
  const charts = [guardsChart, aidboxChart, postgresChart].map((each) => each(app, environment));
  for (const { spec } of policiesOf(...charts)) {
    for (const { from, ports } of spec.ingress ?? []) expect([from!.length, ports!.length]).not.toContain(0);
    for (const { to, ports } of spec.egress ?? []) expect([to!.length, ports!.length]).not.toContain(0);
  }
});
