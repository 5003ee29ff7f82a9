import { containerFolders } from "../aidbox/container";
import type { DatabaseConnection } from "./connection";

/** Variable of the Aidbox container that takes the password. */
export const passwordVariable = "BOX_DB_PASSWORD";

export const caFile = "ca.crt";

/**
 * The variables with which Aidbox reaches its database, but for the password.
 *
 * `BOX_DB_*` are those of Aidbox's [settings](https://www.health-samurai.io/docs/aidbox/reference/all-settings). Of TLS the
 * [vendor](https://www.health-samurai.io/docs/aidbox/configuration/configure-aidbox-and-multibox) says: "Since 2405,
 * parameters prefixed with AIDBOX_DB_PARAM is passed to JDBC PostgreSQL connection string. For an instance:
 * AIDBOX_DB_PARAM_SSL=true AIDBOX_DB_PARAM_SSLMODE=verify-ca will add ssl=true&sslmode=verify-ca params to connection
 * string." The CA's file is the [driver's](https://jdbc.postgresql.org/documentation/ssl/) parameter `sslrootcert`.
 */
export function databaseVariables({ host, port = 5432, name, user, tls }: DatabaseConnection): Record<string, string> {
  return {
    BOX_DB_HOST: host,
    BOX_DB_PORT: String(port),
    BOX_DB_DATABASE: name,
    BOX_DB_USER: user,
    ...(tls.mode === "disable" ? {} : { AIDBOX_DB_PARAM_SSL: "true" }),
    AIDBOX_DB_PARAM_SSLMODE: tls.mode,
    ...("caConfigMap" in tls ? { AIDBOX_DB_PARAM_SSLROOTCERT: `${containerFolders.databaseCa}/${caFile}` } : {}),
  };
}

/** Every variable that a database sets, whatever its TLS. */
export const databaseVariableNames: readonly string[] = Object.keys(
  databaseVariables({ host: "", name: "", user: "", tls: { mode: "verify-full", caConfigMap: "" } }),
);
