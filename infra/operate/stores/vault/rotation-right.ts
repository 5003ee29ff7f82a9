import type { SecretSpec } from "../../../../constructs/secrets/index";
import type { VaultEnvironment } from "../../../config/environment";
import { vaultPaths } from "../../../config/stores/vault/server";

/** What the operator's token needs in Vault to change a secret. */
export function rotationRight(
  environment: Pick<VaultEnvironment, "vault">,
  secret: Pick<SecretSpec, "path" | "source">,
): { readonly path: string; readonly capability: "patch" | "update" } {
  return secret.source === "database"
    ? { path: `${vaultPaths(environment).databaseMount}/rotate-role/${secret.path}`, capability: "update" }
    : { path: vaultPaths(environment).data(secret), capability: "patch" };
}
