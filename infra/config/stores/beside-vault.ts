import type { Problem } from "../../../constructs/secrets";

/** What an environment cannot say whose store has one identity for all pods, and no servers. */
export function besideVaultProblems(
  { tenants, namespaces }: Readonly<Record<string, unknown>>,
  { key, title }: { readonly key: string; readonly title: string },
): Problem[] {
  const problems: Problem[] = [];
  if (Array.isArray(tenants) && tenants.length > 0) {
    const message =
      `would read ${title} by the one identity of ${key}, and so each other's secrets: write an environment of its own for ` +
      "each";
    problems.push({ key: "tenants", message });
  }
  if (typeof namespaces === "object" && namespaces !== null && "vault" in namespaces) {
    const message = `is that of Vault's servers, and the store is ${title}: remove it`;
    problems.push({ key: "namespaces.vault", message });
  }
  return problems;
}
