import { Chart, Duration, Testing } from "cdk8s";
import { Deployment, ServiceAccount, Volume } from "cdk8s-plus-28";
import {
  Aidbox,
  AidboxChart,
  type AidboxProps,
  AppSecrets,
  DevelopmentPostgres,
  Monitoring,
  NetworkGuard,
  type NetworkPeer,
  type NetworkTarget,
  Republisher,
  SecretProviderClass,
  VaultConfig,
} from "../../../constructs/kubernetes";
import { SecretTable } from "../../../constructs/secrets";
import { VaultGuards, VaultStore } from "../../../constructs/stores/vault";
import { basicClient } from "./fixtures";

const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "db-password", path: "aidbox/db", environment: "BOX_DB_PASSWORD" },
  ],
});
const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox" });
const peer: NetworkPeer = { podLabels: { app: "web" } };
const other: NetworkPeer = { cidr: "10.1.2.3/32" };
const target: NetworkTarget = { peer: other, ports: [443] };

function newChart(): Chart {
  return new Chart(Testing.app(), "apps", { namespace: "apps" });
}

/** What a chart, and those in it, are synthesized to. */
function objectsOf(chart: Chart): unknown[] {
  return chart.node.findAll().flatMap((each) => (Chart.isChart(each) ? (Testing.synth(each) as unknown[]) : []));
}

function newAidbox(chart: Chart, props: Partial<AidboxProps>): Aidbox {
  return new Aidbox(chart, "aidbox", {
    image: "healthsamurai/aidboxone:2605",
    secrets: SecretProviderClass.fromClassName("aidbox-vault-secrets", { table }),
    serviceAccount: new ServiceAccount(chart, "account", { metadata: { name: "aidbox" } }),
    vaultConfig: new VaultConfig(chart, "vault-config", { table }),
    ...props,
  });
}

const watched = { environment: "dev", republishers: [{ namespace: "apps", deployment: "web" }], hasAges: false };
const aidbox = { image: "healthsamurai/aidboxone:2605" };
const networkPolicy = { from: [peer], monitors: [peer], database: { peer }, to: [] };

/** Something that a construct can be given by its props, and be given later. */
interface Case {
  readonly what: string;
  /** @returns adds it; called where the props did not have it */
  readonly make: (chart: Chart, byProps: boolean) => () => void;
  /** What is said where it is there already. */
  readonly twice: string;
}

