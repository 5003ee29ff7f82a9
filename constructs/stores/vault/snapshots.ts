import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { each, oneOf, optional, refuseProps, shape, text, url, volumeSize, wholeNumber } from "../../check-props";
import { parseSchedule } from "../../cron";
import { jobInJsonLines } from "../../json-lines";
import { NetworkGuard, type NetworkTarget } from "../../kubernetes/network";
import { networkTarget } from "../../kubernetes/network/rules";
import { containerSecurityContext } from "../../platform/container-security";
import type { VolumeSize } from "../../quantities";
import type { Problem } from "../../secrets";
import type { VaultReleaseReference } from "./guards";
import {
  defaultVaultImage,
  longestSnapshotsRelease,
  vaultDrillLabels,
  vaultServerLabels,
  vaultSnapshotsLabels,
  vaultSnapshotsName,
} from "./names";
import { copyScript, type SnapshotCopies, snapshotCopy, snapshotCopyContainer } from "./snapshot-copy";
import { snapshotPaths, snapshotScript } from "./snapshot-script";

/** Of which servers, when and whereto snapshots are taken. */
export interface VaultSnapshotsProps {
  /** The release of the servers, whose storage is integrated (raft). All is made in its namespace. */
  readonly servers: VaultReleaseReference;
  /** URL of Vault as seen from the cluster's pods. */
  readonly address: string;
  /** ConfigMap whose `ca.crt` Vault's certificate is signed by. */
  readonly caConfigMapName: string;
  /** By which login they are taken; its role may read `sys/storage/raft/snapshot`, and nothing else. */
  readonly login: SnapshotLogin;
  /** When, in UTC: five fields, as Kubernetes takes them. */
  readonly schedule: string;
  /** How many are kept; the oldest goes first. */
  readonly keep: number;
  /** The volume that has them. Whoever reads it needs the key shares too, or what unseals Vault. */
  readonly storage: {
    /** Size of the volume. */
    readonly size: VolumeSize;
    /** @default - the cluster's own */
    readonly storageClass?: string | undefined;
  };
  /** Copies each snapshot to an S3-compatible store. @default - they are on the volume alone */
  readonly copies?: SnapshotCopies;
  /**
   * Vault's own image, with its tag.
   * @default "hashicorp/vault:2.0.4"
   */
  readonly image?: string;
  /**
   * Form of the log of the pods that take them; in JSON a document a line, with `time` and `message`.
   * @default "standard"
   */
  readonly logFormat?: "standard" | "json" | undefined;
  /**
   * Whom the pods that take them may reach beside Vault's servers and the cluster's DNS.
   * @default - nobody
   */
  readonly allowTo?: readonly NetworkTarget[];
  /**
   * Whom a drill's pod may reach, beside the cluster's DNS: the Vault with the key of a transit seal, which opens the snapshots.
   * @default - nobody, and no DNS
   */
  readonly drillTo?: readonly NetworkTarget[];
}

/** How the pods that take snapshots log in to Vault. */
export interface SnapshotLogin {
  /** Path of the auth mount, without `auth/`. */
  readonly authMount: string;
  /** Name of the role, which the ServiceAccount of the snapshots' name is bound to. */
  readonly role: string;
  /** Audience of the pod's token. */
  readonly audience: string;
}

const apiPort = 8200;
const user = 100; // vault, of Vault's own image
const group = 1000;

/** How long one may take, in seconds. */
const deadlineSeconds = 900;

/**
 * Takes snapshots of Vault's storage on a schedule. Vault encrypts what it stores, and so each of them: it opens by the key
 * shares of the Vault that it was taken of, or by the key of its seal, and by nothing else.
 *
 * A snapshot is written under another name, checked, and renamed. A run whose copy fails has failed. The pods pass the `restricted` Pod Security level.
 */
