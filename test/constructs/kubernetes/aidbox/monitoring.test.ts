import type { Chart } from "cdk8s";
import { type k8s, ServiceType } from "cdk8s-plus-28";
import { containerOf, environmentOf, manifestOf, manifestsOf } from "../fixtures";
import { chartWith, chartWithEveryProp, refusalOf } from "./fixtures";

function servicesOf(chart: Chart) {
  return manifestsOf(chart).filter(({ kind }) => kind === "Service") as (k8s.KubeServiceProps & {
    readonly metadata: k8s.ObjectMeta;
  })[];
}

describe("the ServiceMonitor", () => {
  const endpoint = (path: string, interval: string) => ({
    port: "metrics",
    path,
    interval,
    honorLabels: true,
    metricRelabelings: [{ action: "labeldrop", regex: "pid" }],
  });

  it("looks at Aidbox's three pages of metrics, each as often as Aidbox counts it", () => {
    const monitor = manifestOf(chartWith({ serviceMonitor: {} }), "ServiceMonitor");
    expect(monitor.apiVersion).toBe("monitoring.coreos.com/v1");
    expect(monitor.spec).toEqual({
      selector: { matchLabels: { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "aidbox" } },
      endpoints: [
        endpoint("/metrics", "10s"),
        endpoint("/metrics/minutes", "60s"),
        { ...endpoint("/metrics/hours", "600s"), scrapeTimeout: "30s" },
      ],
    });
  });

  it("selects the Service by labels that it has, and the one port of its name", () => {
    const services = servicesOf(chartWith({ serviceMonitor: {} }));
    for (const { metadata } of services) {
      expect(metadata.labels).toEqual({
        "app.kubernetes.io/name": "aidbox",
        "app.kubernetes.io/instance": "aidbox",
      });
    }
    const ports = services.flatMap(({ spec }) => spec!.ports!);
    expect(ports.filter(({ name }) => name === "metrics")).toEqual([{ name: "metrics", port: 8765, targetPort: 8765 }]);
  });

  it("takes an interval, and labels by which a Prometheus finds it", () => {
    expect(manifestOf(chartWithEveryProp(), "ServiceMonitor")).toMatchObject({
      metadata: { labels: { release: "prometheus" } },
      spec: { endpoints: [{ interval: "30s" }, { interval: "60s" }, { interval: "600s" }] },
    });
  });
});

describe("the metrics", () => {
  it.each([
    { props: { serviceMonitor: {} }, port: 8765 },
    { props: { metricsPort: 9765 }, port: 9765 },
  ])("are served with $props, on port $port of the container", ({ props, port }) => {
    const chart = chartWith(props);
    expect(environmentOf(chart).BOX_METRICS_PORT).toEqual({ value: String(port) });
    expect(containerOf(chart).ports).toContainEqual({ name: "metrics", containerPort: port, protocol: "TCP" });
  });

  it("are not served by default", () => {
    expect(environmentOf(chartWith())).not.toHaveProperty("BOX_METRICS_PORT");
    expect(containerOf(chartWith()).ports).toHaveLength(1);
    expect(manifestsOf(chartWith()).map(({ kind }) => kind)).not.toContain("ServiceMonitor");
  });

  it("are not shown to the world with Aidbox", () => {
    const metrics = { metricsPort: 8765, service: { type: ServiceType.LOAD_BALANCER } };
    const types = servicesOf(chartWith(metrics)).map(({ metadata, spec }) => [metadata.name, spec!.type]);
    expect(types).toEqual([
      ["aidbox", "LoadBalancer"],
      ["aidbox-metrics", "ClusterIP"],
    ]);
  });

  it.each([
    { props: { port: 8765, serviceMonitor: {} }, port: 8765 },
    { props: { metricsPort: 8080 }, port: 8080 },
  ])("have a port of their own, unlike $props", ({ props, port }) => {
    expect(refusalOf(props)).toEqual([`metricsPort: ${port}: is Aidbox's own port too: write another, as 8765`]);
  });
});
