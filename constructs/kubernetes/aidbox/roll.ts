import type { AutoscalingOptions } from "./autoscaler";

/** What decides how a roll replaces the pods. */
export interface RollProps {
  readonly replicas?: number | undefined;
  readonly autoscaling?: Pick<AutoscalingOptions, "maxReplicas"> | undefined;
  readonly maxInstances?: number | undefined;
}

/** How a roll replaces the pods, as a Deployment says it. */
export interface Roll {
  /** Pods beyond the replicas: a number, or a share of them, rounded up; undefined where all stop before others start. */
  readonly maxSurge?: number | "25%";
  /** Pods of the replicas that may be missing. */
  readonly maxUnavailable: number;
  /** Whether the next pod waits until the one that was replaced is gone. */
  readonly waitsForEnd: boolean;
}

/** The most replicas that there can be. */
export function mostReplicas({ replicas, autoscaling }: RollProps): number {
  return autoscaling?.maxReplicas ?? replicas ?? 1;
}

/**
 * How pods are replaced without one being missing; with `maxInstances`, without more running than that.
 *
 * A pod that stops still runs, and Kubernetes counts it no longer: it starts the next one beside it. So a surge of n pods means
 * up to 2n beyond the replicas, and each step waits until the pods of the last one are gone.
 */
export function rollOf(props: RollProps): Roll {
  const replicas = mostReplicas(props);
  if (props.maxInstances === undefined) return { maxSurge: "25%", maxUnavailable: 0, waitsForEnd: false };
  const spare = props.maxInstances - replicas;
  if (spare < 1) return { maxUnavailable: replicas, waitsForEnd: false };
  if (replicas === 1) return { maxSurge: 1, maxUnavailable: 0, waitsForEnd: false };
  if (spare === 1) return { maxSurge: 0, maxUnavailable: 1, waitsForEnd: true };
  return {
    maxSurge: Math.min(Math.floor(spare / 2), Math.ceil(replicas / 4)),
    maxUnavailable: 0,
    waitsForEnd: true,
  };
}

/** Whether a roll stops all pods before it starts others. */
export function rollHasGap(props: RollProps): boolean {
  return rollOf(props).maxSurge === undefined;
}
