import { App, YamlOutputType } from "cdk8s";
import { aidboxChart, namespacesChart, postgresChart } from "./charts";
import type { Environment } from "./config/environment";

/** Writes the environment's Kubernetes YAML, one file a chart; returns the folder. */
export function writeYaml(environment: Environment): string {
  const outdir = `dist/${environment.name}`;
  const app = new App({ outdir, yamlOutputType: YamlOutputType.FILE_PER_CHART });
  namespacesChart(app, environment);
  if (environment.database?.mode === "development") postgresChart(app, environment);
  aidboxChart(app, environment);
  app.synth();
  return outdir;
}
