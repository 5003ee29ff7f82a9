import { k8s } from "cdk8s-plus-28";
import { containerSecurityContext } from "../../platform/container-security";
import { snapshotPaths } from "./snapshot-script";

/** An S3-compatible store that has copies of the snapshots. */
export interface SnapshotCopies {
  /**
   * Image with rclone and a shell, with its tag, as `rclone/rclone:1.71.2`: no client for S3 is in Vault's own.
   * @see https://rclone.org/s3/
   */
  readonly image: string;
  /** Bucket, and a folder in it where there is one, as `backups/vault`. The bucket must be there. */
  readonly bucket: string;
  /** URL of the store. @default - that of AWS for the region */
  readonly endpoint?: string | undefined;
  /** Region of the bucket, as `eu-central-1`. @default - the store's own */
  readonly region?: string | undefined;
  /**
   * Kubernetes Secret in the namespace of Vault's servers with the keys `access-key-id` and `secret-access-key`.
   * @default - the pods' identity with AWS, as of EKS Pod Identity
   */
  readonly credentialsSecret?: string | undefined;
  /** ConfigMap in that namespace whose `ca.crt` the store's certificate is signed by. @default - a CA that everybody trusts */
  readonly caConfigMapName?: string | undefined;
  /** How many are kept there; the oldest goes first. @default - all; a rule of the bucket can end them */
  readonly keep?: number | undefined;
}

const caFile = "/store/ca.crt";

/** How often it is tried, and how long each of them waits for the next, in seconds. */
const tries = 4;
const pauseSeconds = 20;

// Those that the volume has and the store lacks, so that an outage of the store is made up for; rclone compares the sums. One that
// is there is never overwritten. What is deleted has a snapshot's name.
export const copyScript = `
set -eu
stored() { rclone lsf --files-only "store:$BUCKET" | grep -E '^[0-9]{8}T[0-9]{6}Z\\.snap$' | sort -r; }
copy() {
  cd ${snapshotPaths.folder}
  newest=$(ls | grep '\\.snap$' | sort -r | head -n 1)
  [ -n "$newest" ] || { echo 'there is no snapshot' >&2; return 1; }
  ls | grep '\\.snap$' | sort -r | { [ -z "$KEEP" ] && cat || head -n "$KEEP"; } |
    rclone copy --immutable --checksum --files-from=- . "store:$BUCKET" || return
  stored | grep -x "$newest" > /dev/null || { echo "the store does not have $newest" >&2; return 1; }
  [ -z "$KEEP" ] || stored | tail -n +$((KEEP + 1)) | while read -r old; do
    rclone deletefile "store:$BUCKET/$old" || exit
  done || return
  echo "copied $newest; $(stored | wc -l) are in $BUCKET"
}
for try in $(seq ${tries}); do
  [ $try = 1 ] || sleep ${pauseSeconds}
  ! copy || exit 0
done
exit 1
`.trim();

// What is under way has another ending, so that nobody takes it for a snapshot.
export const fetchScript = `
set -eu
umask 077
cd ${snapshotPaths.folder}
rm -f ./*.fetch
name=\${1:-$(rclone lsf --files-only "store:$BUCKET" | grep -E '^[0-9]{8}T[0-9]{6}Z\\.snap$' | sort | tail -n 1)}
[ -n "$name" ] || { echo "there is no copy in $BUCKET" >&2; exit 1; }
[ -e "$name" ] || {
  rclone copyto "store:$BUCKET/$name" "$name.fetch" >&2
  mv "$name.fetch" "$name"
}
echo "$name"
`.trim();

/**
 * The part of a snapshot's pod that copies. Credentials are in no argument, and rclone writes no file.
 *
 * @param command runs `copyScript`
 * @param isReadOnly whether the volume of the snapshots is
 */
export function snapshotCopy(
  copies: SnapshotCopies,
  command: string[],
  isReadOnly = true,
): {
  readonly container: k8s.Container;
  readonly volumes: readonly k8s.Volume[];
} {
  const { image, bucket, endpoint, region, credentialsSecret, caConfigMapName, keep } = copies;
  const remote = {
    TYPE: "s3",
    PROVIDER: endpoint === undefined ? "AWS" : "Other",
    ...(endpoint === undefined ? {} : { ENDPOINT: endpoint }),
    ...(region === undefined ? {} : { REGION: region }),
    ...(credentialsSecret === undefined ? { ENV_AUTH: "true" } : {}),
    NO_CHECK_BUCKET: "true", // it would make one
  };
  const plain = {
    BUCKET: bucket,
    KEEP: keep === undefined ? "" : String(keep),
    RCLONE_CONFIG: "", // in memory alone
    ...(caConfigMapName === undefined ? {} : { RCLONE_CA_CERT: caFile }),
    ...Object.fromEntries(Object.entries(remote).map(([key, value]) => [`RCLONE_CONFIG_STORE_${key}`, value])),
  };
  const fromSecret = ["access-key-id", "secret-access-key"].map((key) => ({
    name: `RCLONE_CONFIG_STORE_${key.toUpperCase().replaceAll("-", "_")}`,
    valueFrom: { secretKeyRef: { name: credentialsSecret!, key } },
  }));
  return {
    container: {
      name: snapshotCopyContainer,
      image,
      imagePullPolicy: "IfNotPresent",
      command,
      env: [
        ...Object.entries(plain).map(([name, value]) => ({ name, value })),
        ...(credentialsSecret === undefined ? [] : fromSecret),
      ],
      securityContext: { ...containerSecurityContext, capabilities: { drop: ["ALL"] } },
      resources: {
        requests: { cpu: k8s.Quantity.fromString("10m"), memory: k8s.Quantity.fromString("64Mi") },
        limits: { memory: k8s.Quantity.fromString("256Mi") },
      },
      volumeMounts: [
        { name: "snapshots", mountPath: snapshotPaths.folder, ...(isReadOnly ? { readOnly: true } : {}) },
        ...(caConfigMapName === undefined ? [] : [{ name: "store-ca", mountPath: "/store", readOnly: true }]),
      ],
    },
    volumes:
      caConfigMapName === undefined
        ? []
        : [{ name: "store-ca", configMap: { name: caConfigMapName, items: [{ key: "ca.crt", path: "ca.crt" }] } }],
  };
}

/** Name of the container that copies. */
export const snapshotCopyContainer = "copy";
