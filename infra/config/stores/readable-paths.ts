import type { SecretPath } from "../../../constructs/secrets";
import { objectName } from "../../../constructs/stores/azure-key-vault/names";
import type { Environment } from "../environment";
import { vaultPaths } from "./vault/server";

/** What of the store an Aidbox reads: paths of Vault, or names in the key vault. */
export function readablePaths(environment: Environment): string[] {
  return environment.table.paths.flatMap((path) => pathsOf(environment, path));
}

function pathsOf(environment: Environment, path: SecretPath): string[] {
  return environment.vault === undefined
    ? path.secrets.map((secret) => objectName(secret))
    : [vaultPaths(environment).data(path)];
}
