import type { Problem } from "../../constructs/secrets";
import { defaultNamespace } from "./claims";
import { ConfigError } from "./config-error";
import type { Environment } from "./environment";
import { dnsLabel } from "./primitives";
import { without } from "./without";

type Fields = Readonly<Record<string, unknown>>;

interface TenantConfig {
  readonly name: string;
  readonly namespace?: string;
  readonly namespaceOptions?: unknown;
  readonly secrets: unknown;
  readonly objects?: unknown;
  readonly database?: unknown;
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
  config: Fields,
  inherited: readonly Problem[],
  check: (config: Fields) => Environment,
): { readonly environments: readonly Environment[]; readonly problems: readonly Problem[] } {
  const tenants = Array.isArray(config.tenants) ? (config.tenants as unknown[]) : [];
  const environments: Environment[] = [];
  const problems: Problem[] = [];
  for (const [index, tenant] of tenants.entries()) {
    if (!isTenant(tenant)) continue; // the schema says what is wrong with it
    problems.push(
      ...databaseProblems(config, tenant).map(({ key, message }) => ({ key: `tenants[${index}].${key}`, message })),
    );
    try {
      environments.push({ ...check(configOf(config, tenant)), tenant: tenant.name });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // A name or namespace that is no label is the schema's to tell; one made from a long name is not.
      const isLabel = dnsLabel.safeParse(tenant.name).success;
      const made: Record<string, { readonly key: string; readonly isOwn: boolean; readonly tooLong?: string }> = {
        "namespaces.aidbox": {
          key: tenant.namespace === undefined ? "name" : "namespace",
          isOwn: isLabel && tenant.namespace === undefined,
          tooLong: `its namespace is ${defaultNamespace("NAME")}: write a shorter name, or a namespace`,
        },
        "vault.role": { key: "name", isOwn: isLabel, tooLong: "its role in Vault is ROLE-NAME: write a shorter name" },
      };
      const own = error.problems.filter(
        (problem) =>
          made[problem.key]?.isOwn !== false &&
          !inherited.some(({ key, message }) => key === problem.key && message === problem.message),
      );
      const keyOf = (key: string): string =>
        made[key]?.key ??
        key.replace(/^namespaces\.options\.aidbox\b/, "namespaceOptions").replace(/^vault\.objects\b/, "objects");
      problems.push(
        ...own.map(({ key, message }) => {
          const tooLong = made[key]?.tooLong;
          // A row that is proposed gets a path of the tenant's, as the first Aidbox' may not be its own.
          const proposed = message.replace(/(?<=\{ name: [\w-]+, path: )aidbox\//, `${tenant.name}/`);
          const told = tooLong === undefined ? proposed : `"${tenant.name}": is too long: ${tooLong}`;
          return { key: `tenants[${index}].${keyOf(key)}`, message: told };
        }),
      );
    }
  }
  return { environments, problems };
}

/** Each tenant's config as that of an environment of its own; undefined where an entry is no tenant. */
export function tenantConfigs(config: Fields): ({ readonly name: string; readonly config: Fields } | undefined)[] {
  const tenants = Array.isArray(config.tenants) ? (config.tenants as unknown[]) : [];
  return tenants.map((tenant) =>
    isTenant(tenant) ? { name: tenant.name, config: configOf(config, tenant) } : undefined,
  );
}

function configOf(config: Fields, tenant: TenantConfig): Fields {
  const vault = asObject(config.vault);
  const { role: first = "aidbox" } = vault;
  // The schema says what is wrong with one that is no text.
  const role = typeof first === "string" ? `${first}-${tenant.name}` : first;
  return {
    ...without(config, "database"),
    tenants: [],
    secrets: tenant.secrets,
    namespaces: {
      ...asObject(config.namespaces),
      aidbox: tenant.namespace ?? defaultNamespace(tenant.name),
      options: namespaceOptionsOf(config, tenant),
    },
    // Objects are called by the names of the first table.
    ...(config.vault === undefined ? {} : { vault: { ...vault, objects: tenant.objects ?? {}, role } }),
    ...databaseOf(config, tenant),
    aidbox: { ...inheritable(asObject(config.aidbox)), ...asObject(tenant.aidbox) },
  };
}

/** A tenant's namespace is made as the first Aidbox's is, or given as that is. */
function namespaceOptionsOf(config: Fields, { namespaceOptions }: TenantConfig): Fields {
  const options = asObject(asObject(config.namespaces).options);
  const own = asObject(namespaceOptions);
  const first = asObject(options.aidbox);
  // Of a namespace that is given, nothing is set.
  const inherited = own.create === false ? without(first, "labels", "level") : first;
  const labels = { ...asObject(inherited.labels), ...asObject(own.labels) };
  const merged = { ...inherited, ...own, ...(Object.keys(labels).length > 0 ? { labels } : {}) };
  return { ...options, aidbox: merged };
}

/** A tenant takes over the server, and for development one like the first's, but no database and no user. */
function databaseOf(config: Fields, tenant: TenantConfig): { readonly database?: unknown } {
  const server = without(asObject(config.database), "name", "user");
  const { database } = tenant;
  if (database === undefined) return server.mode === "development" ? { database: config.database } : {};
  if (!isObject(database)) return {}; // the schema says what is wrong with it
  return { database: database.mode === undefined ? { ...server, ...database } : database };
}

/** By one host two Aidboxes would get each other's requests and cookies; a bundle is about one's own secrets and Clients. */
function inheritable(aidbox: Fields): Fields {
  return without(aidbox, "ingress", "gatewayRoute", "initBundle");
}

/** What a tenant must say of its database itself, since by silence it would serve another's records. */
function databaseProblems(config: Fields, { database }: TenantConfig): Problem[] {
  if (database === undefined) {
    if (asObject(config.database).mode !== "external") return [];
    const message =
      "is missing: the database of the first Aidbox holds its records: write one of the tenant's own, as { name: north, user: north }";
    return [{ key: "database", message }];
  }
  if (!isObject(database)) return []; // the schema says what is wrong with it
  const own = database;
  if ((own.mode ?? asObject(config.database).mode) !== "external") return [];
  return [
    ...(own.name === undefined
      ? [{ key: "database.name", message: "is missing: write a database of the tenant's own" }]
      : []),
    ...(own.user === undefined
      ? [{ key: "database.user", message: "is missing: write a user of the tenant's own" }]
      : []),
  ];
}

function isTenant(value: unknown): value is TenantConfig {
  const { name, namespace, secrets } = asObject(value);
  return (
    typeof name === "string" && (namespace === undefined || typeof namespace === "string") && Array.isArray(secrets)
  );
}

function asObject(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
