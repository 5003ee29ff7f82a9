import type { V1PersistentVolumeClaim } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { mebibytes } from "../config/quantity";
import { type StackVolumes, volumesOf } from "../config/volumes";
import type { KubeApi } from "./kube-api";
import { waitUntil } from "./wait-until";

/** Volumes that cannot become what the config wants of them: nothing was touched. */
export class VolumesError extends Error {
  public constructor(refusals: readonly string[]) {
    super(
      [
        "Volumes that are there cannot become these, so nothing was touched:",
        ...refusals.map((each) => `  ${each}`),
      ].join("\n"),
    );
    this.name = "VolumesError";
  }
}

/** How volumes that are there become what the config wants of them. */
export interface VolumeGrowth {
  /** Claims that are to become larger, as `vault/data-vault-0 from 1Gi to 2Gi`. */
  readonly larger: readonly string[];
  /** Has the volumes grow in place; they can be in use. */
  readonly grow: () => Promise<void>;
  /**
   * Takes StatefulSets away whose claims are to be larger, and leaves their pods running: Kubernetes changes no claims of one
   * that is there. Whoever installs them makes them again, and they take the pods over. None where none has to go.
   */
  readonly makeWay: (() => Promise<void>) | undefined;
}

/** How long Kubernetes may take to let a StatefulSet's pods go, in milliseconds. */
const orphaningMilliseconds = 60_000;

/**
 * Looks, before anything is touched, whether the volumes that are there can be what the config wants.
 *
 * @throws VolumesError that lists all that cannot, each with what to do
 */
export async function checkVolumes(api: KubeApi, environment: Environment): Promise<VolumeGrowth> {
  const changes = await Promise.all(
    volumesOf(environment).map((volumes) => new VolumesInCluster(api, environment, volumes).changes()),
  );
  const refusals = changes.flatMap((each) => each.refusals);
  if (refusals.length > 0) throw new VolumesError(refusals);
  const grown = changes.flatMap((each) => each.grown);
  const replaced = new Map(changes.flatMap(({ replaced: set }) => (set === undefined ? [] : [[keyOf(set), set]])));
  return {
    larger: grown.map(({ namespace, name, from, to }) => `${namespace}/${name} from ${from} to ${to}`),
    grow: async () => {
      for (const each of grown) await growClaim(api, each);
    },
    makeWay:
      replaced.size === 0
        ? undefined
        : async () => {
            for (const each of replaced.values()) await orphan(api, each);
          },
  };
}

interface Reference {
  readonly namespace: string;
  readonly name: string;
}

interface GrownClaim extends Reference {
  readonly from: string;
  readonly to: string;
}

interface Changes {
  readonly refusals: readonly string[];
  readonly grown: readonly GrownClaim[];
  /** The StatefulSet that claims other volumes than it should. */
  readonly replaced?: Reference | undefined;
}

const noChanges: Changes = { refusals: [], grown: [] };

class VolumesInCluster {
  public constructor(
    private readonly api: KubeApi,
    private readonly environment: Environment,
    private readonly volumes: StackVolumes,
  ) {}

  public async changes(): Promise<Changes> {
    const { size, template } = this.volumes;
    const [claims, claimed] = await Promise.all([this.claims(), this.claimedByTemplate()]);
    if (size === undefined) return claimed === undefined ? noChanges : { refusals: [this.lostTemplate()], grown: [] };
    // Servers that were made without a volume never get one.
    if (template !== undefined && claimed === undefined && claims.length === 0) return noChanges;
    const found = await Promise.all(claims.map((claim) => this.change(claim, size)));
    const refusals = [...found.flatMap((each) => each.refusals), ...this.templateRefusals(claimed)];
    const isOther = claimed !== undefined && !this.isWanted(claimed);
    return {
      refusals,
      grown: found.flatMap((each) => each.grown),
      replaced: isOther ? { namespace: this.volumes.namespace, name: template!.statefulSet } : undefined,
    };
  }

  private async claims(): Promise<readonly V1PersistentVolumeClaim[]> {
    const core = this.api.config.makeApiClient(this.api.client.CoreV1Api);
    const { items } = await core.listNamespacedPersistentVolumeClaim({ namespace: this.volumes.namespace });
    return items.filter(
      ({ metadata }) => metadata?.deletionTimestamp === undefined && this.volumes.claims.test(metadata!.name!),
    );
  }

  private async claimedByTemplate(): Promise<V1PersistentVolumeClaim["spec"]> {
    const { template, namespace } = this.volumes;
    if (template === undefined) return undefined;
    const apps = this.api.config.makeApiClient(this.api.client.AppsV1Api);
    const found = await this.api.find(apps.readNamespacedStatefulSet({ namespace, name: template.statefulSet }));
    return found?.spec?.volumeClaimTemplates?.find(({ metadata }) => metadata?.name === template.name)?.spec;
  }

