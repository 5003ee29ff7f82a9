import type { EnvValue } from "cdk8s-plus-28";
import type { AnyVersion } from "../any-version";

/** Variables by name: text, or where it comes from, as `EnvValue.fromFieldRef(…)`. */
export type PlainEnvironment = Record<string, string | AnyVersion<EnvValue>>;

/** Objects whose every key becomes a variable, unless the container sets that one itself. They must be there. */
export interface EnvironmentSources {
  /** @default - none */
  readonly configMaps?: readonly string[];
  /**
   * Kubernetes Secrets that something else writes, as an operator of PostgreSQL; what lies in Vault belongs into the table.
   * @default - none
   */
  readonly secrets?: readonly string[];
}
