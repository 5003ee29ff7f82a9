import { Duration, Size } from "cdk8s";
import {
  type Container,
  type ContainerResources,
  Cpu,
  FsGroupChangePolicy,
  ImagePullPolicy,
  k8s,
  LabelSelector,
  PersistentVolumeClaim,
  Service,
  ServiceAccount,
  StatefulSet,
  Volume,
} from "cdk8s-plus-28";
import { Construct } from "constructs";
import { each, label, optional, refuseProps, secretStore, secretTable, shape, size, text } from "../../check-props";
import type { Problem, SecretStore, SecretTable } from "../../secrets";
import { securityContexts } from "../aidbox/security";
import type { AnyVersion } from "../any-version";
import { objectNames } from "../names";
import { NetworkGuard, type NetworkPeer } from "../network";
import { peer } from "../network/rules";
import { containerResources } from "../plus-checks";
import { namePublishSecret, SecretProviderClass, secretsVolume } from "../secret-provider-class";
import { waitForFiles } from "../wait-for-files";
import { followPassword } from "./follow-password";
import { findPasswordProblem, passwordFile, passwordTable } from "./password";
import { dataFolder, makeDatabase, postgresPort, serve, socketFolder } from "./server";

/** A PostgreSQL, and who may reach it. */
export interface DevelopmentPostgresProps {
  /**
   * Name of the StatefulSet, of the Service and of the ServiceAccount.
   * @default "aidbox-postgres"
   */
  readonly name?: string;
  /**
   * Image with its tag: the official one on Debian, 17 or later, or one made from it. Those on Alpine have another user.
   * @default "docker.io/library/postgres:17.9"
   */
  readonly image?: string;
  /**
   * Name of the database.
   * @default "aidbox"
   */
  readonly database?: string;
  /**
   * Name of the user, who may do everything.
   * @default "aidbox"
   */
  readonly user?: string;
  /** Aidbox's table, whose row with `environment: BOX_DB_PASSWORD` is the user's password. */
  readonly table: SecretTable;
  /** Where the password lies, read as somebody who may read it alone: `passwordTable`. */
  readonly store: SecretStore;
  /** Who may reach it, as Aidbox's pods; nobody else. It reaches nobody itself. */
  readonly from: readonly NetworkPeer[];
  /** @default Size.gibibytes(1) */
  readonly storage?: Size;
  /**
   * Name of the StorageClass.
   * @default - the cluster's default one
   */
  readonly storageClass?: string;
  /** @default - requests 100m of CPU and 256 MiB, limit 1 GiB, no CPU limit */
  readonly resources?: AnyVersion<ContainerResources>;
}

const userId = 999; // postgres, of the official image on Debian
// The pods' label controller-revision-hash is the name, a dash and ten characters, of 63 that a label may have.
const longestName = 52;

const security = securityContexts({ user: userId });

const settings = {
  image: optional(text),
  database: optional(text),
  user: optional(text),
  table: secretTable,
  store: secretStore,
  from: each(peer),
  storage: optional(size),
  storageClass: optional(text),
  resources: optional(containerResources),
};

const checks = { name: optional(label), ...settings };

/** The server of a chart, which names it. */
export const chartPostgres = shape<Omit<DevelopmentPostgresProps, "name">>(settings);

function findProblems({ name = "", table }: DevelopmentPostgresProps): Problem[] {
  const password = findPasswordProblem(table);
  return [
    ...(name.length > longestName
      ? [{ key: "name", message: `"${name}" has ${name.length} characters: shorten it to ${longestName}` }]
      : []),
    ...(password === undefined ? [] : [{ key: "table", message: password }]),
  ];
}

interface Volumes {
  readonly data: Volume;
  readonly socket: Volume;
  readonly tmp: Volume;
  readonly secrets: Volume;
}

/**
 * One PostgreSQL with storage, for development: no replica, no backup, no TLS. Its password comes from Vault by a login of
 * its own, as a file, and follows a rotation without a restart. The pod passes the `restricted` Pod Security level.
 *
 * The server's own container has no password: a container before it makes the database, and one beside it changes the
 * password over the local socket, which asks for none and is in the pod alone.
 */
export class DevelopmentPostgres extends Construct {
  /** Runs the one pod, which is ready once the password in force is the store's. */
  public readonly statefulSet: StatefulSet;
  /** Leads to port 5432 from inside the cluster. */
  public readonly service: Service;
  /** Fetches the password, and no other secret of the table. */
  public readonly secretProviderClass: SecretProviderClass;
  /** Who may reach it, whose `addSource` lets others do. */
  public readonly networkGuard: NetworkGuard;
  /** Labels by which the pod is found. */
  public readonly labels: Readonly<Record<string, string>>;

