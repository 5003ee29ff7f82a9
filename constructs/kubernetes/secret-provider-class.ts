import { ApiObject, JsonPatch } from "cdk8s";
import { Volume } from "cdk8s-plus-28";
import { Construct, type IConstruct } from "constructs";
import {
  SecretProviderClass as KubeSecretProviderClass,
  type SecretProviderClassSpecSecretObjects,
} from "../../imports/secrets-store.csi.x-k8s.io";
import { flag, optional, refuseProps, secretStore, secretTable, shape, text, texts } from "../check-props";
import type { Problem, SecretStore, SecretTable, StoreIdentity } from "../secrets";
import { objectNames, secretsStoreDriver } from "./names";

/** Which secrets, and from where. */
export interface SecretProviderClassProps {
  /** @default - `aidbox-PROVIDER-secrets`, as "aidbox-vault-secrets" */
  readonly name?: string;
  /** The secrets; those with `environment` are synced to the Kubernetes Secret too. */
  readonly table: SecretTable;
  /** Where the table's secrets lie, and as whom they are read. */
  readonly store: SecretStore;
  /**
   * Name of the Kubernetes Secret that takes what must be environment.
   * @default "aidbox-environment"
   */
  readonly syncedSecretName?: string;
  /** What else is said of that Secret. @default - of type Opaque, without labels and annotations */
  readonly syncedSecret?: SyncedSecretOptions | undefined;
}

/** What is said of the Kubernetes Secret with what must be environment. */
export interface SyncedSecretOptions {
  /** One that is there already keeps its type. @default "Opaque" */
  readonly type?: string | undefined;
  /** @default - those of the driver alone */
  readonly labels?: Record<string, string> | undefined;
  /** @default - none */
  readonly annotations?: Record<string, string> | undefined;
}

/** A table's secrets, as pods mount them. Of a class that is there already: `SecretProviderClass.fromClassName`. */
export interface SecretMount {
  /** Tells the folder, the files, and which of them are environment too. */
  readonly table: SecretTable;
  /** Name of the SecretProviderClass. */
  readonly className: string;
  /** Name of the pods' volume. @default "vault-secrets" */
  readonly volumeName?: string;
  /** Name of the Kubernetes Secret with what is environment; there is none where nothing is. */
  readonly syncedSecretName: string;
  /**
   * Whether the store reads all keys of a path at once. Where it does not, an init container waits until the halves of each
   * keypair belong to each other.
   * @default true
   */
  readonly mountsPathsWhole?: boolean;
  /** What the store's identity wants of the pods and their ServiceAccount. @default - nothing */
  readonly identity?: StoreIdentity;
}

/** What a class that is there already holds. */
export interface GivenClassOptions extends Omit<SecretMount, "className" | "syncedSecretName"> {
  /**
   * Name of the Kubernetes Secret with what is environment.
   * @default "aidbox-environment"
   */
  readonly syncedSecretName?: string;
}

const defaultSyncedSecret = "aidbox-environment";

/**
 * Tells the Secrets Store CSI driver what to fetch from a store for the table, and what to sync to a Kubernetes Secret.
 *
 * @throws Error that lists all that is wrong with the props, and what the store cannot hold of the table
 */
export class SecretProviderClass extends Construct {
  /**
   * The secrets of a class that is there already, made by somebody else, for the pods that use them.
   *
   * @param name of the class, in the pods' namespace
   * @throws Error that lists all that is wrong with the options
   * @example
   * ```ts
   * import { SecretProviderClass } from "aidbox-secrets/kubernetes";
   * import { SecretTable } from "aidbox-secrets/secrets";
   *
   * const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
   * export const mount = SecretProviderClass.fromClassName("aidbox-vault-secrets", { table });
   * ```
   */
  public static fromClassName(name: string, options: GivenClassOptions): SecretMount {
    refuseProps(`SecretProviderClass.fromClassName("${name}")`, options, givenChecks, () =>
      everyKeyProblems(options.table),
    );
    return { syncedSecretName: defaultSyncedSecret, ...options, className: name };
  }

  /** By which a volume of the namespace refers to it. */
  public readonly name: string;
  /** For the pods that use the secrets. */
  public readonly mount: SecretMount;

