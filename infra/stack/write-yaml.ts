import { App, YamlOutputType } from "cdk8s";
import { aidboxChart, namespacesChart, postgresChart } from "./charts";
import type { Environment } from "../config/environment";
import { storeChart } from "./stores";

/** Writes the environment's Kubernetes YAML, one file a chart; returns the folder. */
export function writeYaml(environment: Environment): string {
  const outdir = `dist/${environment.name}`;
  const app = new App({ outdir, yamlOutputType: YamlOutputType.FILE_PER_CHART });
  namespacesChart(app, environment);
  storeChart(app, environment);
  for (const each of [environment, ...environment.tenants]) {
    if (each.database?.mode === "development") postgresChart(app, each);
    aidboxChart(app, each);
  }
  app.synth();
  return outdir;
}
