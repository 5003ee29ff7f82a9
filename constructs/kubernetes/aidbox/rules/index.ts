import type { Problem } from "../../../secrets";
import type { GatewayRouteOptions } from "../gateway-route";
import type { AidboxProps } from "../props";
import { environmentProblems } from "./environment";
import { exposureProblems } from "./exposure";
import { networkPolicyProblems } from "./network-policy";
import { portProblems } from "./ports";
import { scaleProblems } from "./scale";
import { securityProblems } from "./security";

export { findInitBundleClashes, initBundleVariable } from "./init-bundle";
export { findPodProblems, labelProblems } from "./pod";

/** The props that can contradict themselves or each other, as far as they are known; a config's too. */
export interface CheckedProps extends Partial<
  Pick<
    AidboxProps,
    | "replicas"
    | "autoscaling"
    | "disruptionBudget"
    | "maxInstances"
    | "resources"
    | "security"
    | "port"
    | "ingress"
    | "metricsPort"
    | "networkPolicy"
  >
> {
  readonly strategy?: object;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly service?: { readonly type?: string };
  readonly gatewayRoute?: Omit<GatewayRouteOptions, "timeout">;
  readonly serviceMonitor?: object;
}

/** What is wrong with the props of an Aidbox, each with the values and the fix. It needs no cdk8s. */
export function findAidboxProblems(props: CheckedProps): Problem[] {
  return [
    ...scaleProblems(props),
    ...securityProblems(props),
    ...portProblems(props),
    ...exposureProblems(props),
    ...networkPolicyProblems(props),
    ...environmentProblems(props),
  ];
}
