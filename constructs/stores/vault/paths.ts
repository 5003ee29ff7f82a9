import { anyText, optional, refuseProps } from "../../check-props";
import { isMadeByStore, type SecretSpec } from "../../secrets";

/** The mounts of a table's secrets. */
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

/** What of a row tells where it lies. */
export type LocatedSecret = Pick<SecretSpec, "path" | "source">;

const checks = { kvMount: optional(anyText), databaseMount: optional(anyText) };

/** Where a table's secrets lie in Vault's API. */
export class VaultPaths {
  /** Path of the KV v2 mount, without slashes around it. */
  public readonly kvMount: string;
  /** Path of the database engine's mount, without slashes around it. */
  public readonly databaseMount: string;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(props: VaultPathsProps = {}) {
    refuseProps("VaultPaths", props, checks);
    const { kvMount = "secret", databaseMount = "database" } = props;
    this.kvMount = kvMount;
    this.databaseMount = databaseMount;
  }

  /** Path at which Vault's API serves a secret's content. */
  public data(secret: LocatedSecret): string {
    const { path } = secret;
    return isMadeByStore(secret) ? `${this.databaseMount}/static-creds/${path}` : `${this.kvMount}/data/${path}`;
  }

  /** Path at which Vault's API serves what it knows of a secret, without its content: KV v2's versions, or the static role. */
  public metadata(secret: LocatedSecret): string {
    const { path } = secret;
    return isMadeByStore(secret) ? `${this.databaseMount}/static-roles/${path}` : `${this.kvMount}/metadata/${path}`;
  }

  /** Path by which an operator names a secret to Vault's command line, with its mount. */
  public operator(secret: LocatedSecret): string {
    return isMadeByStore(secret) ? this.data(secret) : `${this.kvMount}/${secret.path}`;
  }
}
