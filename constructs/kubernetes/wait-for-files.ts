import { Size } from "cdk8s";
import { type ContainerProps, Cpu } from "cdk8s-plus-28";

export const waitingContainerName = "wait-for-secrets";

/** What comes after it may be empty. */
const mayBeEmptyMark = "--";

const script = `
wanted=-s
for file in "$@"; do
  if [ "$file" = ${mayBeEmptyMark} ]; then wanted=-e; continue; fi
  until [ $wanted "$file" ]; do
    if [ -e "$file" ]; then is=empty; else is=missing; fi
    echo "waiting for $file: $is"
    sleep 1
  done
done
`.trim();

/** The file that the last line of its log tells is empty; undefined where it tells of none. */
export function emptyFileIn(log: string): string | undefined {
  return /^waiting for (.+): empty$/.exec(log.trim().split("\n").at(-1) ?? "")?.[1];
}

/**
 * An init container that ends once every file is there with content, but for those that may be empty, so that no pod gets ready without its secrets: the
 * Vault provider can report a mount as done with nothing in it when it was not there yet. Its log names what lacks.
 *
 * @param image image with a shell; Aidbox's own, so that nothing more is pulled
 */
export function waitForFiles(
  image: string,
  files: readonly string[],
  mayBeEmpty: readonly string[] = [],
): Omit<ContainerProps, "securityContext"> {
  const further = mayBeEmpty.length === 0 ? [] : [mayBeEmptyMark, ...mayBeEmpty];
  return {
    name: waitingContainerName,
    image,
    command: ["sh", "-c", script, waitingContainerName, ...files, ...further],
    resources: {
      cpu: { request: Cpu.millis(10) },
      memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
    },
  };
}
