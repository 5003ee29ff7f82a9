import type { VaultClient } from "../../../../constructs/stores/vault/api/client";
import type { VaultEnvironment } from "../../../config/environment";
import type { VaultSession } from "./session";

/** With what a step works. */
export interface RootWork {
  /** Has a root token, or one of an administrator of a Vault of others. */
  readonly root: VaultClient;
  readonly environment: VaultEnvironment;
  /** The way to the cluster. */
  readonly session: VaultSession;
  /** What tells the environment's cluster from any other. */
  readonly cluster: string;
  /** Takes what a person should know. */
  readonly tell: (text: string) => void;
}

/** Something in Vault that the stack's own token may not do, or not change. */
export interface RootStep {
  /** Whether a Vault of others, which has administrators, is left without it. */
  readonly ownVaultOnly: boolean;
  /** Can be run again: what is there already is brought up to date. */
  readonly run: (work: RootWork) => Promise<void>;
}
