import type * as pulumi from "@pulumi/pulumi";
import type { KubeApi } from "../../cluster/kube-api";
import type { Environment } from "../../config/environment";
import type { StackArgs } from "../../stack/stack-args";
import type { StateResource } from "../../state/stack-state";

/** What is known of a stack before its store is looked at. */
export interface Preparation<E extends Environment> {
  readonly environment: E;
  readonly api: KubeApi;
  readonly config: pulumi.Config;
  /** What any stack is deployed with. */
  readonly common: Omit<StackArgs, "environment" | "cluster">;
  /** What of the store the config no longer has, and the state would have deleted. */
  readonly unprotected: readonly StateResource[];
  /** What the stack has already. */
  readonly state: readonly StateResource[];
}

/** Looks at a store before anything is touched. */
export interface StorePreparer<E extends Environment> {
  prepare(preparation: Preparation<E>): Promise<StackArgs>;
}
