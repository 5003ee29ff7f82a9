import { anyDuration, anyText, each, flag, list, oneOf, optional, propProblems, shape } from "../check-props";
import { expandRow } from "./expand-row";
import type { Keypair } from "./keypair";
import type { Problem } from "./problem";
import { findMountPathProblems, findSecretProblems } from "./rules";
import type { Secret, SecretScope, SecretSpec } from "./secret";
import { isMadeByStore, type SecretSource, sourceTraits } from "./source";

/** Folder of the secrets' files where a table names none, as in the vendor's guide. */
export const defaultMountPath = "/run/vault-secrets";

/** Rows, and the folder of their files. */
export interface SecretTableProps {
  /**
   * Folder of the container in which the secrets appear as files.
   * @default "/run/vault-secrets", as in the vendor's guide, whichever the store
   */
  readonly mountPath?: string;
  /** One row for each value or keypair; at least one. */
  readonly secrets: readonly SecretSpec[];
}

/** All secrets that lie at one path of the store, and so are written and read together. */
export interface SecretPath {
  /** As the rows say it. */
  readonly path: string;
  /** The one source that all rows of the path share. */
  readonly source: SecretSource;
  /** The values there, in the order of the table. */
  readonly secrets: readonly Secret[];
  /** The keypair that is all there is at the path. @default - none */
  readonly keypair?: Keypair;
}

/** A secret that is an environment variable too. */
export interface SyncedSecret extends Secret {
  /** Name of the variable, and of the key in the Kubernetes Secret. */
  readonly environment: string;
}

/**
 * The one table of secrets from which the store's entries, the policy, the SecretProviderClass, vault-config.json and
 * the pod's volume are drawn. It knows no store: each has rules of its own (`SecretStore.validate`).
 *
 * @throws Error that lists every problem of the table at once, each with the row, the value and the fix
 * @example
 * ```ts
 * import { SecretTable } from "aidbox-secrets/secrets";
 *
 * const table = new SecretTable({
 *   secrets: [
 *     { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
 *     { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" },
 *   ],
 * });
 * console.log(table.secrets.map((secret) => table.filePath(secret)));
 * ```
 */
export class SecretTable {
  /** Folder of the container in which the secrets appear as files. */
  public readonly mountPath: string;
  /** The rows as they were given. */
  public readonly rows: readonly SecretSpec[];
  /** Each value, so a keypair's parts and each key of a row with `keys` too. Of one with all keys there is one, for all. */
  public readonly secrets: readonly Secret[];
  /** The rows that are keypairs. */
  public readonly keypairs: readonly Keypair[];
  private readonly keypairByName: ReadonlyMap<string, Keypair>;

  public constructor(props: SecretTableProps) {
    const ofKinds = kindProblems(props);
    const { mountPath = defaultMountPath, secrets = [] } = Object(props) as Partial<SecretTableProps>;
    this.mountPath = mountPath;
    this.rows = secrets;
    const problems =
      ofKinds.length > 0 ? ofKinds : [...findMountPathProblems(this.mountPath), ...findSecretProblems(props.secrets)];
    if (problems.length > 0) {
      throw new Error(
        ["The table of secrets is not valid:", ...problems.map(({ key, message }) => `  ${key}: ${message}`)].join(
          "\n",
        ),
      );
    }
    this.secrets = props.secrets.flatMap(expandRow).map((spec) => ({
      ...spec,
      key: spec.key ?? sourceTraits[spec.source ?? "external"].defaultKey ?? spec.name,
      file: spec.file ?? spec.name,
      source: spec.source ?? "external",
    }));
    const parts = groupBy(this.secrets, ({ pair }) => pair);
    this.keypairs = props.secrets.flatMap(({ name, path, source = "external", keypair: kind, maxAge }) =>
      kind === undefined
        ? []
        : [
            {
              name,
              kind,
              path,
              source,
              secrets: parts.get(name) ?? [],
              ...(maxAge === undefined ? {} : { maxAge }),
            },
          ],
    );
    this.keypairByName = new Map(this.keypairs.map((keypair) => [keypair.name, keypair]));
  }

  /**
   * A table with further rows after these. A table itself never changes: policy, class and pods are drawn from the same one, some
   * of them by another program.
   *
   * @throws Error that lists every problem of the table at once, as of a row whose name is there already
   */
  public with(...rows: readonly SecretSpec[]): SecretTable {
    return new SecretTable({ mountPath: this.mountPath, secrets: [...this.rows, ...rows] });
  }

  /** The keypair that a secret is a part of. */
  public keypairOf({ pair }: Pick<Secret, "pair">): Keypair | undefined {
    return pair === undefined ? undefined : this.keypairByName.get(pair);
  }

  /** The store's paths, each once, in the order of the table. */
  public get paths(): readonly SecretPath[] {
    // Where two sources have one path, they lie in two parts of the store.
    const grouped = groupBy(this.secrets, (secret) => JSON.stringify([isMadeByStore(secret), secret.path]));
    return [...grouped.values()].map((secrets) => {
      const { path, source } = secrets[0]!;
      const keypair = this.keypairOf(secrets[0]!);
      return { path, secrets, source, ...(keypair === undefined ? {} : { keypair }) };
    });
  }

  /** The secrets that must be environment variables, and so are synced to a Kubernetes Secret. */
  public get synced(): readonly SyncedSecret[] {
    return this.secrets.flatMap((secret) =>
      secret.environment === undefined ? [] : [{ ...secret, environment: secret.environment }],
    );
  }

  /** Absolute path of a secret's file in the container. */
  public filePath(secret: Pick<Secret, "file">): string {
    return `${this.mountPath}/${secret.file}`;
  }
}

function groupBy<K>(secrets: readonly Secret[], keyOf: (secret: Secret) => K): Map<K, Secret[]> {
  const groups = new Map<K, Secret[]>();
  for (const secret of secrets) {
    const key = keyOf(secret);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [secret]);
    else group.push(secret);
  }
  return groups;
}

const rowChecks = {
  name: anyText,
  path: anyText,
  key: optional(anyText),
  keys: optional((value: unknown) => (value === "all" ? undefined : each(anyText)(value))),
  file: optional(anyText),
  scope: optional(shape<SecretScope>({ resourceType: anyText, id: optional(anyText) })),
  environment: optional(anyText),
  source: optional(oneOf(...Object.keys(sourceTraits))),
  keypair: optional(oneOf("rsa", "ec", "certificate")),
  maxAge: optional(anyDuration),
  mayBeEmpty: optional(flag),
  optional: optional(flag),
};

/** What is not of its kind, for users whose compiler does not say it. */
function kindProblems(props: SecretTableProps): Problem[] {
  const problems = propProblems(props, { mountPath: optional(anyText), secrets: list });
  if (problems.length > 0) return problems;
  return props.secrets.flatMap((row, index) => propProblems(row, rowChecks, `secrets[${index}].`));
}
