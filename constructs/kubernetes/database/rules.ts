import type { Problem, SecretSpec } from "../../secrets";
import { databaseVariableNames, passwordVariable } from "./variables";

const leaveOut = "is set by database: leave it out";

/**
 * What stands in the way of an Aidbox with a database: no password in the table, or variables that say something else of
 * the database. It needs no cdk8s.
 *
 * @param environment Aidbox's plain variables, by name
 */
export function findDatabaseProblems(
  secrets: readonly Pick<SecretSpec, "environment">[],
  environment: Readonly<Record<string, unknown>> = {},
): Problem[] {
  const isSet = (variable: string): boolean => databaseVariableNames.includes(variable);
  const problems: Problem[] = [];
  if (!secrets.some((secret) => secret.environment === passwordVariable)) {
    problems.push({
      key: "secrets",
      message:
        `no row has environment: ${passwordVariable}, which the database needs: add one, as ` +
        `{ name: database-password, path: aidbox/database, environment: ${passwordVariable} }`,
    });
  }
  for (const [index, { environment: variable }] of secrets.entries()) {
    if (variable !== undefined && isSet(variable)) {
      problems.push({ key: `secrets[${index}].environment`, message: `"${variable}": ${leaveOut}` });
    }
  }
  for (const variable of Object.keys(environment)) {
    if (isSet(variable)) problems.push({ key: `environment.${variable}`, message: leaveOut });
  }
  return problems;
}
