import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "../cluster/cluster";
import type { Environment } from "../config/environment";
import type { StackValues } from "../config/managed-values";
import type { StateResource } from "../state/stack-state";

/** What a stack is deployed with. */
export interface StackArgs {
  readonly environment: Environment;
  /** As `kubernetesProvider` makes it. */
  readonly kubernetes: KubernetesProvider;
  readonly cluster: Cluster;
  /** Value of the owner label of what the stack makes. */
  readonly owner: string;
  /** Values of managed secrets; secret. */
  readonly managedValues: pulumi.Output<StackValues>;
  /** Token for a Vault that is there already; secret. */
  readonly externalVaultToken: pulumi.Output<string>;
  /** Token for the Vault that holds the key of the seal; secret. */
  readonly sealToken: pulumi.Output<string>;
  /** How an operator runs Vault's command line against this Vault. */
  readonly vaultCommand: string;
  /** What of Vault the config no longer has, and the state would have deleted. @default - nothing */
  readonly unprotected?: readonly StateResource[];
}
