import { imageFrom, pullSecretReferences } from "../../../../constructs/images";
import { containerSecurityContext } from "../../../../constructs/platform/container-security";
import { sealParts, type TransitSeal } from "../../../../constructs/platform/vault/auto-unseal";
import { defaultVaultImage, vaultSnapshotsName } from "../../../../constructs/stores/vault/names";
import { type SnapshotCopies, snapshotCopy } from "../../../../constructs/stores/vault/snapshot-copy";
import { snapshotPaths } from "../../../../constructs/stores/vault/snapshot-script";
import { waitUntil } from "../../../cluster/wait-until";
import type { VaultEnvironment } from "../../../config/environment";
import { isStored } from "../../../config/stores/vault/server";
import { InvalidRequestError, UnreachableError } from "../../errors";
import { type ContainerReference, execute, type Executed, leash } from "../../execute";
import { kubectl } from "../../hints";
import { sealTokenVariable } from "./drill-script";
import type { VaultSession } from "./session";

/** What a pod with the volume of the snapshots is for. */
export interface SnapshotPodOptions {
  /** What it is for, as `restore`: its Job is called so, after the release. */
  readonly purpose: string;
  /** Labels of the pod, by which network policies know it. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it resolves no name, so that it finds nobody where no network policy holds. @default false */
  readonly isAlone?: boolean;
  /** The transit seal of Vault's servers, whose token and CA it is given. @default - none */
  readonly seal?: TransitSeal;
  /** Folders in memory that it may write to, by their names. @default - none */
  readonly memory?: Readonly<Record<string, { readonly path: string; readonly size: string }>>;
  /**
   * Has it write to the volume too, by the image that copies snapshots, and reach their store.
   * @default - it reads by Vault's own image
   */
  readonly copies?: SnapshotCopies;
  /** How long it lives at most, in seconds. */
  readonly seconds: number;
}

/** How long a pod may take to start, in seconds: its image may have to be fetched. */
const startSeconds = 300;
/** How long one of an earlier run may take to go, in seconds. */
const endSeconds = 60;

const container = "vault";

/**
 * A pod beside Vault's servers that reads the volume of the snapshots, by Vault's own image. It ends with this process,
 * however that ends, and its Job with it.
 */
export class SnapshotPod {
  private constructor(
    private readonly session: VaultSession,
    private readonly job: PodJob,
    private readonly reference: ContainerReference,
    private readonly letGo: () => void,
  ) {}

  /**
   * @throws InvalidRequestError where there is no volume of snapshots, or another run has such a pod; UnreachableError where
   * it does not start
   */
  public static async start(session: VaultSession, options: SnapshotPodOptions): Promise<SnapshotPod> {
    const { api, environment, permitted } = session;
    const namespace = environment.namespaces.vault;
    const claim = vaultSnapshotsName(environment.vault.release);
    const core = api.config.makeApiClient(api.client.CoreV1Api);
    const batch = api.config.makeApiClient(api.client.BatchV1Api);
    const found = await permitted(api.find(core.readNamespacedPersistentVolumeClaim({ namespace, name: claim })));
    if (found === undefined) {
      throw new InvalidRequestError(
        `there are no snapshots: namespace ${namespace} has no volume claim ${claim}. vault.snapshots takes some`,
      );
    }
    const name = `${environment.vault.release}-${options.purpose}`;
    await assertNone(session, name);
    const body = jobOf(environment, name, options);
    const { metadata } = await permitted(batch.createNamespacedJob({ namespace, body }));
    try {
      const job = { name, podSelector: `batch.kubernetes.io/controller-uid=${metadata!.uid!}` };
      const reference = { namespace, pod: await runningPod(session, job), container };
      return new SnapshotPod(session, job, reference, await leash(api, reference));
    } catch (error) {
      await remove(session, name);
      throw error;
    }
  }

  /** Where a port-forward finds it. */
  public get target(): { readonly namespace: string; readonly labelSelector: string } {
    return { namespace: this.reference.namespace, labelSelector: this.job.podSelector };
  }

  /** Runs a command in it to its end. @param seconds how long it may take */
  public run(command: readonly string[], seconds: number): Promise<Executed> {
    return execute(this.session.api, this.reference, command, seconds);
  }

  /** Ends it. It ends by itself too, once this process is no more. */
  public async end(): Promise<void> {
    this.letGo();
    await remove(this.session, this.job.name);
  }
}

/** The Job that makes a pod. */
interface PodJob {
  readonly name: string;
  /** Finds its pod alone: that of an earlier Job of the same name may still be ending. */
  readonly podSelector: string;
}

