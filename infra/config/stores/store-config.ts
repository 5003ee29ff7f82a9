import type { Problem, SecretSpec } from "../../../constructs/secrets";

type Fields = Readonly<Record<string, unknown>>;

/** What a store is to an environment's config, beside the schema of its block. */
export interface StoreConfig<Key extends string = string> {
  /** Key of its block. An environment has the block of one store. */
  readonly key: Key;
  /** What people call it: `Vault`. */
  readonly title: string;
  /** Folder of the secrets' files where the config names none. */
  readonly mountPath: string;
  /** Namespace of its CSI provider where the config names none. */
  readonly csiProviderNamespace: string;
  /** Name of its chart, as in `CHARTS_DIR`. */
  readonly chart: string;

  /**
   * What it cannot hold of the table.
   *
   * @param rows none where the table is not well-formed
   */
  tableProblems(config: Fields, rows: readonly SecretSpec[]): readonly Problem[];
  /** What is wrong across keys. The config is as it is written, so that all errors show at once. */
  crossProblems(config: Fields): readonly Problem[];
}
