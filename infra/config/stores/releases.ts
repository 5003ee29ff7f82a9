import type { Environment } from "../environment";
import { keyVaultReleases } from "./azure-key-vault/provider";
import type { StoreReleases } from "./store-releases";
import { vaultReleases } from "./vault/releases";

export function storeReleases(environment: Environment): StoreReleases {
  return environment.vault === undefined ? keyVaultReleases(environment) : vaultReleases(environment);
}
