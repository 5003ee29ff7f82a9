import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { DaemonSetReference } from "../../constructs/platform";
import { VaultClient, type VaultHealth } from "../../constructs/vault";
import type { Environment } from "../config/environment";
import { waitForDaemonSet } from "./daemon-set";
import { recoverInterruptedInstall } from "./interrupted-install";
import { KubeApi } from "./kube-api";
import { checkOwnership } from "./ownership";
import { openPortForward } from "./port-forward";

/** A Vault that answers. */
export interface ReachableVault extends VaultHealth {
  /** URL of Vault from where the program runs. */
  readonly address: string;
}

/** What the program does with the cluster itself, beside its resources. */
export interface Cluster {
  /** Waits until the environment's Vault can be used, by a port-forward where it runs in the cluster. */
  reachVault(): Promise<ReachableVault>;
  /** Waits until a DaemonSet is ready on every node. */
  daemonSetReady(reference: DaemonSetReference): Promise<void>;
}

/**
 * The environment's cluster, made sure to be this stack's to change.
 *
 * @param owner value of the owner label of this stack
 */
export async function connectCluster(environment: Environment, owner: string): Promise<Cluster> {
  const api = await KubeApi.connect(environment.kubeContext);
  await checkOwnership(api, environment, owner);
  const { csiDriver, vault, namespaces } = environment;
  if (!pulumi.runtime.isDryRun()) {
    await Promise.all([
      csiDriver.install
        ? recoverInterruptedInstall(api, { namespace: csiDriver.namespace, releaseName: csiDriver.release })
        : undefined,
      recoverInterruptedInstall(api, { namespace: namespaces.vault, releaseName: vault.release }),
    ]);
  }
  return {
    daemonSetReady: (reference) => waitForDaemonSet(api, reference),
    reachVault: async () => {
      const address = vault.mode === "dev" ? await forwardToVault(api, environment, owner) : outsideAddress(vault);
      return {
        address,
        ...(await new VaultClient({ address, token: "" }).waitUntilUsable()),
      };
    },
  };
}

async function forwardToVault(api: KubeApi, environment: Environment, owner: string): Promise<string> {
  const { vault, namespaces } = environment;
  const port = (vault.mode === "dev" ? vault.localPort : undefined) ?? defaultLocalPort(owner);
  await openPortForward(
    api,
    {
      namespace: namespaces.vault,
      labelSelector: `app.kubernetes.io/instance=${vault.release},component=server`,
      port: 8200,
    },
    port,
  );
  return `http://127.0.0.1:${port}`;
}

function outsideAddress(vault: Environment["vault"] & { mode: "external" }): string {
  return vault.addressFromHere ?? vault.address;
}

/** A port of the stack's own, below those that systems give to outgoing connections; the same in every run. */
export function defaultLocalPort(owner: string): number {
  return 20_000 + (createHash("sha256").update(owner).digest().readUInt32BE() % 10_000);
}
