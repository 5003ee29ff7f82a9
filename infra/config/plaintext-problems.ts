import type { Problem } from "../../constructs/secrets";

/** Keys whose connection carries secrets, tokens or what is run, and may be set to go without TLS. */
export const plaintextKeys = [
  "vault.address",
  "vault.addressFromHere",
  "vault.login.apiServer",
  "vault.login.keys.discoveryUrl",
  "vault.operators.discoveryUrl",
  "vault.seal.address",
  "vault.snapshots.copies.endpoint",
  "vault.chart.repository",
  "csiDriver.chart.repository",
  "azureKeyVault.chart.repository",
  "awsSecrets.chart.repository",
  "database.tls.mode",
] as const;

export type PlaintextKey = (typeof plaintextKeys)[number];

/**
 * The keys of a config that have a connection go without TLS, each with its value.
 *
 * @param config as it is written, or as it is checked: the keys have the same names
 */
function plaintextConnections(config: object): [key: PlaintextKey, value: string][] {
  return plaintextKeys.flatMap((key): [PlaintextKey, string][] => {
    const value = key
      .split(".")
      .reduce<unknown>(
        (part, name) =>
          typeof part === "object" && part !== null ? (part as Record<string, unknown>)[name] : undefined,
        config,
      );
    if (typeof value !== "string") return [];
    const isPlain = key === "database.tls.mode" ? value === "disable" : isHttp(value);
    return isPlain ? [[key, value]] : [];
  });
}

/** What `up` says of an environment outside development whose connections go without TLS. */
export function plaintextWarnings(environment: {
  readonly development: boolean;
  readonly tenants: readonly { readonly tenant?: string; readonly database?: unknown }[];
}): string[] {
  if (environment.development) return [];
  const ofTenants = environment.tenants.flatMap((tenant) =>
    plaintextConnections({ database: tenant.database }).map(
      ([key, value]) => [`tenants.${tenant.tenant ?? ""}.${key}`, value] as const,
    ),
  );
  return [...plaintextConnections(environment), ...ofTenants].map(
    ([key, value]) => `UNSAFE: ${key} is "${value}", a connection without TLS, since allowPlaintext names it`,
  );
}

/** Outside development a connection goes without TLS only where its key is named. */
export function plaintextProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  if (config.development === true) return [];
  const allowed = Array.isArray(config.allowPlaintext) ? (config.allowPlaintext as unknown[]) : [];
  return plaintextConnections(config)
    .filter(([key]) => !allowed.includes(key))
    .map(([key, value]) => ({
      key,
      message:
        `${JSON.stringify(value)}: whoever is on the way could read and change what goes there: ` +
        `write ${key === "database.tls.mode" ? "verify-full" : "https://"}, or, for a way that nobody else is on ` +
        `(as an agent on 127.0.0.1), name it in allowPlaintext: [${key}]`,
    }));
}

function isHttp(value: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === "http:";
}