  public constructor(scope: Construct, id: string, props: SecretProviderClassProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks, () => [
      ...props.store.validate(props.table.rows),
      ...everyKeyProblems(props.table),
    ]);
    const { table, store, syncedSecretName = defaultSyncedSecret } = props;
    this.name = props.name ?? objectNames("aidbox", store.provider).secretProviderClass;
    this.mount = {
      table,
      className: this.name,
      volumeName: `${store.provider}-secrets`,
      syncedSecretName,
      mountsPathsWhole: store.mountsPathsWhole,
      ...(store.identity === undefined ? {} : { identity: store.identity }),
    };
    new KubeSecretProviderClass(this, "class", {
      metadata: { name: this.name },
      spec: {
        provider: store.provider,
        parameters: { ...store.parameters(table) },
        secretObjects: syncedObjects(table, syncedSecretName, props.syncedSecret),
      },
    });
  }
}

/** What each part of what is said of the Kubernetes Secret is. */
export const syncedSecret = shape<SyncedSecretOptions>({
  type: optional(text),
  labels: optional(texts),
  annotations: optional(texts),
});

const checks = {
  name: optional(text),
  table: secretTable,
  store: secretStore,
  syncedSecretName: optional(text),
  syncedSecret: optional(syncedSecret),
};

const givenChecks = {
  table: secretTable,
  volumeName: optional(text),
  syncedSecretName: optional(text),
  mountsPathsWhole: optional(flag),
  identity: optional(
    shape<StoreIdentity>({
      serviceAccountAnnotations: optional(texts),
      serviceAccountLabels: optional(texts),
      podLabels: optional(texts),
      nodePublishSecretName: optional(text),
    }),
  ),
};

/** What each part of what pods mount is. */
export const secretMount = shape<SecretMount>({ ...givenChecks, className: text, syncedSecretName: text });

/** A class names each file, and YAML is drawn without a look at the store. */
function everyKeyProblems({ rows }: SecretTable): Problem[] {
  return rows.flatMap(({ keys }, index) =>
    keys === "all"
      ? [{ key: `secrets[${index}].keys`, message: '"all": `up` alone looks which there are: list them' }]
      : [],
  );
}

const defaultVolumeName = "vault-secrets";

/** The volume with the secrets' files. */
export function secretsVolume(scope: Construct, id: string, { className, volumeName }: SecretMount): Volume {
  return Volume.fromCsi(scope, id, secretsStoreDriver, {
    name: volumeName ?? defaultVolumeName,
    readOnly: true,
    attributes: { secretProviderClass: className },
  });
}

/**
 * Names the Secret with the provider's credentials on a workload's volume, where the store's identity is one of those:
 * cdk8s-plus has no prop for it. The volume must be in the pods already.
 */
export function namePublishSecret(
  workload: IConstruct,
  { identity, volumeName = defaultVolumeName }: SecretMount,
): void {
  if (identity?.nodePublishSecretName === undefined) return;
  const path = `${pathOfVolume(workload, volumeName)}/csi/nodePublishSecretRef`;
  ApiObject.of(workload).addJsonPatch(JsonPatch.add(path, { name: identity.nodePublishSecretName }));
}

/**
 * Where a workload's manifest has a volume, as a JSON patch says it.
 *
 * @throws Error where it has it not: cdk8s-plus-33 (2.5.57) leaves out the volumes of a StatefulSet without claim templates
 */
export function pathOfVolume(workload: IConstruct, volumeName = defaultVolumeName): string {
  interface PodTemplate {
    readonly spec: {
      readonly template: { readonly spec: { readonly volumes?: readonly { readonly name: string }[] } };
    };
  }
  const { spec } = ApiObject.of(workload).toJson() as { spec: PodTemplate["spec"] & { jobTemplate?: PodTemplate } };
  const { template } = spec.jobTemplate?.spec ?? spec;
  const index = template.spec.volumes?.findIndex(({ name }) => name === volumeName) ?? -1;
  if (index < 0) {
    throw new Error(
      `${workload.node.path}: its cdk8s-plus leaves the volume ${volumeName} out, as cdk8s-plus-33 does of a StatefulSet without ` +
        "volumeClaimTemplates: give it one, or make it with cdk8s-plus-28",
    );
  }
  return `${spec.jobTemplate === undefined ? "/spec" : "/spec/jobTemplate/spec"}/template/spec/volumes/${index}`;
}

function syncedObjects(
  table: SecretTable,
  secretName: string,
  { type = "Opaque", labels, annotations }: SyncedSecretOptions = {},
): SecretProviderClassSpecSecretObjects[] | undefined {
  if (table.synced.length === 0) return undefined;
  return [
    {
      secretName,
      type,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      data: table.synced.map((secret) => ({
        objectName: secret.file,
        key: secret.environment,
      })),
    },
  ];
}
