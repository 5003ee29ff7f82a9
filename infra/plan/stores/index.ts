import type { Environment } from "../../config/environment";
import { storeConfigOf } from "../../config/stores";
import type { StoreKey } from "../../config/stores/schemas";
import { plannedAws } from "./planned-aws";
import { plannedKeyVault } from "./planned-key-vault";
import type { PlannedStore } from "./planned-store";
import { plannedVault } from "./planned-vault";

const byKey: Readonly<Record<StoreKey, PlannedStore<Environment>>> = {
  vault: plannedVault,
  azureKeyVault: plannedKeyVault,
  awsSecrets: plannedAws,
};

/** What a plan knows of the environment's store. */
export function plannedStore(environment: Environment): PlannedStore<Environment> {
  return byKey[storeConfigOf(environment).key];
}