const cases: readonly Case[] = [
  {
    what: "a mount of Aidbox",
    make: (chart, byProps) => {
      const mount = { path: "/data", volume: Volume.fromEmptyDir(chart, "data", "data") };
      const made = newAidbox(chart, { pod: { mounts: byProps ? [mount] : [] } });
      return () => {
        made.addMount(mount);
      };
    },
    twice: 'apps/aidbox are not valid:\n  pod.mounts[1].path: "/data": has something mounted already: write another',
  },
  ...(["initContainers", "sidecars"] as const).map((list): Case => ({
    what: `one of Aidbox's ${list}`,
    make: (chart, byProps) => {
      const container = { name: "proxy", image: "envoy:1" };
      const made = newAidbox(chart, { pod: { [list]: byProps ? [container] : [] } });
      return () => {
        if (list === "sidecars") made.addSidecar(container);
        else made.addInitContainer(container);
      };
    },
    twice: `apps/aidbox are not valid:\n  pod.${list}[1].name: "proxy": is another container's too: give it its own`,
  })),
  {
    what: "a host of its Ingress",
    make: (chart, byProps) => {
      const hosts = ["aidbox.example.com", ...(byProps ? ["fhir.example.com"] : [])];
      const made = newAidbox(chart, { ingress: { hosts } });
      return () => {
        made.ingress!.addHost("fhir.example.com");
      };
    },
    twice: 'apps/aidbox/ingress are not valid:\n  host: "fhir.example.com": is there already: leave it out',
  },
  {
    what: "a host of its route",
    make: (chart, byProps) => {
      const hostnames = ["aidbox.example.com", ...(byProps ? ["fhir.example.com"] : [])];
      const made = newAidbox(chart, { gatewayRoute: { hostnames, parentRefs: [{ name: "public" }] } });
      return () => {
        made.gatewayRoute!.addHostname("fhir.example.com");
      };
    },
    twice: 'apps/aidbox/gateway-route are not valid:\n  hostname: "fhir.example.com": is there already: leave it out',
  },
  {
    what: "a Gateway of its route",
    make: (chart, byProps) => {
      const parentRefs = [{ name: "public" }, ...(byProps ? [{ name: "private" }] : [])];
      const made = newAidbox(chart, { gatewayRoute: { hostnames: ["aidbox.example.com"], parentRefs } });
      return () => {
        made.gatewayRoute!.addParent({ name: "private" });
      };
    },
    twice: 'apps/aidbox/gateway-route are not valid:\n  parent: {"name":"private"}: is there already: leave it out',
  },
  ...(["from", "monitors"] as const).map((list): Case => {
    const [add, word] = list === "from" ? (["addSource", "source"] as const) : (["addMonitor", "monitor"] as const);
    return {
      what: `one of its network policy's ${list}`,
      make: (chart, byProps) => {
        const policy = { ...networkPolicy, [list]: byProps ? [peer, other] : [peer] };
        const made = newAidbox(chart, { metricsPort: 8765, networkPolicy: policy });
        return () => {
          made.networkPolicy![add](other);
        };
      },
      twice: `apps/aidbox/network-policy are not valid:\n  ${word}: {"cidr":"10.1.2.3/32"}: is there already: leave it out`,
    };
  }),
  {
    what: "a target of its network policy",
    make: (chart, byProps) => {
      const made = newAidbox(chart, { networkPolicy: { ...networkPolicy, monitors: [], to: byProps ? [target] : [] } });
      return () => {
        made.networkPolicy!.addTarget(target);
      };
    },
    twice: `apps/aidbox/network-policy are not valid:\n  target: ${JSON.stringify(target)}: is there already: leave it out`,
  },
  {
    what: "a resource of the Init Bundle",
    make: (chart, byProps) => {
      const events = { resourceType: "AidboxTopicDestination", id: "events" };
      const resources = [basicClient, ...(byProps ? [events] : [])];
      const made = new AidboxChart(chart, "own", {
        namespace: "apps",
        table,
        store,
        aidbox,
        initBundle: { resources },
      });
      return () => {
        made.initBundle!.addResource(events);
      };
    },
    twice:
      "The Init Bundle of apps/own/init-bundle is not valid:\n  AidboxTopicDestination/events: is there twice, and the last one " +
      "would win: leave one out",
  },
  {
    what: "a container that sees an app's secrets",
    make: (chart, byProps) => {
      const workload = new Deployment(chart, "web", { metadata: { name: "web" } });
      const first = workload.addContainer({ name: "web", image: "web:1" });
      const worker = workload.addContainer({ name: "worker", image: "web:1" });
      const containers = byProps ? [first, worker] : [first];
      const made = new AppSecrets(chart, "secrets", { workload, table, store, containers });
      return () => {
        made.addContainer(worker);
      };
    },
    twice: "apps/secrets are not valid:\n  container: sees the secrets already: leave it out",
  },
  {
    what: "a source of a NetworkGuard",
    make: (chart, byProps) => {
      const source = { peers: [other], ports: [80] };
      const from = byProps ? [source] : [];
      const made = new NetworkGuard(chart, "guard", { name: "web", podLabels: { app: "web" }, from });
      return () => {
        made.addSource(source);
      };
    },
    twice:
      'apps/guard are not valid:\n  source: {"peers":[{"cidr":"10.1.2.3/32"}],"ports":[80]}: is there already: leave it out',
  },
  {
    what: "a target of a NetworkGuard that reached nobody",
    make: (chart, byProps) => {
      const made = new NetworkGuard(chart, "guard", { name: "web", podLabels: {}, to: byProps ? [target] : [] });
      return () => {
        made.addTarget(target);
      };
    },
    twice: `apps/guard are not valid:\n  target: ${JSON.stringify(target)}: is there already: leave it out`,
  },
  {
    what: "whom a Republisher may reach",
    make: (chart, byProps) => {
      const made = new Republisher(chart, "republisher", {
        name: "web",
        namespace: "apps",
        podLabels: {},
        interval: Duration.seconds(5),
        allowTo: byProps ? [target] : [],
      });
      return () => {
        made.networkGuard.addTarget(target);
      };
    },
    twice: `apps/republisher/network-guard are not valid:\n  target: ${JSON.stringify(target)}: is there already: leave it out`,
  },
  {
    what: "a Republisher that is watched",
    make: (chart, byProps) => {
      const further = { namespace: "apps", deployment: "worker" };
      const made = new Monitoring(chart, "monitoring", {
        name: "secrets",
        namespace: "monitoring",
        watched: { ...watched, republishers: [...watched.republishers, ...(byProps ? [further] : [])] },
        dashboardLabels: { grafana_dashboard: "1" },
      });
      return () => {
        made.addRepublisher(further);
      };
    },
    twice: `apps/monitoring are not valid:\n  republisher: {"namespace":"apps","deployment":"worker"}: is there already: leave it out`,
  },
];

describe.each(cases)("$what", ({ make, twice }) => {
  test("comes to the same whether it is said by the props or added, also after a first synth", () => {
    const byProps = newChart();
    make(byProps, true);
    const later = newChart();
    const add = make(later, false);
    const wanted = objectsOf(byProps);
    expect(objectsOf(later)).not.toEqual(wanted);
    add();
    expect(objectsOf(later)).toEqual(wanted);
  });

  test("is refused with the construct's path where it is there already, and where nobody would read it", () => {
    const chart = newChart();
    const add = make(chart, true);
    expect(add).toThrow(twice);
    chart.node.lock();
    expect(add).toThrow(
      /^apps\/\S+: its objects were deployed already, without this \S+: add it where the chart is built$/,
    );
  });
});

