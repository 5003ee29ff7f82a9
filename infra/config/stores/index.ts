import { keyVaultConfig } from "./azure-key-vault/config";
import type { StoreConfig } from "./store-config";
import { vaultConfig } from "./vault/config";

export type { StoreConfig } from "./store-config";

/** The stores that an environment may have. The first is the one that is missed where there is none. */
export const storeConfigs = [vaultConfig, keyVaultConfig] as const;

/** Key of the config that says which the store is. */
export type StoreKey = (typeof storeConfigs)[number]["key"];

/** The store that a config names: the first, where it names several, which is an error of its own. */
export function storeConfigOf(config: Readonly<Record<string, unknown>>): StoreConfig<StoreKey> {
  return namedStores(config)[0] ?? storeConfigs[0];
}

/** The stores whose blocks a config has. */
export function namedStores(config: Readonly<Record<string, unknown>>): StoreConfig<StoreKey>[] {
  return storeConfigs.filter(({ key }) => config[key] !== undefined);
}

/** What people call the store of a config, or of an environment. */
export function storeTitle(config: object): string {
  return storeConfigOf(config as Readonly<Record<string, unknown>>).title;
}
