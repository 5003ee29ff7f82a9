import type { Problem, Secret, SecretPath, SecretSpec } from "../../../constructs/secrets";
import type { Environment } from "../environment";
import type { StoreKey } from "./schemas";
import type { StoreReleases } from "./store-releases";

type Fields = Readonly<Record<string, unknown>>;

/** What a store is to an environment's config, beside the schema of its block. */
export interface StoreConfig<E extends Environment = Environment> {
  /** Key of its block. An environment has the block of one store. */
  readonly key: StoreKey;
  /** What people call it: `Vault`. */
  readonly title: string;
  /** Folder of the secrets' files where the config names none. */
  readonly mountPath: string;
  /** Namespace of its CSI provider where the config names none. */
  readonly csiProviderNamespace: string;
  /** Name of its chart, as in `CHARTS_DIR`. */
  readonly chart: string;
  /**
   * Its CSI provider, where its chart calls release and DaemonSet alike: how people call it, and its name. The block says by
   * `csiProvider: there` that the cluster has it.
   * @default - its names are the store's own to claim
   */
  readonly csiProvider?: { readonly title: string; readonly name: string };

  /**
   * What it cannot hold of the table.
   *
   * @param rows none where the table is not well-formed
   */
  tableProblems(config: Fields, rows: readonly SecretSpec[]): readonly Problem[];
  /** What is wrong across keys. The config is as it is written, so that all errors show at once. */
  crossProblems(config: Fields): readonly Problem[];

  /** Where a secret lies, for pictures: a path of Vault's API, or a name in the key vault. */
  locate(environment: E, secret: Secret): string;
  /** What of the store an Aidbox reads for a path of the table. */
  readablePaths(environment: E, path: SecretPath): readonly string[];
  /** What its releases have in the cluster that nobody else may have. */
  releases(environment: E): StoreReleases;
  /** Audiences of the pod tokens that the driver must hand to its CSI provider. */
  tokenAudiences(environment: E): readonly string[];
  /** What is less safe than it could be, as who beside Aidbox can read its secrets; a sentence each. @default - nothing */
  warnings?(environment: E): readonly string[];
  /** What keeping the bound costs in calls. @default - nobody counts them */
  load?(environment: E): string;
  /** What a `destroy` leaves in it, where the state does not tell. @default - nothing */
  stays?(environment: E): string;
}
