/**
 * A cdk8s chart as Pulumi resources, its Outputs, secrets and dependencies intact. Needs `@pulumi/pulumi` and
 * `@pulumi/kubernetes`.
 *
 * @module cdk8s-pulumi
 */
export { asDependency, DeployedChart, type ChartBuilder } from "./deployed-chart";
export { KubernetesObject } from "./kubernetes-object";
export { OutputTokens, type Resolved } from "./output-tokens";
