import type { Problem } from "./problem";
import type { Secret, SecretSpec } from "./secret";
import type { SecretTable } from "./secret-table";
import type { SecretSource } from "./source";

/**
 * A store of secrets, as far as Kubernetes' YAML speaks of it: all that a SecretProviderClass, the pods and the CSI driver must
 * know. An instance is one store, read by one identity: a database that reads its password alone has an instance of its own.
 *
 * This is one of three parts. How a store is deployed is `StoreAccess` of `infra/stack`; what an operator's commands do with it
 * is `StoreOperator` of `infra/operate`. Nothing here needs Pulumi, a network or a package that only one store needs.
 *
 * To add a store, write a folder `constructs/stores/NAME` with a class that implements this.
 */
export interface SecretStore {
  /** Name by which the driver knows the store's provider: `provider` of the SecretProviderClass, as `vault`. */
  readonly provider: string;
  /** What people call it, in the middle of a sentence: `Vault`. */
  readonly title: string;
  /** Sources that it can do. A row of another is one of the problems that `validate` finds. */
  readonly sources: readonly SecretSource[];
  /**
   * Audiences of the tokens of the pod's ServiceAccount that the driver must hand to the provider (`tokenRequests`).
   * Empty where the provider takes another identity than the pod's.
   */
  readonly tokenAudiences: readonly string[];
  /** Whether all keys of a path are read at once, so that a pod never gets halves of two keypairs. */
  readonly mountsPathsWhole: boolean;
  /** What must be said of the pods, and of their ServiceAccount, for the identity. @default - nothing */
  readonly identity?: StoreIdentity;

  /**
   * What the store cannot hold, or its provider cannot mount, of a table's rows. The rules that hold for every store are not
   * among them: the table itself has those.
   *
   * @returns all at once, each with the key `secrets[INDEX].FIELD`, the value and the fix
   */
  validate(rows: readonly SecretSpec[]): readonly Problem[];
  /** Where a secret lies, as an operator names it to the store: `secret/aidbox/client, key client-secret`. */
  locate(secret: Secret): string;
  /** Parameters of the SecretProviderClass, `objects` among them; each file is called by the row's `file`. */
  parameters(table: SecretTable): Readonly<Record<string, string>>;
  /** Id by which the status of a mount (SecretProviderClassPodStatus) names a secret's object. */
  objectId(secret: Secret): string;
}

/** What an identity needs beside a token of the ServiceAccount. */
export interface StoreIdentity {
  /** @default - none */
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>;
  /** @default - none */
  readonly serviceAccountLabels?: Readonly<Record<string, string>>;
  /** @default - none */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Kubernetes Secret beside the pods with credentials of the provider (`nodePublishSecretRef` of the volume). @default - none */
  readonly nodePublishSecretName?: string;
}

/** What is wrong with the sources of rows, for a store's `validate`. */
export function findSourceProblems(
  { title, sources }: Pick<SecretStore, "title" | "sources">,
  rows: readonly SecretSpec[],
): Problem[] {
  return rows.flatMap(({ source = "external" }, index) =>
    sources.includes(source)
      ? []
      : [{ key: `secrets[${index}].source`, message: `"${source}": ${title} has none: write ${sources.join(" or ")}` }],
  );
}

/** Rows with keys, of a store that has no such thing as a row means. @param why the reason, as what to do instead */
export function findKeysProblems(rows: readonly SecretSpec[], why: string): Problem[] {
  return rows.flatMap(({ keys }, index) =>
    keys === undefined ? [] : [{ key: `secrets[${index}].keys`, message: `${why}: write a row for each value` }],
  );
}
