import type { Problem, Secret, SecretSpec } from "../../constructs/secrets";
import { findSecretProblems } from "../../constructs/secrets/rules";
import { ConfigError } from "./config-error";
import type { Environment } from "./environment";
import { withRows } from "./optional";

/** Keys that are at their path, by the name of a row with all keys. */
export type FoundKeys = ReadonlyMap<string, readonly string[]>;

/** What stands for all keys of a path in an environment's table; each is `keysOf` its row. */
export function everyKeyOf({ table }: Environment): readonly Secret[] {
  return table.secrets.filter(({ isEveryKey }) => isEveryKey === true);
}

/**
 * An environment whose rows with all keys have those that were found. What has a row of its own stays with it, and a row
 * without keys is left out.
 *
 * @throws ConfigError where a key cannot be a file, or would take another row's
 */
export function withKeys<E extends Environment>(environment: E, found: FoundKeys): E {
  if (everyKeyOf(environment).length === 0) return environment;
  const { rows } = environment.table;
  const expanded = rows.map((row): SecretSpec => {
    if (row.keys !== "all") return row;
    const others = keysWithRows(rows, row.path);
    return { ...row, keys: (found.get(row.name) ?? []).filter((key) => !others.includes(key)) };
  });
  const hasKeys = ({ keys }: SecretSpec): boolean => keys?.length !== 0;
  const problems = findSecretProblems(expanded.map((row) => (hasKeys(row) ? row : { ...row, keys: "all" })));
  if (problems.length > 0) {
    const { tenant } = environment;
    const whose = tenant === undefined ? "" : ` (tenant ${tenant})`;
    throw new ConfigError(
      environment.name,
      problems.map(({ key, message }) => ({ key, message: `${message}${whose}` })),
    );
  }
  return withRows(environment, expanded.filter(hasKeys));
}

/** An environment whose row with all keys has the one that a name asks for, as `partner/user`, whether or not it is there. */
export function withKeyNamed<E extends Environment>(environment: E, name: string): E {
  const row = everyKeyOf(environment).find(({ keysOf }) => name.startsWith(`${keysOf!}/`) && !name.endsWith("/*"));
  return row === undefined
    ? environment
    : withKeys(environment, new Map([[row.keysOf!, [name.slice(row.keysOf!.length + 1)]]]));
}

/** Rows whose keys nobody has listed, where YAML is drawn that is to be whole. */
export function unlistedProblems(environment: Environment): Problem[] {
  const all = [environment, ...environment.tenants];
  return all.flatMap((each, place) =>
    each.table.rows.flatMap(({ keys }, index) => {
      const key = `${place === 0 ? "" : `tenants[${place - 1}].`}secrets[${index}].keys`;
      return keys === "all" ? [{ key, message: '"all": `up` alone looks in Vault which there are: list them' }] : [];
    }),
  );
}

/** A secret as a command names it; where nobody knows the keys yet, KEY stands for one. */
export function asOneKey(secret: Secret): Secret {
  return secret.isEveryKey === true ? { ...secret, name: `${secret.keysOf!}/KEY`, key: "KEY" } : secret;
}

/** Keys at a path that have rows of their own. */
export function keysWithRows(rows: readonly SecretSpec[], path: string): readonly string[] {
  return rows.flatMap((row) =>
    row.path === path && row.keys === undefined && row.keypair === undefined ? [row.key ?? row.name] : [],
  );
}
