import type { Problem } from "../../constructs/secrets";
import { ConfigError, type Environment } from "./environment";
import { without } from "./without";

interface TenantConfig {
  readonly name: string;
  readonly namespace?: string;
  readonly secrets: unknown;
  readonly aidbox?: object;
}

/**
 * Each tenant as an environment of its own: the whole config, with the tenant's namespace, role, secrets and what differs
 * in its Aidbox.
 *
 * @param inherited what is wrong with the config itself, which is told once, of the first Aidbox
 * @param check checks such a config
 */
export function checkTenants(
  config: Record<string, unknown>,
  inherited: readonly Problem[],
  check: (config: Record<string, unknown>) => Environment,
): { readonly environments: readonly Environment[]; readonly problems: readonly Problem[] } {
  const tenants = Array.isArray(config.tenants) ? (config.tenants as unknown[]) : [];
  const environments: Environment[] = [];
  const problems: Problem[] = [];
  for (const [index, tenant] of tenants.entries()) {
    if (!isTenant(tenant)) continue; // the schema says what is wrong with it
    try {
      environments.push({ ...check(configOf(config, tenant)), tenant: tenant.name });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // A name or namespace that is no label is the schema's to tell; one made from a long name is not.
      const isMade = tenant.namespace === undefined && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(tenant.name);
      const own = error.problems.filter(
        (problem) =>
          (isMade || problem.key !== "namespaces.aidbox") &&
          !inherited.some(({ key, message }) => key === problem.key && message === problem.message),
      );
      problems.push(
        ...own.map(({ key, message }) => ({
          key: `tenants[${index}].${key === "namespaces.aidbox" ? "namespace" : key}`,
          message,
        })),
      );
    }
  }
  return { environments, problems: [...problems, ...findClashes(config, tenants.filter(isTenant))] };
}

function configOf(config: Record<string, unknown>, tenant: TenantConfig): Record<string, unknown> {
  const vault = asObject(config.vault) as { role?: string };
  // The first Aidbox's bundle is about its own secrets and Clients.
  const inherited = without(asObject(config.aidbox), "initBundle");
  const role = `${vault.role ?? "aidbox"}-${tenant.name}`;
  return {
    ...config,
    tenants: [],
    secrets: tenant.secrets,
    namespaces: { ...asObject(config.namespaces), aidbox: namespaceOf(tenant) },
    ...(config.vault === undefined ? {} : { vault: { ...vault, role } }),
    aidbox: { ...inherited, ...asObject(tenant.aidbox) },
  };
}

function namespaceOf({ name, namespace }: TenantConfig): string {
  return namespace ?? `aidbox-${name}`;
}

/** What no two Aidboxes may share; a shared path would let one read another's secret. */
function findClashes(config: Record<string, unknown>, tenants: readonly TenantConfig[]): Problem[] {
  const problems: Problem[] = [];
  const { aidbox = "aidbox", vault = "vault" } = asObject(config.namespaces) as { aidbox?: string; vault?: string };
  const namespaces = new Map([
    [aidbox, "namespaces.aidbox"],
    [vault, "namespaces.vault"],
  ]);
  const names = new Map<string, string>();
  const paths = new Map(pathsOf(config.secrets).map((path) => [path, "secrets"]));
  const claim = (taken: Map<string, string>, value: string, key: string, field: string, fix: string): void => {
    const owner = taken.get(value);
    if (owner === undefined) taken.set(value, key);
    else if (owner !== key)
      problems.push({ key: `${key}${field}`, message: `"${value}": is that of ${owner} too: ${fix}` });
  };
  for (const [index, tenant] of tenants.entries()) {
    const key = `tenants[${index}]`;
    // The role of the first Aidbox's own database would be the tenant's too.
    if (tenant.name === "database") {
      problems.push({
        key: `${key}.name`,
        message: '"database": is what the first Aidbox\'s database is called: write another',
      });
    }
    claim(names, tenant.name, key, ".name", "give each its own");
    claim(namespaces, namespaceOf(tenant), key, ".namespace", "give each its own");
    for (const path of pathsOf(tenant.secrets)) {
      claim(paths, path, key, ".secrets", "each reads all that is there, so give each its own");
    }
  }
  return problems;
}

function pathsOf(secrets: unknown): string[] {
  if (!Array.isArray(secrets)) return [];
  const paths = (secrets as unknown[]).flatMap((row) => {
    const { path, source } = asObject(row);
    if (typeof path !== "string") return [];
    return [source === "database" ? `static role ${path}` : path];
  });
  return [...new Set(paths)];
}

function isTenant(value: unknown): value is TenantConfig {
  const { name, namespace, secrets } = asObject(value);
  return (
    typeof name === "string" && (namespace === undefined || typeof namespace === "string") && Array.isArray(secrets)
  );
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
