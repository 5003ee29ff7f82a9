import type { DatabaseConnection, DatabaseTls } from "../../constructs/kubernetes/index";
import type { Environment } from "./environment";

type Database = NonNullable<Environment["database"]>;

/** Name of the PostgreSQL for development of an Aidbox: of its Service, its ServiceAccount and all else. */
export function postgresName(aidboxName: string): string {
  return `${aidboxName}-postgres`;
}

/** Vault role and policy of the PostgreSQL for development, which read its password alone. */
export function postgresRole({ vault }: { readonly vault: { readonly role: string } }): string {
  return `${vault.role}-database`;
}

/** How the environment's Aidbox reaches its database; undefined where the stack does not tell it. */
export function databaseConnection({ database, aidbox }: Environment): DatabaseConnection | undefined {
  if (database === undefined) return undefined;
  const { name, user } = database;
  if (database.mode === "development") return { host: postgresName(aidbox.name), name, user, tls: { mode: "disable" } };
  const { host, port } = database;
  return { host, port, name, user, tls: connectionTls(database.tls) };
}

function connectionTls({ mode, caConfigMap, caKey }: (Database & { mode: "external" })["tls"]): DatabaseTls {
  if (mode === "disable" || mode === "require") return { mode };
  return { mode, caConfigMap: caConfigMap!, caKey }; // the config's check admits nothing else
}
