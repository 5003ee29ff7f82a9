import type { Secret, SecretSource, SecretSpec } from "./secret";
import { findMountProblems, findSecretProblems } from "./rules";

export interface SecretTableProps {
  /**
   * Path of the KV v2 mount that holds the secrets.
   * @default "secret", as in Vault's dev mode and the vendor's guide
   */
  readonly kvMount?: string;
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
}

/**
 * The one table of secrets from which the store's entries, the policy, the SecretProviderClass, vault-config.json and
 * the pod's volume are drawn.
 *
 * @throws Error that lists every problem of the table at once, each with the row, the value and the fix
 */
export class SecretTable {
  public readonly kvMount: string;
  public readonly mountPath: string;
  public readonly secrets: readonly Secret[];

  public constructor(props: SecretTableProps) {
    this.kvMount = props.kvMount ?? "secret";
    this.mountPath = props.mountPath ?? "/run/vault-secrets";
    const problems = [...findMountProblems(this), ...findSecretProblems(props.secrets)];
    if (problems.length > 0) {
      throw new Error(
        ["The table of secrets is not valid:", ...problems.map(({ key, message }) => `  ${key}: ${message}`)].join(
          "\n",
        ),
      );
    }
    this.secrets = props.secrets.map((spec) => ({
      ...spec,
      key: spec.key ?? spec.name,
      file: spec.file ?? spec.name,
      source: spec.source ?? "external",
    }));
  }

  /** The store's paths, each once, in the order of the table. */
  public get paths(): readonly SecretPath[] {
    const grouped = new Map<string, Secret[]>();
    for (const secret of this.secrets) grouped.set(secret.path, [...(grouped.get(secret.path) ?? []), secret]);
    return [...grouped].map(([path, secrets]) => ({
      path,
      secrets,
      source: secrets[0]!.source,
    }));
  }

  /** The secrets that must be environment variables, and so are synced to a Kubernetes Secret. */
  public get synced(): readonly (Secret & { readonly environment: string })[] {
    return this.secrets.flatMap((secret) =>
      secret.environment === undefined ? [] : [{ ...secret, environment: secret.environment }],
    );
  }

  /** Path at which KV v2 serves a secret's content. */
  public dataPath(secret: Pick<Secret, "path">): string {
    return `${this.kvMount}/data/${secret.path}`;
  }

  /** Path at which KV v2 serves a secret's versions, without their content. */
  public metadataPath(secret: Pick<Secret, "path">): string {
    return `${this.kvMount}/metadata/${secret.path}`;
  }

  /** Absolute path of a secret's file in the Aidbox container. */
  public filePath(secret: Pick<Secret, "file">): string {
    return `${this.mountPath}/${secret.file}`;
  }
}
