import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { KeyVaultClient } from "../../constructs/stores/azure-key-vault";
import type { Cluster } from "../cluster/cluster";
import type { VaultCluster } from "../cluster/vault-cluster";
import type { Environment, KeyVaultEnvironment, VaultEnvironment } from "../config/environment";
import type { StackValues } from "../config/managed-values";
import type { StateResource } from "../state/stack-state";

/** What any stack is deployed with; a store's own has more. */
export interface StackArgs {
  readonly environment: Environment;
  /** As `kubernetesProvider` makes it. */
  readonly kubernetes: KubernetesProvider;
  readonly cluster: Cluster;
  /** Value of the owner label of what the stack makes. */
  readonly owner: string;
  /** Values of managed secrets; secret. */
  readonly managedValues: pulumi.Output<StackValues>;
  /**
   * Each Aidbox as its pods see it: without optional secrets that the store does not have, and with each of all keys that it has.
   * @default - it has what is optional, and no key of those that are not listed
   */
  readonly mounted?: ReadonlyMap<Environment, Environment>;
  /** Takes away what is in the way of larger volumes, right before it is made again. @default - nothing is */
  readonly makeWayForVolumes?: (() => Promise<void>) | undefined;
}

/** What a stack is deployed with whose store is Vault. */
export interface VaultStackArgs extends StackArgs {
  readonly environment: VaultEnvironment;
  readonly cluster: VaultCluster;
  /** Token for a Vault that is there already; secret. */
  readonly externalVaultToken: pulumi.Output<string>;
  /** Token for the Vault that holds the key of the seal; secret. */
  readonly sealToken: pulumi.Output<string>;
  /** How an operator runs Vault's command line against this Vault. */
  readonly vaultCommand: string;
  /** What of Vault the config no longer has, and the state would have deleted. @default - nothing */
  readonly unprotected?: readonly StateResource[];
}

/** What a stack is deployed with whose store is Azure Key Vault. */
export interface KeyVaultStackArgs extends StackArgs {
  readonly environment: KeyVaultEnvironment;
  /** The key vault, as the stack asks it; not called in a preview. */
  readonly keyVault: () => Pick<KeyVaultClient, "read" | "state" | "write" | "recover">;
}
