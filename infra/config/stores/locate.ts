import type { Secret } from "../../../constructs/secrets";
import { objectName } from "../../../constructs/stores/azure-key-vault/names";
import type { Environment } from "../environment";
import { vaultPaths } from "./vault/server";

/** Where a secret lies in the environment's store: a path of Vault's API, or a name in the key vault. */
export function locate(environment: Environment, secret: Secret): string {
  return environment.vault === undefined
    ? `${environment.azureKeyVault.name}/${objectName(secret)}`
    : vaultPaths(environment).data(secret);
}