  private isWanted(claimed: NonNullable<V1PersistentVolumeClaim["spec"]>): boolean {
    const { size, storageClass } = this.volumes;
    return isSame(sizeOf(claimed), size!) && claimed.storageClassName === storageClass;
  }

  private templateRefusals(claimed: V1PersistentVolumeClaim["spec"]): string[] {
    const { key, storageClass } = this.volumes;
    const given = claimed?.storageClassName;
    if (given === undefined || storageClass !== undefined) return [];
    return [`${key}.storageClass: was ${given}, and a volume keeps its storage class: write ${given}`];
  }

  private lostTemplate(): string {
    const { key, template } = this.volumes;
    return (
      `${key}.enabled: false, and the servers of ${template!.statefulSet} have a volume for it that Vault writes to: leave ` +
      "enabled out"
    );
  }

  private async change(claim: V1PersistentVolumeClaim, size: string): Promise<Changes> {
    const { key, namespace, storageClass } = this.volumes;
    const { name } = claim.metadata as { name: string };
    const present = claim.spec?.storageClassName;
    const what = `the volume claim ${name} of namespace ${namespace}`;
    if (storageClass !== undefined && present !== storageClass) {
      const fix = present === undefined || present === "" ? "leave it out" : `write ${present}`;
      return refusal(`${key}.storageClass: "${storageClass}": ${what} has ${present ?? "none"} for ever: ${fix}`);
    }
    const from = sizeOf(claim.spec);
    if (isSame(from, size)) return noChanges;
    const back = `write ${from}`;
    if (mebibytes(from)! > mebibytes(size)!) {
      return refusal(`${key}.size: "${size}": ${what} has ${from}, and no volume shrinks: ${back}`);
    }
    if (claim.status?.phase !== "Bound") {
      return refusal(
        `${key}.size: "${size}": ${what} has no volume yet, and cannot change before it has one: ${back} until a pod has ` +
          "mounted it",
      );
    }
    const wayOut = await this.whyNotLarger(present);
    if (wayOut !== undefined) return refusal(`${key}.size: "${size}": ${what} has ${from}, ${wayOut}; or ${back}`);
    return { refusals: [], grown: [{ namespace, name, from, to: size }] };
  }

  /** Why volumes of a class cannot grow, and what helps; undefined where they can. */
  private async whyNotLarger(name: string | undefined): Promise<string | undefined> {
    const storage = this.api.config.makeApiClient(this.api.client.StorageV1Api);
    const found =
      name === undefined || name === "" ? undefined : await this.api.find(storage.readStorageClass({ name }));
    if (found?.allowVolumeExpansion === true) return undefined;
    const move = this.volumes.key.startsWith("vault.")
      ? `else move to new volumes as docs/backup.md says (${ownCommand("vault:restore", this.environment)})`
      : "else move to another database";
    if (found === undefined) return `and no storage class that lets it grow: ${move}`;
    return (
      `and its storage class ${name!} lets no volume grow: where the storage can, have the class' owner set ` +
      `allowVolumeExpansion: true; ${move}`
    );
  }
}

function refusal(text: string): Changes {
  return { refusals: [text], grown: [] };
}

function sizeOf(spec: V1PersistentVolumeClaim["spec"]): string {
  return spec?.resources?.requests?.storage ?? "0";
}

function isSame(one: string, other: string): boolean {
  return mebibytes(one) === mebibytes(other);
}

function keyOf({ namespace, name }: Reference): string {
  return `${namespace}/${name}`;
}

async function growClaim(api: KubeApi, { namespace, name, to }: GrownClaim): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const body = { spec: { resources: { requests: { storage: to } } } };
  await core.patchNamespacedPersistentVolumeClaim(
    { namespace, name, body },
    api.client.setHeaderOptions("Content-Type", api.client.PatchStrategy.MergePatch),
  );
}

/** Deletes a StatefulSet alone: its pods, and the claims that it owns, stay. */
async function orphan(api: KubeApi, { namespace, name }: Reference): Promise<void> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const read = () => api.find(apps.readNamespacedStatefulSet({ namespace, name }));
  await api.find(apps.deleteNamespacedStatefulSet({ namespace, name, propagationPolicy: "Orphan" }));
  const isGone = await waitUntil(async () => (await read()) === undefined, Date.now() + orphaningMilliseconds);
  if (!isGone) throw new Error(`StatefulSet ${namespace}/${name} does not let its pods go: run up again`);
}
