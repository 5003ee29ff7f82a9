import * as pulumi from "@pulumi/pulumi";
import type { DaemonSetReference } from "../../constructs/platform";
import type { MarkedRelease } from "../../constructs/platform/release-mark";
import type { Environment } from "../config/environment";
import type { StateResource } from "../state/stack-state";
import { hasRelease } from "../state/state-objects";
import { waitForDaemonSet } from "./daemon-set";
import { recoverInterruptedInstall } from "./interrupted-install";
import type { KubeApi } from "./kube-api";
import { repairOf } from "./release-repair";
import { type DeploymentReference, waitForServedSecrets } from "./served-secrets";

/** What the program does with the cluster itself, beside its resources, whichever the store. */
export interface Cluster {
  /** What to repair each Helm release with; none where it has all that it installed. */
  readonly repairs: {
    readonly csiDriver?: string | undefined;
    readonly csiProvider?: string | undefined;
  };
  /** Waits until a DaemonSet is ready on every node. */
  daemonSetReady(reference: DaemonSetReference): Promise<void>;
  /** Waits until all pods of a Deployment have their secrets, and for a minute until it is ready. */
  secretsServed(reference: DeploymentReference, describeEmpty: (file: string) => string): Promise<void>;
}

/**
 * The environment's cluster, once it is known to be this stack's to change.
 *
 * @param provider Helm release of the store's CSI provider; none where the stack does not install one
 * @param state what the stack has already
 */
export async function connectCluster(
  api: KubeApi,
  { csiDriver }: Pick<Environment, "csiDriver">,
  provider: MarkedRelease | undefined,
  state: readonly StateResource[] = [],
): Promise<Cluster> {
  const driverRelease = { namespace: csiDriver.namespace, releaseName: csiDriver.release };
  const [driverRepair, providerRepair] = await Promise.all([
    csiDriver.install ? repairOf(api, driverRelease) : undefined,
    provider === undefined ? undefined : repairOf(api, provider),
    csiDriver.install ? recoverInstall(api, driverRelease, state) : undefined,
    provider === undefined ? undefined : recoverInstall(api, provider, state),
  ]);
  return {
    repairs: { csiDriver: driverRepair, csiProvider: providerRepair },
    daemonSetReady: (reference) => waitForDaemonSet(api, reference),
    secretsServed: (reference, describeEmpty) => waitForServedSecrets(api, reference, describeEmpty),
  };
}

/** Lets a release be installed again that a killed run left behind; a preview leaves it, and any one that the state has, as it is. */
export async function recoverInstall(
  api: KubeApi,
  release: MarkedRelease,
  state: readonly StateResource[],
): Promise<void> {
  // One that was adopted has no mark yet.
  if (!pulumi.runtime.isDryRun() && !hasRelease(state, release)) await recoverInterruptedInstall(api, release);
}