/** @throws InvalidRequestError where a Job of the name is there, and stays */
async function assertNone({ api, environment, permitted }: VaultSession, name: string): Promise<void> {
  const namespace = environment.namespaces.vault;
  const batch = api.config.makeApiClient(api.client.BatchV1Api);
  const isGone = async (): Promise<boolean> =>
    (await permitted(api.find(batch.readNamespacedJob({ namespace, name })))) === undefined;
  if (await waitUntil(isGone, Date.now() + endSeconds * 1000, 3000)) return;
  const end = kubectl(environment, namespace, "delete", "job", name);
  throw new InvalidRequestError(
    `another run is under way, by Job ${name} of namespace ${namespace}; to end it: ${end}`,
  );
}

async function remove({ api, environment }: VaultSession, name: string): Promise<void> {
  const namespace = environment.namespaces.vault;
  const batch = api.config.makeApiClient(api.client.BatchV1Api);
  // It has an end of its own, whoever could not end it.
  await batch.deleteNamespacedJob({ namespace, name, propagationPolicy: "Background" }).catch(() => undefined);
}

async function runningPod(
  { api, environment, permitted }: VaultSession,
  { name: job, podSelector: labelSelector }: PodJob,
): Promise<string> {
  const namespace = environment.namespaces.vault;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  let name: string | undefined;
  let state = "it has no pod";
  const isRunning = async (): Promise<boolean> => {
    const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
    const [pod] = items;
    const [status] = pod?.status?.containerStatuses ?? [];
    if (status?.state?.running !== undefined) name = pod?.metadata?.name;
    const waiting = status?.state?.waiting;
    if (pod !== undefined) state = [pod.status?.phase, waiting?.reason, waiting?.message].filter(Boolean).join(", ");
    return name !== undefined || pod?.status?.phase === "Failed";
  };
  await waitUntil(isRunning, Date.now() + startSeconds * 1000, 500);
  if (name !== undefined) return name;
  throw new UnreachableError(`the pod of Job ${job} in namespace ${namespace} does not run: ${state}`);
}

/** A Job, since one goes by itself once its pod has ended. */
function jobOf(environment: VaultEnvironment, name: string, options: SnapshotPodOptions): object {
  const { labels, seconds } = options;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels: { ...labels } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: 0,
      template: { metadata: { labels: { ...labels } }, spec: podOf(environment, options) },
    },
  };
}

function podOf(environment: VaultEnvironment, options: SnapshotPodOptions): object {
  const { vault, images, assignsUsers } = environment;
  const { isAlone = false, memory = {}, seal, copies, seconds } = options;
  const command = ["sh", "-c", `trap 'exit 0' TERM; sleep ${seconds} & wait $!`];
  const copy = copies && snapshotCopy({ ...copies, image: imageFrom(copies.image, images) }, command, false);
  const sealVolumes = seal === undefined ? { volumes: [], volumeMounts: [] } : sealParts(seal);
  const image = imageFrom((isStored(vault) ? vault.image : undefined) ?? defaultVaultImage, images);
  const folders = Object.entries(memory).map(([name, { path, size }]): [object, object] => [
    { name, emptyDir: { medium: "Memory", sizeLimit: size } },
    { name, mountPath: path },
  ]);
  const imagePullSecrets = pullSecretReferences(images);
  const reader = {
    image,
    imagePullPolicy: "IfNotPresent",
    command,
    securityContext: { ...containerSecurityContext, capabilities: { drop: ["ALL"] } },
    ...(seal === undefined ? {} : { env: [sealToken(seal)] }),
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "1Gi" } },
    volumeMounts: [
      { name: "snapshots", mountPath: snapshotPaths.folder, readOnly: true },
      ...folders.map(([, mount]) => mount),
      ...sealVolumes.volumeMounts,
    ],
  };
  return {
    // AWS may know the pods of the snapshots by it.
    ...(copy === undefined ? {} : { serviceAccountName: vaultSnapshotsName(vault.release) }),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 5,
    ...(isAlone ? { dnsPolicy: "None", dnsConfig: { nameservers: ["127.0.0.1"] } } : {}),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    securityContext: {
      runAsNonRoot: true,
      ...(assignsUsers ? {} : { runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 }),
      fsGroupChangePolicy: "OnRootMismatch",
    },
    // As the API takes quantities: cdk8s has classes for them.
    containers: [{ ...(copy?.container ?? reader), name: container, resources: reader.resources }],
    volumes: [
      {
        name: "snapshots",
        persistentVolumeClaim: {
          claimName: vaultSnapshotsName(vault.release),
          ...(copy === undefined ? { readOnly: true } : {}),
        },
      },
      ...folders.map(([volume]) => volume),
      ...sealVolumes.volumes,
      ...(copy?.volumes ?? []),
    ],
  };
}

function sealToken({ tokenSecretName }: TransitSeal): object {
  return { name: sealTokenVariable, valueFrom: { secretKeyRef: { name: tokenSecretName, key: "token" } } };
}
