import { Chart, type Duration } from "cdk8s";
import {
  type Container,
  EnvValue,
  ImagePullPolicy,
  type ISecret,
  Secret,
  type ServiceAccount,
  type Volume,
  type Workload,
} from "cdk8s-plus-28";
import { Construct, type IConstruct } from "constructs";
import { duration, each, like, optional, refuseProps, secretStore, secretTable, text } from "../check-props";
import type { Problem, SecretStore, SecretTable } from "../secrets";
import { assertMayAdd } from "./additions";
import type { AnyVersion, Used } from "./any-version";
import { objectNames } from "./names";
import { construct } from "./plus-checks";
import { Republisher, type RepublisherProps, type RollSchedule } from "./republisher";
import { environmentRoll } from "./republisher/environment-roll";
import { republisherOptions } from "./republisher/republisher";
import { rollSchedule } from "./republisher/roll-schedule";
import { namePublishSecret, pathOfVolume, SecretProviderClass, secretsVolume } from "./secret-provider-class";
import { waitingContainerName } from "./wait-for-files";
import { addWaiting } from "./wait-for-secrets";

/** A container of cdk8s-plus, of any version. */
export type SecretContainer = AnyVersion<Pick<Container, "image" | "env" | "mount" | "securityContext">>;

/** Who gets which secrets, and from where. */
export interface AppSecretsProps {
  /**
   * Who gets the secrets: a Deployment, StatefulSet, DaemonSet, Job or CronJob of cdk8s-plus, with its containers in it already.
   * Objects beside it are named after it, so its `metadata.name` must be said.
   */
  readonly workload: Used<
    Workload,
    | "name"
    | "kind"
    | "containers"
    | "podMetadata"
    | "securityContext"
    | "serviceAccount"
    | "addInitContainer"
    | "addVolume"
  >;
  /** The secrets; in the synced Kubernetes Secret are those with `environment`. */
  readonly table: SecretTable;
  /** Where the table's secrets lie, and as whom they are read: the workload's ServiceAccount. */
  readonly store: SecretStore;
  /**
   * Containers that see the secrets.
   * @default - all that the workload has
   */
  readonly containers?: readonly SecretContainer[];
  /**
   * Image with a shell, in which an init container waits for the files, as a user who is not root.
   * @default - that of the workload's first container
   */
  readonly waitImage?: string;
  /**
   * Has a change in the store reach the files within this time and some 3 s, and rolls a Deployment whose environment changed.
   * @default - left to kubelet, which takes 60 to 90 s, and rolls nothing
   */
  readonly republishEvery?: Duration;
  /** Further options of the Republisher. @default - its own */
  readonly republisher?: Pick<RepublisherProps, "image" | "priorityClass" | "logFormat" | "allowTo">;
  /** When a Deployment is rolled for a changed environment. @default - once all pods mount the change */
  readonly rollSchedule?: RollSchedule;
}

/**
 * Gives any workload its secrets from a store: files in a read-only CSI volume, variables from a synced Kubernetes Secret, and an
 * init container without which it does not start.
 *
 * @throws Error that lists all that is wrong with the props, and what the store cannot hold of the table
 * @example
 * ```ts
 * import { App, Chart } from "cdk8s";
 * import { Deployment } from "cdk8s-plus-28";
 * import { AppSecrets } from "aidbox-secrets/kubernetes";
 * import { SecretTable } from "aidbox-secrets/secrets";
 * import { VaultStore } from "aidbox-secrets/vault";
 *
 * const app = new App();
 * const chart = new Chart(app, "keycloak", { namespace: "keycloak" });
 * const workload = new Deployment(chart, "keycloak", { metadata: { name: "keycloak" } });
 * workload.addContainer({ image: "quay.io/keycloak/keycloak:26.4" });
 * new AppSecrets(chart, "secrets", {
 *   workload,
 *   table: new SecretTable({ secrets: [{ name: "admin-password", path: "keycloak/admin" }] }),
 *   store: new VaultStore({ address: "https://vault.example.com", role: "keycloak" }),
 * });
 * app.synth();
 * ```
 */
export class AppSecrets extends Construct {
  /** What the CSI driver fetches; its `mount` lets further pods of the namespace have the same files. */
  public readonly secretProviderClass: SecretProviderClass;
  /** Undefined where nothing is published again. */
  public readonly republisher: Republisher | undefined;
  private readonly workload: Workload;
  private readonly volume: Volume;
  private readonly synced: ISecret;
  /** Those that see the secrets. */
  private readonly containers: SecretContainer[] = [];

  public constructor(scope: Construct, id: string, props: AppSecretsProps) {
    super(scope, id);
    const { namespace } = Chart.of(this);
    refuseProps(this.node.path, props, checks, () => [
      ...props.store.validate(props.table.rows),
      ...placeProblems(props, namespace),
    ]);
    const { table, store } = props;
    const workload = props.workload as unknown as Workload;
    this.workload = workload;
    const containers = (props.containers as unknown as readonly Container[] | undefined) ?? workload.containers;
    const names = objectNames(workload.name, store.provider);
    this.secretProviderClass = new SecretProviderClass(this, "class", {
      name: names.secretProviderClass,
      table,
      store,
      syncedSecretName: names.syncedSecret,
    });
    const { mount } = this.secretProviderClass;
    this.volume = secretsVolume(this, "volume", mount);
    this.synced = Secret.fromSecretName(this, "synced", mount.syncedSecretName);
    this.addWaiting(containers[0]!, props.waitImage);
    for (const each of containers) this.give(each);
    pathOfVolume(workload, mount.volumeName);
    namePublishSecret(workload, mount);
    markIdentity(workload, store);
    workload.node.addDependency(this.secretProviderClass);
    this.republisher =
      props.republishEvery &&
      this.addRepublisher(props, props.republishEvery, { name: names.republisher, namespace: namespace! });
  }

