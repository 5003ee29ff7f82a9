import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { CsiDriver, type DaemonSetReference, Vault } from "../../constructs/platform";
import { VaultClient, type VaultHealth } from "../../constructs/vault";
import type { Environment } from "../config/environment";
import { waitForDaemonSet } from "./daemon-set";
import { recoverInterruptedInstall } from "./interrupted-install";
import { KubeApi } from "./kube-api";
import { repairOf } from "./lost-objects";
import { checkOwnership } from "./ownership";
import { openPortForward, type PortForwardTarget } from "./port-forward";

/** A Vault that answers. */
export interface ReachableVault extends VaultHealth {
  /** URL of Vault from where the program runs. */
  readonly address: string;
}

/** What the program does with the cluster itself, beside its resources. */
export interface Cluster {
  /** Waits until the environment's Vault can be used, by a port-forward where it runs in the cluster. */
  reachVault(): Promise<ReachableVault>;
  /** What to repair each Helm release with; none where it has all that it installed. */
  readonly repairs: { readonly csiDriver?: string | undefined; readonly vault?: string | undefined };
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
  const driverRelease = { namespace: csiDriver.namespace, releaseName: csiDriver.release };
  const vaultRelease = { namespace: namespaces.vault, releaseName: vault.release };
  if (!pulumi.runtime.isDryRun()) {
    await Promise.all([
      csiDriver.install ? recoverInterruptedInstall(api, driverRelease) : undefined,
      recoverInterruptedInstall(api, vaultRelease),
    ]);
  }
  const [driverRepair, vaultRepair] = await Promise.all([
    csiDriver.install
      ? repairOf(api, {
          ...driverRelease,
          daemonSets: [CsiDriver.daemonSetName(csiDriver.release)],
          statefulSets: [],
        })
      : undefined,
    repairOf(api, {
      ...vaultRelease,
      daemonSets: vault.csiProvider ? [Vault.csiProviderName(vault.release)] : [],
      statefulSets: vault.mode === "dev" ? [vault.release] : [],
    }),
  ]);
  return {
    repairs: { csiDriver: driverRepair, vault: vaultRepair },
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
  const { vault } = environment;
  const port = (vault.mode === "dev" ? vault.localPort : undefined) ?? defaultLocalPort(owner);
  await openPortForward(api, vaultServerPods(environment), port);
  return `http://127.0.0.1:${port}`;
}

/** The pods of the Vault that the environment's chart deploys. */
export function vaultServerPods({ vault, namespaces }: Environment): PortForwardTarget {
  return {
    namespace: namespaces.vault,
    labelSelector: `app.kubernetes.io/instance=${vault.release},component=server`,
    port: 8200,
  };
}

function outsideAddress(vault: Environment["vault"] & { mode: "external" }): string {
  return vault.addressFromHere ?? vault.address;
}

/** A port of the stack's own, below those that systems give to outgoing connections; the same in every run. */
export function defaultLocalPort(owner: string): number {
  return 20_000 + (createHash("sha256").update(owner).digest().readUInt32BE() % 10_000);
}
