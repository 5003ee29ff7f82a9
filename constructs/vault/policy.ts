import type { SecretTable } from "../secrets";

/** HCL of a policy that reads exactly the table's paths. */
export function readPolicy(table: SecretTable): string {
  return table.paths.map((path) => `path "${table.dataPath(path)}" {\n  capabilities = ["read"]\n}\n`).join("\n");
}
