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
  const row = table.secrets.find(({ environment }) => environment === passwordVariable);
  if (row === undefined) {
    throw new Error(`No row of the table has environment: ${passwordVariable}: give the database's password that`);
  }
  const { name, path, key, file, source } = row;
  if (isMadeByStore(row)) {
    throw new Error(`${name} is of source ${source}, and this PostgreSQL changes its password itself: write seeded`);
  }
  // In the default folder, since Aidbox's may be one in which PostgreSQL has something else.
  return new SecretTable({ secrets: [{ name, path, key, file, source }] });
}

/** Absolute path of the password's file in the containers of PostgreSQL. */
export function passwordFile(table: SecretTable): string {
  const [password] = table.secrets as readonly [Secret];
  return table.filePath(password);
}
