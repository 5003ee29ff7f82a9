import { refuseArguments, secretTable } from "../../check-props";
import { isMadeByStore, type Secret, SecretTable } from "../../secrets";
import { passwordVariable } from "../database/variables";

/**
 * The table of a database's password alone: all that PostgreSQL's own login may read. None of it is synced to a
 * Kubernetes Secret.
 *
 * @param table Aidbox's table
 * @throws Error where no row of it has `environment: BOX_DB_PASSWORD`, or the store changes its password
 */
export function passwordTable(table: SecretTable): SecretTable {
  refuseArguments("passwordTable", { table }, { table: secretTable });
  const problem = findPasswordProblem(table);
  if (problem !== undefined) throw new Error(`The table is not valid: ${problem}`);
  const { name, path, key, file, source } = passwordRow(table)!;
  // In the default folder, since Aidbox's may be one in which PostgreSQL has something else.
  return new SecretTable({ secrets: [{ name, path, key, file, source }] });
}

/** Why a table has no password that this PostgreSQL can have; undefined where it has one. */
export function findPasswordProblem(table: SecretTable): string | undefined {
  const row = passwordRow(table);
  if (row === undefined) return `no row has environment: ${passwordVariable}: give the database's password that`;
  if (!isMadeByStore(row)) return undefined;
  return `${row.name} is of source ${row.source}, and this PostgreSQL changes its password itself: write seeded`;
}

function passwordRow(table: SecretTable): Secret | undefined {
  return table.secrets.find(({ environment }) => environment === passwordVariable);
}

/** Absolute path of the password's file in the containers of PostgreSQL. */
export function passwordFile(table: SecretTable): string {
  const [password] = table.secrets as readonly [Secret];
  return table.filePath(password);
}
