import { Size } from "cdk8s";
import { type ContainerProps, Cpu } from "cdk8s-plus-28";

export const waitingContainerName = "wait-for-secrets";

const script = `
for file in "$@"; do
  until [ -s "$file" ]; do echo "waiting for $file: missing or empty"; sleep 1; done
done
`.trim();

/**
 * An init container that ends once every file is there with content, so that no pod gets ready without its secrets: the
 * Vault provider can report a mount as done with nothing in it when it was not there yet. Its log names what lacks.
 *
 * @param image image with a shell; Aidbox's own, so that nothing more is pulled
 */
export function waitForFiles(image: string, files: readonly string[]): Omit<ContainerProps, "securityContext"> {
  return {
    name: waitingContainerName,
    image,
    command: ["sh", "-c", script, waitingContainerName, ...files],
    resources: {
      cpu: { request: Cpu.millis(10) },
      memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
    },
  };
}