export class VaultSnapshots extends Construct {
  /** Labels of the pods that take snapshots, which Vault's servers must admit. */
  public readonly labels: Readonly<Record<string, string>>;
  /** Takes the snapshots. */
  public readonly cronJob: k8s.KubeCronJob;
  /** Whom the pods that take them may reach, whose `addTarget` opens further ways. */
  public readonly networkGuard: NetworkGuard;
  /** Whom a drill's pod may reach. */
  public readonly drillGuard: NetworkGuard;
  /** Claim of the volume that has them. */
  public readonly claim: k8s.KubePersistentVolumeClaim;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: VaultSnapshotsProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks, () => problemsOf(props));
    const { servers, storage } = props;
    const { namespace, releaseName } = servers;
    const name = vaultSnapshotsName(releaseName);
    this.labels = vaultSnapshotsLabels(releaseName);
    const metadata = { name, namespace, labels: { ...this.labels } };
    const serviceAccount = new k8s.KubeServiceAccount(this, "service-account", {
      metadata,
      automountServiceAccountToken: false,
    });
    this.claim = new k8s.KubePersistentVolumeClaim(this, "claim", {
      metadata,
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: storage.storageClass,
        resources: { requests: { storage: k8s.Quantity.fromString(storage.size.asString()) } },
      },
    });
    this.networkGuard = new NetworkGuard(this, "network-guard", {
      name,
      namespace,
      podLabels: this.labels,
      to: [{ peer: { podLabels: vaultServerLabels(releaseName) }, ports: [apiPort] }, ...(props.allowTo ?? [])],
    });
    const drillLabels = vaultDrillLabels(releaseName);
    // It opens a snapshot, and so has all secrets: nobody reaches it, and it reaches nobody but what opens the snapshot.
    this.drillGuard = new NetworkGuard(this, "drill-guard", {
      name: `${releaseName}-drill`,
      namespace,
      podLabels: drillLabels,
      to: props.drillTo ?? [],
    });
    this.cronJob = new k8s.KubeCronJob(this, "cron-job", {
      metadata,
      spec: {
        schedule: props.schedule,
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
        // Without one Kubernetes gives up for good where it has missed a hundred.
        startingDeadlineSeconds: 600,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          metadata: { labels: { ...this.labels } },
          spec: {
            backoffLimit: 3,
            // Each try takes a snapshot, and the oldest would go: a copy that fails has tried by itself.
            ...(props.copies === undefined
              ? {}
              : {
                  podFailurePolicy: {
                    rules: [
                      {
                        action: "FailJob",
                        onExitCodes: { containerName: snapshotCopyContainer, operator: "NotIn", values: [0] },
                        onPodConditions: [],
                      },
                    ],
                  },
                }),
            activeDeadlineSeconds: deadlineSeconds,
            template: { metadata: { labels: { ...this.labels } }, spec: this.podSpec(name, props) },
          },
        },
      },
    });
    this.cronJob.node.addDependency(serviceAccount, this.claim, this.networkGuard);
  }

  private podSpec(name: string, props: VaultSnapshotsProps): k8s.PodSpec {
    const { address, caConfigMapName, login, keep, copies, image = defaultVaultImage, logFormat } = props;
    const command = (script: string): string[] => ["sh", "-c", logFormat === "json" ? jobInJsonLines(script) : script];
    const copy = copies && snapshotCopy(copies, command(copyScript));
    const env = {
      VAULT_ADDR: address,
      VAULT_CACERT: snapshotPaths.ca,
      VAULT_CLIENT_TIMEOUT: `${deadlineSeconds}s`,
      AUTH_MOUNT: login.authMount,
      ROLE: login.role,
      KEEP: String(keep),
    };
    return {
      serviceAccountName: name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "Never",
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: group,
        fsGroup: group,
        fsGroupChangePolicy: "OnRootMismatch",
      },
      ...containersInTurn(
        {
          name: "snapshot",
          image,
          imagePullPolicy: "IfNotPresent",
          command: command(snapshotScript),
          env: Object.entries(env).map(([each, value]) => ({ name: each, value })),
          securityContext: { ...containerSecurityContext, capabilities: { drop: ["ALL"] } },
          resources: {
            requests: { cpu: k8s.Quantity.fromString("10m"), memory: k8s.Quantity.fromString("64Mi") },
            limits: { memory: k8s.Quantity.fromString("256Mi") },
          },
          volumeMounts: [
            { name: "snapshots", mountPath: snapshotPaths.folder },
            { name: "ca", mountPath: folderOf(snapshotPaths.ca), readOnly: true },
            { name: "token", mountPath: folderOf(snapshotPaths.token), readOnly: true },
          ],
        },
        copy?.container,
      ),
      volumes: [
        { name: "snapshots", persistentVolumeClaim: { claimName: name } },
        { name: "ca", configMap: { name: caConfigMapName, items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          name: "token",
          projected: {
            sources: [
              { serviceAccountToken: { path: "token", audience: login.audience, expirationSeconds: tokenSeconds } },
            ],
          },
        },
        ...(copy?.volumes ?? []),
      ],
    };
  }
}

/** One container, and another one once the first has done its work. */
function containersInTurn(
  first: k8s.Container,
  second: k8s.Container | undefined,
): Pick<k8s.PodSpec, "initContainers" | "containers"> {
  return second === undefined ? { containers: [first] } : { initContainers: [first], containers: [second] };
}

/** Life of the pod's token, in seconds: the least that Kubernetes gives. */
const tokenSeconds = 600;

const checks = {
  servers: shape<VaultReleaseReference>({ releaseName: text, namespace: text }),
  address: url,
  caConfigMapName: text,
  login: shape<SnapshotLogin>({ authMount: text, role: text, audience: text }),
  schedule: text,
  keep: wholeNumber,
  storage: shape<VaultSnapshotsProps["storage"]>({ size: volumeSize, storageClass: optional(text) }),
  copies: optional(
    shape<SnapshotCopies>({
      image: text,
      bucket: text,
      endpoint: optional(text),
      region: optional(text),
      credentialsSecret: optional(text),
      caConfigMapName: optional(text),
      keep: optional(wholeNumber),
    }),
  ),
  image: optional(text),
  logFormat: optional(oneOf("standard", "json")),
  allowTo: optional(each(networkTarget)),
  drillTo: optional(each(networkTarget)),
};

function problemsOf({ schedule, keep, copies, servers: { releaseName } }: VaultSnapshotsProps): Problem[] {
  const problems: Problem[] = [];
  try {
    parseSchedule(schedule);
  } catch (error) {
    problems.push({ key: "schedule", message: `"${schedule}": ${(error as Error).message}` });
  }
  if (copies?.keep !== undefined && !(Number.isInteger(copies.keep) && copies.keep >= 1)) {
    problems.push({ key: "copies.keep", message: `${copies.keep}: write 1 or more` });
  }
  if (keep < 1) problems.push({ key: "keep", message: `${keep}: write 1 or more` });
  if (releaseName.length > longestSnapshotsRelease) {
    const message = `"${releaseName}": has ${releaseName.length} characters: shorten it to ${longestSnapshotsRelease}`;
    problems.push({ key: "servers.releaseName", message });
  }
  return problems;
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}
