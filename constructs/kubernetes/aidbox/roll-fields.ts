import { Duration } from "cdk8s";
import { DeploymentStrategy, PercentOrAbsolute } from "cdk8s-plus-28";
import { rollOf, type RollProps } from "./roll";

/** What kubelet and the container's runtime may need to be done with a pod once its time is over. */
const endSeconds = 10;

/**
 * The fields of a Deployment that say how it rolls.
 *
 * @param gracePeriod time that a pod has to stop
 */
export function rollFields(
  props: RollProps,
  gracePeriod: Duration,
): { readonly strategy: DeploymentStrategy; readonly minReady?: Duration } {
  const { maxSurge, maxUnavailable, waitsForEnd } = rollOf(props);
  if (maxSurge === undefined) return { strategy: DeploymentStrategy.recreate() };
  const strategy = DeploymentStrategy.rollingUpdate({
    maxSurge: maxSurge === "25%" ? PercentOrAbsolute.percent(25) : PercentOrAbsolute.absolute(maxSurge),
    maxUnavailable: PercentOrAbsolute.absolute(maxUnavailable),
  });
  return waitsForEnd ? { strategy, minReady: Duration.seconds(gracePeriod.toSeconds() + endSeconds) } : { strategy };
}
