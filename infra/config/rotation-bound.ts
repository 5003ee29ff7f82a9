/** Kubelet publishes a volume again every minute, or up to half as much later, unless its syncFrequency is changed. */
export const kubeletBoundSeconds = 90;

/** What is left of a bound for kubelet, driver and provider to do their work, which took 0.7 to 3 s. */
export const publicationSeconds = 5;

/** Below it the pods would be published again without a pause. */
export const leastBoundSeconds = 10;

/** Whether the Republisher is deployed to keep the bound. */
export function republishes({ rotationBoundSeconds }: { readonly rotationBoundSeconds: number }): boolean {
  return rotationBoundSeconds < kubeletBoundSeconds;
}
