import type * as pulumi from "@pulumi/pulumi";
import type { Environment } from "../config/environment";

/** A store as it is deployed, and what an Aidbox waits for until its pods can read from it. */
export interface DeployedStore<E extends Environment> {
  /** URL of the store as seen from the cluster's pods. */
  readonly address: pulumi.Output<string>;
  /** When the certificate of the stack's own store ends, where the stack issues it. @default - it is not known */
  readonly certificateEnd?: Date | undefined;
  /** What resolves once pods can mount from the store. */
  readonly ready: readonly pulumi.Output<unknown>[];
  /** Gives an Aidbox access; resolves once all its secrets are there. The first Aidbox comes before its tenants. */
  admit(environment: E): pulumi.Output<unknown>;
}
