import { ServiceType } from "cdk8s-plus-28";
import type { AidboxProps, NetworkPolicyOptions } from "../../../../constructs/kubernetes";
import { manifestOf, manifestsOf } from "../fixtures";
import { chartWith, chartWithEveryProp, refusalOf } from "./fixtures";

const database = { peer: { podLabels: { app: "postgres" } } };
const specOf = (networkPolicy: NetworkPolicyOptions, more: Partial<AidboxProps> = {}) =>
  manifestOf(chartWith({ networkPolicy, ...more }), "NetworkPolicy").spec!;
const tcp = (port: number) => ({ protocol: "TCP", port });

describe("the network policy", () => {
  it("is not there by default", () => {
    expect(manifestsOf(chartWith()).map(({ kind }) => kind)).not.toContain("NetworkPolicy");
  });

  it("denies Aidbox's pods all ways in, and all ways out but to DNS and the database", () => {
    expect(specOf({ database })).toEqual({
      podSelector: {
        matchLabels: { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "aidbox" },
      },
      policyTypes: ["Ingress", "Egress"],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
              podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
            },
          ],
          ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
        },
        { to: [{ podSelector: { matchLabels: { app: "postgres" } } }], ports: [tcp(5432)] },
      ],
    });
  });

  it("selects the pods by labels that they have", () => {
    const chart = chartWith({ networkPolicy: { database } });
    const { labels } = manifestOf(chart, "Deployment").spec!.template.metadata!;
    expect(labels).toMatchObject(manifestOf(chart, "NetworkPolicy").spec!.podSelector.matchLabels!);
  });

  it("lets in whom it names, each on its own port", () => {
    expect(manifestOf(chartWithEveryProp(), "NetworkPolicy").spec!.ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } },
          },
          { podSelector: { matchLabels: { app: "portal" } } },
        ],
        ports: [tcp(9090)],
      },
      {
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
        ports: [tcp(9765)],
      },
    ]);
  });

  it("lets out to whom it names, on the ports that it names", () => {
    expect(manifestOf(chartWithEveryProp(), "NetworkPolicy").spec!.egress).toEqual([
      { to: [{ ipBlock: { cidr: "169.254.20.10/32" } }], ports: [{ protocol: "UDP", port: 53 }, tcp(53)] },
      { to: [{ ipBlock: { cidr: "10.1.2.3/32" } }], ports: [tcp(6432)] },
      { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [tcp(443), tcp(8443)] },
    ]);
  });

  it.each(["fixed", "autoscaled"] as const)("has no rule that admits everybody or every port, %s", (way) => {
    const { ingress, egress } = manifestOf(chartWithEveryProp(way), "NetworkPolicy").spec!;
    for (const { from, ports } of ingress!) expect([from!.length, ports!.length]).not.toContain(0);
    for (const { to, ports } of egress!) expect([to!.length, ports!.length]).not.toContain(0);
  });

  it("takes addresses that are put in later", () => {
    const cidr = "${output:0123456789abcdef:0}";
    expect(specOf({ database: { peer: { cidr } } }).egress![1]!.to).toEqual([{ ipBlock: { cidr } }]);
  });

  const policy = (change: Partial<NetworkPolicyOptions>, more: Partial<AidboxProps> = {}): Partial<AidboxProps> => ({
    networkPolicy: { database, ...change },
    ...more,
  });

  it.each([
    {
      what: "an address without its length",
      props: policy({ database: { peer: { cidr: "10.1.2.3" } } }),
      problem: 'networkPolicy.database.peer.cidr: "10.1.2.3": is no range of addresses: did you mean "10.1.2.3/32"?',
    },
    {
      what: "an IPv6 address without its length",
      props: policy({ from: [{ cidr: "2001:db8::1" }] }),
      problem: 'networkPolicy.from[0].cidr: "2001:db8::1": is no range of addresses: did you mean "2001:db8::1/128"?',
    },
    {
      what: "a name for an address",
      props: policy({ dns: { cidr: "db.example.com" } }),
      problem:
        'networkPolicy.dns.cidr: "db.example.com": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    },
    {
      what: "a peer that is nobody",
      props: policy({ to: [{ peer: {}, ports: [443] }] }),
      problem: "networkPolicy.to[0].peer: {}: names nobody: write podLabels, namespaceLabels or cidr",
    },
    {
      what: "a way out without ports",
      props: policy({ to: [{ peer: { cidr: "10.0.0.0/8" }, ports: [] }] }),
      problem: "networkPolicy.to[0].ports: []: would open every port: name at least one, as [443]",
    },
    {
      what: "an Ingress that it shuts out",
      props: policy({}, { ingress: { hosts: ["a.example.com", "b.example.com"] } }),
      problem: "networkPolicy.from: []: shuts out the proxy of a.example.com, b.example.com: name its pods",
    },
    {
      what: "a Gateway that it shuts out",
      props: policy({}, { gatewayRoute: { parentRefs: [{ name: "public" }], hostnames: ["a.example.com"] } }),
      problem: "networkPolicy.from: []: shuts out the proxy of a.example.com: name its pods",
    },
    {
      what: "a load balancer that it shuts out",
      props: policy({}, { service: { type: ServiceType.LOAD_BALANCER } }),
      problem: "networkPolicy.from: []: shuts out the clients of the LoadBalancer: name their addresses",
    },
    {
      what: "a monitor that it shuts out",
      props: policy({}, { serviceMonitor: {} }),
      problem: "networkPolicy.monitors: []: shuts out the Prometheus of serviceMonitor: name its pods",
    },
    {
      what: "monitors of metrics that are not there",
      props: policy({ monitors: [{ podLabels: { app: "prometheus" } }] }),
      problem:
        'networkPolicy.monitors: [{"podLabels":{"app":"prometheus"}}]: find no metrics: ' +
        "set metricsPort or serviceMonitor, or remove them",
    },
  ])("is refused with $what", ({ props, problem }) => {
    expect(refusalOf(props)).toEqual([problem]);
  });
});
