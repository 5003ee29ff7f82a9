import type { Duration } from "cdk8s";
import type { ContainerProps, VolumeMount } from "cdk8s-plus-28";
import type { AnyVersion } from "../any-version";

/** What else is in the pod, and is said of it. */
export interface PodOptions {
  /** @default - none but those that the constructs need */
  readonly annotations?: Record<string, string>;
  /** @default - none but those that the Service selects by */
  readonly labels?: Record<string, string>;
  /**
   * Further volumes of the Aidbox container; a volume comes into the pod with its mount.
   * @default - none
   */
  readonly mounts?: readonly AnyVersion<VolumeMount>[];
  /**
   * Containers that run to their end before Aidbox starts, after the one that waits for the secrets. What their security
   * context leaves open is as the `restricted` level wants it. They see no secrets.
   * @default - none
   */
  readonly initContainers?: readonly AnyVersion<ContainerProps>[];
  /**
   * Containers beside Aidbox, as restricted as those before it. They see no secrets.
   * @default - none
   */
  readonly sidecars?: readonly AnyVersion<ContainerProps>[];
  /**
   * Time that Aidbox has to finish its requests once it is told to stop.
   * @default Duration.seconds(30)
   */
  readonly terminationGracePeriod?: Duration;
}
