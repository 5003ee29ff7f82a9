/**
 * A cdk8s chart as Pulumi resources, its Outputs, secrets and dependencies intact. Needs `@pulumi/pulumi`.
 *
 * @module aidbox-secrets/bridge
 */
export { DeployedChart, type ChartBuilder } from "./deployed-chart";
export { KubernetesObject } from "./kubernetes-object";
export { OutputTokens, type Resolved } from "./output-tokens";
