import { App, YamlOutputType } from "cdk8s";
import { withKeys } from "../config/all-keys";
import type { Environment } from "../config/environment";
import { aidboxChart, namespacesChart, postgresChart } from "./charts";
import { monitoringChart } from "./monitoring-chart";
import { storeChart } from "./stores";

/** Writes the environment's Kubernetes YAML, one file a chart; returns the folder. */
export function writeYaml(environment: Environment): string {
  const outdir = `dist/${environment.name}`;
  // Each in an app of its own, since for each of its charts an app goes through all others again.
  const write = (make: (app: App) => void): void => {
    const app = new App({ outdir, yamlOutputType: YamlOutputType.FILE_PER_CHART });
    make(app);
    app.synth();
  };
  write((app) => namespacesChart(app, environment));
  write((app) => {
    storeChart(app, environment);
  });
  if (environment.monitoring !== undefined) write((app) => monitoringChart(app, environment));
  // Which keys a path has, only `up` finds out.
  for (const each of [environment, ...environment.tenants].map((one) => withKeys(one, new Map()))) {
    if (each.database?.mode === "development") write((app) => postgresChart(app, each));
    write((app) => aidboxChart(app, each));
  }
  return outdir;
}
