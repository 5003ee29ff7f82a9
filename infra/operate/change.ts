import type { SecretVersion } from "./secret-version";

/** A change that was made to a secret. */
export interface Change {
  /** What the files have then, by name of the secret. */
  readonly contents: ReadonlyMap<string, string | Buffer>;
  /** What is done, for progress: `version 2 is written`. */
  readonly progress: string;
  /** What is done, for an error: `Version 2 of NAME is in Vault`. */
  readonly done: string;
  /** How to go back, a line; none where that cannot be. */
  readonly goBack?: string;
  readonly versions?: { readonly previousVersion: SecretVersion; readonly version: SecretVersion };
  /** What the operator must know of it, a line each. @default - nothing */
  readonly notes?: readonly string[];
}
