import type { SecretSpec, SecretTable } from "../../constructs/secrets";

/** What the operator's token needs in Vault to change a secret. */
export function rotationRight(
  table: SecretTable,
  secret: Pick<SecretSpec, "path" | "source">,
): { readonly path: string; readonly capability: "patch" | "update" } {
  return secret.source === "database"
    ? { path: `${table.databaseMount}/rotate-role/${secret.path}`, capability: "update" }
    : { path: table.dataPath(secret), capability: "patch" };
}
