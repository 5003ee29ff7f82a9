import { Duration } from "cdk8s";
import { type ContainerProps, Probe, type ProbeOptions } from "cdk8s-plus-28";

/** How kubelet asks Aidbox for its health; each probe keeps its other defaults where only some are given. */
export interface HealthProbeOptions {
  /** @default "/health" */
  readonly path?: string;
  /** @default - each second, 300 times: Aidbox may migrate its database before it answers */
  readonly startup?: ProbeOptions;
  /** @default - each 5 seconds; not ready after 2 failures */
  readonly readiness?: ProbeOptions;
  /** @default - each 10 seconds; restarted after 6 failures */
  readonly liveness?: ProbeOptions;
}

export function healthProbes(
  port: number,
  props: HealthProbeOptions = {},
): Required<Pick<ContainerProps, "startup" | "readiness" | "liveness">> {
  const probe = (period: number, failureThreshold: number, options: ProbeOptions = {}): Probe =>
    Probe.fromHttpGet(props.path ?? "/health", {
      port,
      timeoutSeconds: Duration.seconds(5),
      periodSeconds: Duration.seconds(period),
      failureThreshold,
      ...options,
    });
  return {
    startup: probe(1, 300, props.startup),
    readiness: probe(5, 2, props.readiness),
    liveness: probe(10, 6, props.liveness),
  };
}
