import { findDatabaseProblems } from "../../constructs/kubernetes/database/rules";
import { passwordVariable } from "../../constructs/kubernetes/database/variables";
import type { Problem } from "../../constructs/secrets";
import { postgresName } from "./database";

type Fields = Readonly<Record<string, unknown>>;

/** The rules between `database` and other keys, in the config as it is, so that all errors show at once. */
export function databaseProblems(config: Fields): Problem[] {
  const { database, secrets, aidbox } = config;
  if (!isObject(database)) return [];
  const environment = isObject(aidbox) && isObject(aidbox.environment) ? aidbox.environment : {};
  return [
    ...(database.mode === "development" ? developmentProblems(config) : tlsProblems(database.tls)),
    ...(Array.isArray(secrets) ? findDatabaseProblems(rowsOf(secrets), environment) : []).map(({ key, message }) => ({
      key: key.startsWith("environment.") ? `aidbox.${key}` : key,
      message,
    })),
  ];
}

/** Kubernetes makes labels of a StatefulSet's name and eleven characters more, and a label has 63. */
const longestName = 52;

function developmentProblems({ development, aidbox, secrets }: Fields): Problem[] {
  const problems: Problem[] = [];
  for (const [index, row] of (Array.isArray(secrets) ? secrets : []).entries()) {
    if (!isObject(row) || row.source !== "database" || row.environment !== passwordVariable) continue;
    problems.push({
      key: `secrets[${index}].source`,
      message:
        '"database": the PostgreSQL of database.mode development takes its password from KV v2: ' +
        "write seeded, or use database.mode: external",
    });
  }
  if (development !== true) {
    problems.push({
      key: "database.mode",
      message:
        '"development": has neither replica nor backup and is for development: ' +
        "set development: true, or use mode: external",
    });
  }
  const name = isObject(aidbox) ? aidbox.name : undefined;
  if (typeof name === "string" && postgresName(name).length > longestName) {
    const longest = longestName - postgresName("").length;
    problems.push({
      key: "aidbox.name",
      message: `"${name}": is too long for ${postgresName("…")} of database.mode development: write up to ${longest} characters`,
    });
  }
  return problems;
}

function tlsProblems(tls: unknown): Problem[] {
  if (!isObject(tls)) return [];
  const { mode } = tls;
  if (mode === "verify-ca" || mode === "verify-full") {
    if (tls.caConfigMap !== undefined) return [];
    const message = `is missing: mode ${mode} checks the server's certificate: write the ConfigMap with its CA`;
    return [{ key: "database.tls.caConfigMap", message }];
  }
  if (mode !== "require" && mode !== "disable") return [];
  return ["caConfigMap", "caKey"]
    .filter((key) => tls[key] !== undefined)
    .map((key) => ({
      key: `database.tls.${key}`,
      message: `${JSON.stringify(tls[key])}: mode ${mode} checks no certificate: leave it out, or use mode: verify-full`,
    }));
}

function rowsOf(secrets: readonly unknown[]): { readonly environment?: string }[] {
  return secrets.map((row) =>
    isObject(row) && typeof row.environment === "string" ? { environment: row.environment } : {},
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