  /** @throws Error that lists all that is wrong with the props: a name that is too long, a table without the password */
  public constructor(scope: Construct, id: string, props: DevelopmentPostgresProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks, () => findProblems(props));
    const name = props.name ?? "aidbox-postgres";
    this.labels = { "app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": name };
    const { labels } = this;
    const names = objectNames(name, props.store.provider);
    const password = passwordTable(props.table);

    this.secretProviderClass = new SecretProviderClass(this, "secret-provider-class", {
      name: names.secretProviderClass,
      table: password,
      store: props.store,
      syncedSecretName: names.syncedSecret, // of which nothing is made, since nothing is synced
    });
    const serviceAccount = new ServiceAccount(this, "service-account", {
      metadata: {
        name,
        annotations: props.store.identity?.serviceAccountAnnotations,
        labels: props.store.identity?.serviceAccountLabels,
      },
      automountToken: false,
    });
    this.service = new Service(this, "service", {
      metadata: { name, labels },
      ports: [{ name: "postgres", port: postgresPort, targetPort: postgresPort }],
    });
    for (const [label, value] of Object.entries(labels)) this.service.selectLabel(label, value);
    const claim = this.addClaim(name, props);
    this.networkGuard = new NetworkGuard(this, "network-guard", {
      name,
      podLabels: labels,
      from: [{ peers: props.from, ports: [postgresPort] }],
      to: [],
    });

    this.statefulSet = new StatefulSet(this, "stateful-set", {
      metadata: { name, labels },
      podMetadata: {
        labels: { ...props.store.identity?.podLabels, ...labels },
        annotations: { "kubectl.kubernetes.io/default-container": "postgres" },
      },
      select: false,
      replicas: 1,
      service: this.service,
      serviceAccount,
      automountServiceAccountToken: false,
      securityContext: {
        ...security.pod,
        // Kubelet would open every file to the group at each start, and PostgreSQL refuses such a folder.
        fsGroupChangePolicy: FsGroupChangePolicy.ON_ROOT_MISMATCH,
      },
      terminationGracePeriod: Duration.seconds(60),
    });
    this.statefulSet.select(LabelSelector.of({ labels }));
    this.statefulSet.node.addDependency(serviceAccount, this.secretProviderClass, claim, this.networkGuard);
    this.addContainers(props, password, this.addVolumes(name));
    namePublishSecret(this.statefulSet, this.secretProviderClass.mount);
  }

  // cdk8s-plus' claim takes whole gibibytes alone.
  private addClaim(name: string, { storage = Size.gibibytes(1), storageClass }: DevelopmentPostgresProps): Construct {
    return new k8s.KubePersistentVolumeClaim(this, "claim", {
      metadata: { name, labels: { ...this.labels } },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: storageClass,
        resources: { requests: { storage: k8s.Quantity.fromString(`${storage.toMebibytes()}Mi`) } },
      },
    });
  }

  private addVolumes(name: string): Volumes {
    const claim = PersistentVolumeClaim.fromClaimName(this, "claim-by-name", name);
    return {
      data: Volume.fromPersistentVolumeClaim(this, "data", claim, { name: "data" }),
      socket: Volume.fromEmptyDir(this, "socket", "socket"),
      tmp: Volume.fromEmptyDir(this, "tmp", "tmp"),
      secrets: secretsVolume(this, "secrets", this.secretProviderClass.mount),
    };
  }

  private addContainers(props: DevelopmentPostgresProps, password: SecretTable, volumes: Volumes): void {
    const { image = "docker.io/library/postgres:17.9", database = "aidbox", user = "aidbox" } = props;
    const common = { imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT, securityContext: security.container };
    const file = passwordFile(password);
    const resources = props.resources ?? {
      cpu: { request: Cpu.millis(100) },
      memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
    };

    const waiting = this.statefulSet.addInitContainer({ ...waitForFiles(image, [file]), ...common });
    const making = this.statefulSet.addInitContainer({
      ...makeDatabase({ image, database, user }, file),
      resources,
      ...common,
    });
    const server = this.statefulSet.addContainer({ ...serve({ image, database, user }), resources, ...common });
    const following = this.statefulSet.addContainer({
      ...followPassword({ image, socketFolder, user, database, file }),
      ...common,
    });

    const mount = (containers: readonly Container[], path: string, volume: Volume, readOnly = false): void => {
      for (const container of containers) container.mount(path, volume, { readOnly });
    };
    mount([waiting, making, following], password.mountPath, volumes.secrets, true);
    mount([making, server], dataFolder, volumes.data);
    mount([making, server], socketFolder, volumes.socket);
    mount([following], socketFolder, volumes.socket, true);
    mount([making, server, following], "/tmp", volumes.tmp);
  }
}
