/**
 * How Aidbox's connection to PostgreSQL is encrypted: `sslmode` of the JDBC driver. `require` takes any certificate,
 * `verify-ca` one of the CA, `verify-full` one of the CA and for the host.
 */
export type DatabaseTls =
  | { readonly mode: "disable" | "require" }
  | {
      readonly mode: "verify-ca" | "verify-full";
      /** ConfigMap of Aidbox's namespace that holds the CA, PEM; the pods wait until it is there. */
      readonly caConfigMap: string;
      /** Key of the CA in the ConfigMap. @default "ca.crt" */
      readonly caKey?: string;
    };

/** A PostgreSQL as Aidbox reaches it. Its password is the table's row with `environment: BOX_DB_PASSWORD`. */
export interface DatabaseConnection {
  readonly host: string;
  /** @default 5432 */
  readonly port?: number;
  /** Name of the database. */
  readonly name: string;
  readonly user: string;
  readonly tls: DatabaseTls;
}
