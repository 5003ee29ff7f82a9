import type { GatewayRouteOptions } from "../gateway-route";
import type { AidboxProps } from "../props";

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
