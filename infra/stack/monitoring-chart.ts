import { type App, Chart } from "cdk8s";
import { Monitoring, PodMonitor, type WatchedDriver } from "../../constructs/kubernetes/monitoring";
import { objectNames } from "../../constructs/kubernetes/names";
import { csiDriverName } from "../../constructs/platform/names";
import type { Environment } from "../config/environment";
import { durationOf } from "../config/quantity";
import { republishes } from "../config/rotation-bound";
import { storeOf, watchStore } from "./stores";

/**
 * What has Prometheus watch the stack, of all its Aidboxes.
 *
 * @param certificateEnd when the certificate of Vault's servers ends, where the stack issues it and it is known
 * @throws Error where the environment is not watched
 */
export function monitoringChart(app: App, environment: Environment, certificateEnd?: Date): Chart {
  const { monitoring, namespaces, aidbox } = environment;
  if (monitoring === undefined) throw new Error(`The environment "${environment.name}" is not watched`);
  const chart = new Chart(app, "monitoring");
  const all: readonly Environment[] = [environment, ...environment.tenants];
  const vault = watchStore(chart, environment, certificateEnd);
  const driver = watchDriver(chart, environment);
  new Monitoring(chart, "monitoring", {
    name: `${aidbox.name}-secrets`,
    namespace: namespaces.aidbox,
    labels: monitoring.labels,
    ...(monitoring.dashboard === undefined ? {} : { dashboardLabels: monitoring.dashboard.labels }),
    watched: {
      environment: environment.name,
      ...(vault === undefined ? {} : { vault }),
      ...(driver === undefined ? {} : { driver }),
      republishers: all
        .filter(republishes)
        .map((each) => ({ namespace: each.namespaces.aidbox, deployment: objectNames(each.aidbox.name).republisher })),
      hasAges: all.some(({ table }) =>
        [...table.secrets, ...table.keypairs].some(({ maxAge }) => maxAge !== undefined),
      ),
    },
  });
  return chart;
}

/** The driver that the stack installs; none where the cluster has one, whose labels nobody here knows. */
function watchDriver(chart: Chart, environment: Environment): WatchedDriver | undefined {
  const { csiDriver, monitoring } = environment;
  if (!csiDriver.install) return undefined;
  const daemonSet = csiDriverName(csiDriver.release);
  new PodMonitor(chart, "driver", {
    name: daemonSet,
    namespace: csiDriver.namespace,
    labels: monitoring!.labels,
    podLabels: { app: "secrets-store-csi-driver", "app.kubernetes.io/instance": csiDriver.release },
    port: "metrics",
    interval: durationOf(monitoring!.interval),
  });
  return { namespace: csiDriver.namespace, daemonSet, provider: storeOf(environment).provider };
}
