import type { Environment } from "../../config/environment";
import { storeConfigOf } from "../../config/stores";
import type { StoreKey } from "../../config/stores/schemas";
import type { StackArgs } from "../../stack/stack-args";
import { prepareAws } from "./aws";
import { prepareKeyVault } from "./azure-key-vault";
import type { Preparation, StorePreparer } from "./preparation";
import { prepareVault } from "./vault";

const byKey: Readonly<Record<StoreKey, StorePreparer<Environment>>> = {
  vault: { prepare: prepareVault },
  azureKeyVault: { prepare: prepareKeyVault },
  awsSecrets: { prepare: prepareAws },
};

/** What a stack is deployed with, once its store is known to be usable. */
export async function prepareStore(preparation: Preparation<Environment>): Promise<StackArgs> {
  return byKey[storeConfigOf(preparation.environment).key].prepare(preparation);
}
