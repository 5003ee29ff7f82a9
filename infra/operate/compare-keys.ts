import type { Secret } from "../../constructs/secrets";
import { keysWithRows } from "../config/all-keys";
import type { Environment } from "../config/environment";
import type { StoreOperator } from "./store-operator";

/** The keys that the store has at a path, beside those that pods mount. */
export interface ComparedKeys {
  /** Where they lie, as an operator names it to the store. */
  readonly place: string;
  /** Those that the store has; keys with rows of their own are left out. */
  readonly there: readonly string[];
  /** Those of them that no pod mounts yet. */
  readonly added: readonly string[];
  /** Those that pods mount, and that are no longer there. */
  readonly gone: readonly string[];
}

/** @param row what stands for all keys, in the configured environment */
export async function compareKeys(
  store: StoreOperator,
  configured: Environment,
  deployed: Environment,
  row: Secret,
): Promise<ComparedKeys> {
  const others = keysWithRows(configured.table.rows, row.path);
  const there = ((await store.keys?.(row)) ?? []).filter((key) => !others.includes(key));
  const mounted = deployed.table.secrets.flatMap(({ keysOf, key }) => (keysOf === row.keysOf ? [key] : []));
  return {
    place: store.locate(row),
    there,
    added: there.filter((key) => !mounted.includes(key)),
    gone: mounted.filter((key) => !there.includes(key)),
  };
}
