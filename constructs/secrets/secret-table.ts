import { expandRow, type Keypair } from "./keypair";
import type { Secret, SecretSource, SecretSpec } from "./secret";
import { findMountProblems, findSecretProblems } from "./rules";

export interface SecretTableProps {
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
  /**
   * Folder of the Aidbox container in which the secrets appear as files.
   * @default "/run/vault-secrets", as in the vendor's guide
   */
  readonly mountPath?: string;
  readonly secrets: readonly SecretSpec[];
}

/** All secrets that lie at one path of the store, and so are written and read together. */
export interface SecretPath {
  readonly path: string;
  readonly source: SecretSource;
  readonly secrets: readonly Secret[];
  /** The keypair that is all there is at the path. @default - none */
  readonly keypair?: Keypair;
}

/**
 * The one table of secrets from which the store's entries, the policy, the SecretProviderClass, vault-config.json and
 * the pod's volume are drawn.
 *
 * @throws Error that lists every problem of the table at once, each with the row, the value and the fix
 */
export class SecretTable {
  public readonly kvMount: string;
  public readonly databaseMount: string;
  public readonly mountPath: string;
  /** Each value, so a keypair's parts too. */
  public readonly secrets: readonly Secret[];
  /** The rows that are keypairs. */
  public readonly keypairs: readonly Keypair[];

  public constructor(props: SecretTableProps) {
    this.kvMount = props.kvMount ?? "secret";
    this.databaseMount = props.databaseMount ?? "database";
    this.mountPath = props.mountPath ?? "/run/vault-secrets";
    const { kvMount, databaseMount, mountPath } = this;
    const problems = [
      ...findMountProblems({ kvMount, databaseMount, mountPath, secrets: props.secrets }),
      ...findSecretProblems(props.secrets),
    ];
    if (problems.length > 0) {
      throw new Error(
        ["The table of secrets is not valid:", ...problems.map(({ key, message }) => `  ${key}: ${message}`)].join(
          "\n",
        ),
      );
    }
    this.secrets = props.secrets.flatMap(expandRow).map((spec) => ({
      ...spec,
      key: spec.key ?? (spec.source === "database" ? "password" : spec.name),
      file: spec.file ?? spec.name,
      source: spec.source ?? "external",
    }));
    this.keypairs = props.secrets.flatMap(({ name, path, source = "external", keypair: kind, maxAgeSeconds }) =>
      kind === undefined
        ? []
        : [
            {
              name,
              kind,
              path,
              source,
              secrets: this.secrets.filter(({ pair }) => pair === name),
              ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
            },
          ],
    );
  }

  /** The store's paths, each once, in the order of the table. */
  public get paths(): readonly SecretPath[] {
    const grouped = new Map<string, Secret[]>();
    for (const secret of this.secrets) {
      const path = this.dataPath(secret);
      grouped.set(path, [...(grouped.get(path) ?? []), secret]);
    }
    return [...grouped.values()].map((secrets) => {
      const { path, source, pair } = secrets[0]!;
      const keypair = this.keypairs.find(({ name }) => name === pair);
      return { path, secrets, source, ...(keypair === undefined ? {} : { keypair }) };
    });
  }

  /** The secrets that must be environment variables, and so are synced to a Kubernetes Secret. */
  public get synced(): readonly (Secret & { readonly environment: string })[] {
    return this.secrets.flatMap((secret) =>
      secret.environment === undefined ? [] : [{ ...secret, environment: secret.environment }],
    );
  }

  /** Path at which Vault's API serves a secret's content. */
  public dataPath({ path, source }: Pick<SecretSpec, "path" | "source">): string {
    return source === "database" ? `${this.databaseMount}/static-creds/${path}` : `${this.kvMount}/data/${path}`;
  }

  /** Path at which Vault's API serves what it knows of a secret, without its content: KV v2's versions, or the static role. */
  public metadataPath({ path, source }: Pick<SecretSpec, "path" | "source">): string {
    return source === "database" ? `${this.databaseMount}/static-roles/${path}` : `${this.kvMount}/metadata/${path}`;
  }

  /** Path by which an operator names a secret to Vault's command line, with its mount. */
  public operatorPath(secret: Pick<SecretSpec, "path" | "source">): string {
    return secret.source === "database" ? this.dataPath(secret) : `${this.kvMount}/${secret.path}`;
  }

  /** Absolute path of a secret's file in the Aidbox container. */
  public filePath(secret: Pick<Secret, "file">): string {
    return `${this.mountPath}/${secret.file}`;
  }
}
