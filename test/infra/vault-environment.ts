import { checkEnvironment } from "../../infra/config/check-environment";
import type { Environment, VaultEnvironment } from "../../infra/config/environment";

/** An environment's config, checked, whose store is Vault. */
export function checkVaultEnvironment(...args: Parameters<typeof checkEnvironment>): VaultEnvironment {
  return ofVault(checkEnvironment(...args));
}

/** An environment whose store is Vault. @throws Error where it is another */
export function ofVault(environment: Environment): VaultEnvironment {
  if (environment.vault === undefined) throw new Error(`The store of ${environment.name} is not Vault`);
  return environment;
}
