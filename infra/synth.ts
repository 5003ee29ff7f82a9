import { App, YamlOutputType } from "cdk8s";
import { aidboxChart, namespacesChart } from "./charts";
import { readEnvironment } from "./config/environment-file";

// `cdk8s synth` runs this: the Kubernetes YAML of the environment AIDBOX_ENV (dev), without Pulumi and without a cluster.
const { environment } = readEnvironment(process.cwd(), process.env.AIDBOX_ENV ?? "dev");
const app = new App({
  outdir: `dist/${environment.name}`,
  yamlOutputType: YamlOutputType.FILE_PER_CHART,
});
namespacesChart(app, environment);
aidboxChart(app, environment);
app.synth();
