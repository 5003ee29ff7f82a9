export { asDependency, DeployedChart, type ChartBuilder } from "./deployed-chart";
export { KubernetesObject } from "./kubernetes-object";
export { OutputTokens } from "./output-tokens";