test("guards of others take sources too", () => {
  const chart = newChart();
  const servers = { releaseName: "vault", namespace: "vault" };
  const { servers: guard, provider } = new VaultGuards(chart, "guards", { servers });
  guard!.addSource({ peers: [other], ports: [8200] });
  expect(provider).toBeUndefined();
  new DevelopmentPostgres(chart, "postgres", { table, store, from: [] }).networkGuard.addSource({
    peers: [peer],
    ports: [5432],
  });
  const policies = Testing.synth(chart).filter(({ kind }: { kind: string }) => kind === "NetworkPolicy");
  expect(policies.map(({ spec }: { spec: { ingress: object[] } }) => spec.ingress.at(-1))).toEqual([
    { from: [{ ipBlock: { cidr: "10.1.2.3/32" } }], ports: [{ port: 8200, protocol: "TCP" }] },
    { from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 5432, protocol: "TCP" }] },
  ]);
});

test.each<{ what: string; add: (chart: Chart) => void; problem: string }>([
  {
    what: "a target of a guard that leaves every way open",
    add: (chart) => {
      new NetworkGuard(chart, "guard", { name: "web", podLabels: {} }).addTarget(target);
    },
    problem: "target: the pods reach everybody: make the guard with to: [], which closes what is not added",
  },
  {
    what: "a source that names nobody",
    add: (chart) => {
      new NetworkGuard(chart, "guard", { name: "web", podLabels: {} }).addSource({ peers: [{}], ports: [] });
    },
    problem:
      "source.peers[0]: {}: names nobody: write podLabels, namespaceLabels or cidr\n" +
      "  source.ports: []: would open every port: name at least one, as [443]",
  },
  {
    what: "a monitor where there are no metrics",
    add: (chart) => {
      newAidbox(chart, { networkPolicy: { database: { peer } } }).networkPolicy!.addMonitor(peer);
    },
    problem: "monitor: finds no metrics: give Aidbox metricsPort or serviceMonitor",
  },
  {
    what: "a host that is a URL",
    add: (chart) => {
      newAidbox(chart, { ingress: { hosts: ["a.example.com"] } }).ingress!.addHost("https://b.example.com");
    },
    problem: 'host: "https://b.example.com": write a host name alone, as aidbox.example.com',
  },
  {
    what: "a mount in the secrets' folder",
    add: (chart) => {
      const volume = Volume.fromEmptyDir(chart, "data", "data");
      newAidbox(chart, {}).addMount({ path: "/run/vault-secrets/more", volume });
    },
    problem:
      'pod.mounts[0].path: "/run/vault-secrets/more": lies in /run/vault-secrets, which is read-only: write another',
  },
  {
    what: "a sidecar without an image",
    add: (chart) => {
      newAidbox(chart, {}).addSidecar({ name: "proxy" } as never);
    },
    problem: "pod.sidecars[0].image: is missing: write a text",
  },
  {
    what: "a container of another workload",
    add: (chart) => {
      const workload = new Deployment(chart, "web", { metadata: { name: "web" }, containers: [{ image: "web:1" }] });
      const another = new Deployment(chart, "other", { containers: [{ image: "web:1" }] });
      new AppSecrets(chart, "secrets", { workload, table, store }).addContainer(another.containers[0]!);
    },
    problem: "container: is none of apps/web: add it to that first",
  },
  {
    what: "a group of rules with another's name",
    add: (chart) => {
      const monitoring = new Monitoring(chart, "monitoring", { name: "secrets", namespace: "apps", watched });
      monitoring.addRules({ name: "own", rules: [] });
      monitoring.addRules({ name: "own", rules: [] });
    },
    problem: 'group.name: "own": is another group\'s already: write another',
  },
])("$what is refused", ({ add, problem }) => {
  expect(() => {
    add(newChart());
  }).toThrow(`are not valid:\n  ${problem}`);
});

test("rules of one's own come after the others", () => {
  const chart = newChart();
  const monitoring = new Monitoring(chart, "monitoring", { name: "secrets", namespace: "apps", watched });
  monitoring.addRules({ name: "own", rules: [{ record: "one", expr: "1" }] });
  const [{ spec }] = Testing.synth(chart) as [{ spec: { groups: { name: string }[] } }];
  expect(spec.groups.map(({ name }) => name)).toEqual(["aidbox-secrets-dev-publication", "own"]);
});

test("a table with further rows is another table", () => {
  const further = table.with({ name: "license", path: "aidbox/license" });
  expect(further.secrets.map(({ name }) => name)).toEqual(["client-secret", "db-password", "license"]);
  expect(further.mountPath).toBe(table.mountPath);
  expect(table.secrets).toHaveLength(2);
  expect(() => table.with({ name: "client-secret", path: "aidbox/other" })).toThrow('secrets[2].name: "client-secret"');
});
