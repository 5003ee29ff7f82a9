import { optional, port, shape, text, variant } from "../../check-props";

/**
 * How Aidbox's connection to PostgreSQL is encrypted: `sslmode` of the JDBC driver. `require` takes any certificate,
 * `verify-ca` one of the CA, `verify-full` one of the CA and for the host.
 */
export type DatabaseTls =
  | {
      /** Whether anything is encrypted; the certificate is not checked. */
      readonly mode: "disable" | "require";
    }
  | {
      /** Whether the certificate must be the CA's alone, or for the host too. */
      readonly mode: "verify-ca" | "verify-full";
      /** ConfigMap of Aidbox's namespace that holds the CA, PEM; the pods wait until it is there. */
      readonly caConfigMap: string;
      /** Key of the CA in the ConfigMap. @default "ca.crt" */
      readonly caKey?: string;
    };

/** A PostgreSQL as Aidbox reaches it. Its password is the table's row with `environment: BOX_DB_PASSWORD`. */
export interface DatabaseConnection {
  /** DNS name or address, without port. Where TLS is `verify-full`, the certificate must be for it. */
  readonly host: string;
  /** @default 5432 */
  readonly port?: number;
  /** Name of the database. */
  readonly name: string;
  /** Login role of PostgreSQL. */
  readonly user: string;
  /** Health data should not travel in plain: `disable` is for development. */
  readonly tls: DatabaseTls;
}

const withCa = { caConfigMap: text, caKey: optional(text) };

/** What each part of a connection is. */
export const databaseConnection = shape<DatabaseConnection>({
  host: text,
  port: optional(port),
  name: text,
  user: text,
  tls: variant<DatabaseTls, "mode">("mode", { disable: {}, require: {}, "verify-ca": withCa, "verify-full": withCa }),
});
