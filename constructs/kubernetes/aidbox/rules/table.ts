import { overlap, type Problem, type SecretSpec } from "../../../secrets";
import { containerFolders, reservedVariables } from "../container";

/** Folders of a container's kernel and programs. The container runtime mounts nothing into the kernel's. */
const systemFolders = ["/proc", "/sys", "/dev", "/bin", "/sbin", "/lib", "/lib64", "/usr"];

/** Variables by which the container's programs start; the JVM prints those of its options to its log. */
const ofPrograms = /^(PATH|HOME|LD_(PRELOAD|LIBRARY_PATH)|JAVA_OPTS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS)$/;

/** What of a table of secrets Aidbox's container has for something else. */
export function findReservedProblems(mountPath: string, rows: readonly SecretSpec[]): Problem[] {
  const isTaken = Object.values(containerFolders).some((folder) => overlap(mountPath, folder));
  const isOfSystem = systemFolders.some((folder) => `${mountPath}/`.startsWith(`${folder}/`));
  return [
    ...(isTaken
      ? [
          {
            key: "mountPath",
            message: `"${mountPath}": something else is mounted there: write another folder, as /run/vault-secrets`,
          },
        ]
      : []),
    ...(isOfSystem
      ? [
          {
            key: "mountPath",
            message: `"${mountPath}": is the system's, without which nothing starts: write another folder, as /run/vault-secrets`,
          },
        ]
      : []),
    ...rows.flatMap(({ environment = "" }, index) => {
      const key = `secrets[${index}].environment`;
      if (reservedVariables.includes(environment)) {
        return [{ key, message: `"${environment}": is set by this stack: leave it out` }];
      }
      if (!ofPrograms.test(environment)) return [];
      return [
        { key, message: `"${environment}": is read by the container's programs, not as a secret: write another` },
      ];
    }),
  ];
}
