import { Duration } from "cdk8s";
import { type ContainerLifecycle, Handler } from "cdk8s-plus-28";
import type { AidboxProps } from "./props";

/** Time that a pod has to stop. */
export function gracePeriodOf({ pod }: Pick<AidboxProps, "pod">): Duration {
  return pod?.terminationGracePeriod ?? Duration.seconds(30);
}

/** Time for Services and ingress controllers to send a pod no more requests once it is told to stop. */
const drainSeconds = 5;

/**
 * Has a container serve on for a moment after its pod was told to stop: requests still come until all have heard of it.
 *
 * @param gracePeriod time that the pod has to stop, which this is a part of; where it is no longer, nothing is done
 */
export function drainBeforeStop(gracePeriod: Duration): ContainerLifecycle | undefined {
  if (gracePeriod.toSeconds() <= drainSeconds) return undefined;
  return { preStop: Handler.fromCommand(["sleep", String(drainSeconds)]) };
}