  /**
   * Lets a further container of the workload see the secrets, one that was added to it later: its files and its variables.
   *
   * @throws Error with the construct's path where it sees them already, is none of the workload's, or comes too late
   */
  public addContainer(container: SecretContainer): void {
    const further = (): Problem[] => {
      if (this.containers.includes(container))
        return [{ key: "container", message: "sees the secrets already: leave it out" }];
      const own: readonly unknown[] = this.workload.containers;
      return own.includes(container)
        ? []
        : [{ key: "container", message: `is none of ${this.workload.node.path}: add it to that first` }];
    };
    assertMayAdd(this, { what: "container", value: container, check: secretContainer, further });
    this.give(container);
  }

  private addWaiting(first: Container, waitImage: string | undefined): void {
    const { mount } = this.secretProviderClass;
    const waiting = addWaiting(this.workload, mount, {
      image: waitImage ?? first.image,
      imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
      securityContext: { user: waitingUser(this.workload, first, waitImage) },
    });
    for (const each of waiting) each.mount(mount.table.mountPath, this.volume, { readOnly: true });
  }

  /** Mounts the files in a container, and sets its variables. */
  private give(container: SecretContainer): void {
    const { table } = this.secretProviderClass.mount;
    const own = container as unknown as Container;
    own.mount(table.mountPath, this.volume, { readOnly: true });
    for (const { environment } of table.synced) {
      own.env.addVariable(environment, EnvValue.fromSecretValue({ secret: this.synced, key: environment }));
    }
    this.containers.push(container);
  }

  private addRepublisher(
    props: AppSecretsProps,
    every: Duration,
    place: Pick<RepublisherProps, "name" | "namespace">,
  ): Republisher {
    const { table, store } = props;
    const workload = props.workload as unknown as Workload;
    // The pods' own label: those that a user gave may be changed.
    workload.podMetadata.addLabel(mountsLabel, this.secretProviderClass.name);
    return new Republisher(this, "republisher", {
      ...props.republisher,
      ...place,
      interval: every,
      podLabels: { [mountsLabel]: this.secretProviderClass.name },
      ...(workload.kind === "Deployment" &&
        environmentRoll(table, store, {
          deployment: workload.name,
          secretProviderClass: this.secretProviderClass.name,
          schedule: props.rollSchedule,
        })),
    });
  }
}

const secretContainer = like(["image", "env", "mount"], "give a container of the workload");

const checks = {
  workload: construct(
    ["containers", "podMetadata", "addInitContainer", "addVolume"],
    "give a workload of cdk8s-plus, as a Deployment",
  ),
  table: secretTable,
  store: secretStore,
  containers: optional(each(secretContainer)),
  waitImage: optional(text),
  republishEvery: optional(duration),
  republisher: optional(republisherOptions),
  rollSchedule: optional(rollSchedule),
};

/** What the workload and its chart lack. */
function placeProblems(props: AppSecretsProps, namespace: string | undefined): Problem[] {
  const { workload, containers = workload.containers, republishEvery } = props;
  const own: readonly unknown[] = workload.containers;
  const foreign = containers.flatMap((each, index) => (own.includes(each) ? [] : [index]));
  return [
    ...foreign.map((index) => ({
      key: `containers[${index}]`,
      message: `is none of ${workload.node.path}: add it to that first`,
    })),
    ...(hasSecrets(workload)
      ? [{ key: "workload", message: `${workload.node.path}: has secrets already: write all rows into one table` }]
      : []),
    ...(containers.length > 0
      ? []
      : [{ key: "workload", message: `${workload.node.path}: has no container yet: add it before its secrets` }]),
    ...(republishEvery === undefined || namespace !== undefined
      ? []
      : [{ key: "republishEvery", message: "the Republisher works in one namespace: give the chart its namespace" }]),
  ];
}

/** By the container that waits for them. */
function hasSecrets(workload: IConstruct): boolean {
  const { initContainers } = workload as unknown as Workload;
  return initContainers.some(({ name }) => name === waitingContainerName);
}

const nobody = 65_534;

/** Whoever waits is not root; undefined where the image says, or the pod, who it is. */
function waitingUser(
  workload: Workload,
  { securityContext }: Container,
  waitImage: string | undefined,
): number | undefined {
  const user = securityContext.user ?? workload.securityContext.user;
  if (user === 0) return nobody;
  if (user !== undefined) return securityContext.user;
  return waitImage === undefined && securityContext.ensureNonRoot ? undefined : nobody;
}

/** Label of the pods that a Republisher finds its pods by. */
const mountsLabel = "aidbox-secrets/mounts";

/** Says of the workload's pods and of their ServiceAccount what the store's identity needs. */
function markIdentity(workload: Workload, { identity }: SecretStore): void {
  for (const [key, value] of Object.entries(identity?.podLabels ?? {})) workload.podMetadata.addLabel(key, value);
  const { serviceAccount } = workload;
  if (serviceAccount === undefined || !("metadata" in serviceAccount)) return; // one of another chart
  const { metadata } = serviceAccount as ServiceAccount;
  const { serviceAccountAnnotations = {}, serviceAccountLabels = {} } = identity ?? {};
  for (const [key, value] of Object.entries(serviceAccountAnnotations)) metadata.addAnnotation(key, value);
  for (const [key, value] of Object.entries(serviceAccountLabels)) metadata.addLabel(key, value);
}
