import { isMadeByStore, type SecretSpec } from "../../secrets";

export interface VaultPathsProps {
  /**
   * Path of the KV v2 mount that holds the secrets.
   * @default "secret", as in Vault's dev mode and the vendor's guide
   */
  readonly kvMount?: string;
  /**
   * Path of the mount of Vault's database engine, for secrets of source `database`.
   * @default "database", as where the engine is enabled without a path
   */
  readonly databaseMount?: string;
}

type Located = Pick<SecretSpec, "path" | "source">;

/** Where a table's secrets lie in Vault's API. */
export class VaultPaths {
  public readonly kvMount: string;
  public readonly databaseMount: string;

  public constructor({ kvMount = "secret", databaseMount = "database" }: VaultPathsProps = {}) {
    this.kvMount = kvMount;
    this.databaseMount = databaseMount;
  }

  /** Path at which Vault's API serves a secret's content. */
  public data(secret: Located): string {
    const { path } = secret;
    return isMadeByStore(secret) ? `${this.databaseMount}/static-creds/${path}` : `${this.kvMount}/data/${path}`;
  }

  /** Path at which Vault's API serves what it knows of a secret, without its content: KV v2's versions, or the static role. */
  public metadata(secret: Located): string {
    const { path } = secret;
    return isMadeByStore(secret) ? `${this.databaseMount}/static-roles/${path}` : `${this.kvMount}/metadata/${path}`;
  }

  /** Path by which an operator names a secret to Vault's command line, with its mount. */
  public operator(secret: Located): string {
    return isMadeByStore(secret) ? this.data(secret) : `${this.kvMount}/${secret.path}`;
  }
}
