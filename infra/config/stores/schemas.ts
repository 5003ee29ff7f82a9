import { awsSecrets } from "./aws/schema";
import { azureKeyVault } from "./azure-key-vault/schema";
import { vault } from "./vault/schema";

/** What a config says of its store, by its key. An environment has the block of one. */
export const storeSchemas = {
  vault: vault.optional(),
  azureKeyVault: azureKeyVault.optional(),
  awsSecrets: awsSecrets.optional(),
};

/** Key of the config that says which the store is. */
export type StoreKey = keyof typeof storeSchemas;
