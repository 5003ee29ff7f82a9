import { type Problem, type SecretSpec, SecretTable } from "../../constructs/secrets";
import type { Environment } from "./environment";

/** Whether some of the table's rows are optional, so that pods may go without them. */
export function hasOptional({ table }: Environment): boolean {
  return table.secrets.some(({ optional }) => optional === true);
}

/** An environment as its pods see it: without optional secrets that they do not mount. */
export function withoutSecrets<E extends Environment>(environment: E, names: readonly string[]): E {
  if (names.length === 0) return environment;
  return withRows(
    environment,
    environment.table.rows.filter(({ name }) => !names.includes(name)),
  );
}

/** An environment with other rows, and with no object of one that it has not. */
export function withRows<E extends Environment>(environment: E, rows: readonly SecretSpec[]): E {
  const table = new SecretTable({ mountPath: environment.table.mountPath, secrets: rows });
  const { vault } = environment;
  if (vault === undefined) return { ...environment, table };
  const names = rows.map(({ name }) => name);
  const objects = Object.fromEntries(Object.entries(vault.objects).filter(([name]) => names.includes(name)));
  return { ...environment, table, vault: { ...vault, objects } };
}

/** Optional rows of a store that `up` does not ask what it has, before pods mount it. @param title what people call it */
export function optionalProblems(title: string, rows: readonly SecretSpec[]): Problem[] {
  return rows.flatMap(({ optional }, index): Problem[] => {
    if (optional !== true) return [];
    const message = `true: \`up\` looks for such values in Vault alone, not in ${title}: leave the row out until its value is there`;
    return [{ key: `secrets[${index}].optional`, message }];
  });
}
