import { overlap, type Problem, type SecretSpec } from "../../../secrets";
import { containerFolders, reservedVariables } from "../container";

/** What of a table of secrets Aidbox's container has for something else. */
export function findReservedProblems(mountPath: string, rows: readonly SecretSpec[]): Problem[] {
  const isTaken = Object.values(containerFolders).some((folder) => overlap(mountPath, folder));
  return [
    ...(isTaken
      ? [
          {
            key: "mountPath",
            message: `"${mountPath}": something else is mounted there: write another folder, as /run/vault-secrets`,
          },
        ]
      : []),
    ...rows.flatMap(({ environment }, index) =>
      environment !== undefined && reservedVariables.includes(environment)
        ? [{ key: `secrets[${index}].environment`, message: `"${environment}": is set by this stack: leave it out` }]
        : [],
    ),
  ];
}
