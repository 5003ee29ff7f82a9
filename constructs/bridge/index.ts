export { asDependency, DeployedChart, KubernetesObject, type ChartBuilder } from "./deployed-chart";
export { OutputTokens } from "./output-tokens";
