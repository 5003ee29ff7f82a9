import { Duration } from "cdk8s";
import { Probe } from "cdk8s-plus-28";

// The Vault provider can report a mount as done with nothing in it when it was not there yet, so a pod counts as ready
// only with its files. Kubernetes allows one readiness probe, so it asks for /health too; curl is in Aidbox's image,
// wget in busybox's.
const script = `
url=$1; shift
for file in "$@"; do
  [ -s "$file" ] || { echo "secret file $file is missing or empty"; exit 1; }
done
if command -v curl >/dev/null; then exec curl --fail --silent --show-error --max-time 4 --output /dev/null "$url"; fi
exec wget -q -T 4 -O /dev/null "$url"
`.trim();

/** Ready once every one of the files is there with content and the URL answers. Needs a shell in the image. */
export function readyWithFiles(url: string, files: readonly string[]): Probe {
  return Probe.fromCommand(["sh", "-c", script, "readiness", url, ...files], {
    periodSeconds: Duration.seconds(5),
    timeoutSeconds: Duration.seconds(5),
    failureThreshold: 2,
  });
}
