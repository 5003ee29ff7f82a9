import { awsConfig } from "./aws/config";
import { keyVaultConfig } from "./azure-key-vault/config";
import type { StoreKey } from "./schemas";
import type { StoreConfig } from "./store-config";
import { vaultConfig } from "./vault/config";

export type { StoreConfig } from "./store-config";

const byKey: Readonly<Record<StoreKey, StoreConfig>> = {
  vault: vaultConfig,
  azureKeyVault: keyVaultConfig,
  awsSecrets: awsConfig,
};

/** The stores that an environment may have. The first is the one that is missed where there is none. */
export const storeConfigs: readonly StoreConfig[] = Object.values(byKey);

/** The store that a config names: the first, where it names several, which is an error of its own. */
export function storeConfigOf(config: object): StoreConfig {
  return namedStores(config)[0] ?? byKey.vault;
}

/** The stores whose blocks a config has. */
export function namedStores(config: object): StoreConfig[] {
  const blocks = config as Readonly<Record<string, unknown>>;
  return storeConfigs.filter(({ key }) => blocks[key] !== undefined);
}

/** What people call the store of a config, or of an environment. */
export function storeTitle(config: object): string {
  return storeConfigOf(config).title;
}
