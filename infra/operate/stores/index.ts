import type { Environment } from "../../config/environment";
import type { OpenOptions, OpenStore, OperatedStore } from "../store-operator";
import { operatedKeyVault } from "./azure-key-vault/operated";
import { operatedVault } from "./vault/operated";

/** The environment's store, as an operator's commands know it. */
export function operatedStore(environment: Environment): OperatedStore<Environment> {
  return environment.vault === undefined ? operatedKeyVault : operatedVault;
}

/** The environment's cluster and store. Touches nothing yet. */
export function openStore(environment: Environment, options: OpenOptions = {}): Promise<OpenStore> {
  return operatedStore(environment).open(environment, options);
}
