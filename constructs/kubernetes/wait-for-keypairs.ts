import { Size } from "cdk8s";
import { type ContainerProps, Cpu } from "cdk8s-plus-28";
import type { SecretTable } from "../secrets";

export const keypairContainerName = "wait-for-keypairs";

/**
 * A private key's DER holds its public half: the modulus of RSA from byte 38 at the latest, the point of an elliptic curve at
 * its end. A key of under 110 bytes is of a curve and has no public half in it (RFC 5915 leaves it out at will): Aidbox alone
 * can check that.
 */
const script = `
der() { tr -d '\\r' < "$1" | sed -n '/-----BEGIN/,/-----END/{/-----/!p};/-----END/q' | base64 -d | od -An -v -tx1 | tr -d ' \\n'; }
holds() { [ -n "$2" ] && case "$1" in *"$2"*) return 0 ;; esac; return 1; }
match() {
  private=$(der "$1"); other=$(der "$2")
  [ -n "$private" ] && [ -n "$other" ] || return 1
  [ "\${#private}" -lt 220 ] && return 0
  holds "$other" "$(echo "$private" | cut -c81-208)" || holds "$other" "$(echo "$private" | tail -c 129)"
}
while [ $# -gt 0 ]; do
  until match "$1" "$2" 2>/dev/null; do echo "waiting for $1 and $2: halves of two keypairs"; sleep 1; done
  shift 2
done
`.trim();

/** The files of each keypair's halves: the private key's, and that of its public key or certificate. */
export function keypairFiles(table: SecretTable): readonly (readonly [string, string])[] {
  return table.keypairs.map(({ secrets }) => {
    const [half, other] = ["private", "public|certificate"].map((keys) =>
      secrets.find(({ key }) => keys.split("|").includes(key))!,
    );
    return [table.filePath(half!), table.filePath(other!)];
  });
}

/**
 * An init container that ends once the halves of every keypair belong to each other. A store that reads them one after the
 * other gives halves of two pairs to a pod that starts while a new pair is written, until the driver publishes them again.
 * Its log names the files, never a value. A keypair's random `secret` has no half to be checked with.
 *
 * @param image image with a shell, base64 and od (coreutils or busybox); Aidbox's own, so that nothing more is pulled
 */
export function waitForKeypairs(
  image: string,
  files: readonly (readonly [string, string])[],
): Omit<ContainerProps, "securityContext"> {
  return {
    name: keypairContainerName,
    image,
    command: ["sh", "-c", script, keypairContainerName, ...files.flat()],
    resources: {
      cpu: { request: Cpu.millis(10) },
      memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
    },
  };
}
