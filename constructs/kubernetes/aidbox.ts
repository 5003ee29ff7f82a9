import { Duration, Size } from "cdk8s";
import {
  Capability,
  type ContainerResources,
  type ContainerSecurityContextProps,
  Cpu,
  Deployment,
  type DeploymentStrategy,
  EnvValue,
  type HttpGetProbeOptions,
  ImagePullPolicy,
  LabelSelector,
  Probe,
  Protocol,
  SeccompProfileType,
  Secret,
  Service,
  type ServiceAccount,
  Volume,
} from "cdk8s-plus-28";
import { Construct } from "constructs";
import type { Problem, SecretTable } from "../secrets";
import { DatabaseCa, type DatabaseConnection, databaseVariables, findDatabaseProblems } from "./database";
import { aidboxLabels } from "./labels";
import { VaultConfig } from "./vault-config";
import { waitForFiles } from "./wait-for-files";

export interface AidboxProps {
  /**
   * Name of the Deployment, the Service and the container.
   * @default "aidbox"
   */
  readonly name?: string;
  /** Image with its tag or digest, as `healthsamurai/aidboxone:2602`; 2602 or later, for `BOX_VAULT_CONFIG`. */
  readonly image: string;
  /** @default 1 */
  readonly replicas?: number;
  /** @default - requests 500m of CPU and 2 GiB, limit 4 GiB, no CPU limit */
  readonly resources?: ContainerResources;
  /**
   * Plain settings, as `BOX_WEB_BASE_URL`. What is secret belongs into the table, with `environment`.
   * @default - none but those that the secrets need
   */
  readonly environment?: Record<string, string>;
  /**
   * PostgreSQL; its password is the table's row with `environment: BOX_DB_PASSWORD`.
   * @default - what the plain settings and the table say
   */
  readonly database?: DatabaseConnection;
  /**
   * Whether the container's root file system is read-only; `/tmp` is writable either way.
   * @default true
   */
  readonly readOnlyRootFilesystem?: boolean;
  /**
   * TCP port of Aidbox (`BOX_WEB_PORT`) and of the Service.
   * @default 8080
   */
  readonly port?: number;
  /** @default - a quarter of the replicas at a time, Kubernetes' own */
  readonly strategy?: DeploymentStrategy;

  readonly table: SecretTable;
  readonly serviceAccount: ServiceAccount;
  readonly vaultConfig: VaultConfig;
  readonly secretProviderClassName: string;
  /** Kubernetes Secret that the driver syncs the table's environment secrets to. */
  readonly syncedSecretName: string;
}

const userId = 1000; // the image's own user
const imagePullPolicy = ImagePullPolicy.IF_NOT_PRESENT;
const configFolder = "/etc/aidbox"; // and /tmp: `rules.ts` keeps the secrets' folder out of both

/**
 * Aidbox as a Deployment and a Service, its secrets as files of a read-only CSI volume. The pod passes the `restricted`
 * Pod Security level.
 *
 * @throws Error that lists everything that stands in the way of its database
 */
export class Aidbox extends Construct {
  public readonly deployment: Deployment;
  public readonly service: Service;

  public constructor(scope: Construct, id: string, props: AidboxProps) {
    super(scope, id);
    const { table } = props;
    const name = props.name ?? "aidbox";
    const port = props.port ?? 8080;
    const labels = aidboxLabels(name);
    if (props.database !== undefined) this.refuse(findDatabaseProblems(table.secrets, props.environment));

    this.deployment = new Deployment(this, "deployment", {
      metadata: { name, labels },
      podMetadata: {
        labels,
        annotations: {
          "checksum/vault-config": props.vaultConfig.checksum,
          "kubectl.kubernetes.io/default-container": name,
        },
      },
      select: false,
      replicas: props.replicas ?? 1,
      strategy: props.strategy,
      serviceAccount: props.serviceAccount,
      automountServiceAccountToken: false,
      securityContext: {
        ensureNonRoot: true,
        user: userId,
        group: userId,
        fsGroup: userId,
      },
    });
    this.deployment.select(LabelSelector.of({ labels }));

    const secrets = Volume.fromCsi(this, "secrets", "secrets-store.csi.k8s.io", {
      name: "vault-secrets",
      readOnly: true,
      attributes: { secretProviderClass: props.secretProviderClassName },
    });
    const securityContext: ContainerSecurityContextProps = {
      ensureNonRoot: true,
      user: userId,
      group: userId,
      readOnlyRootFilesystem: props.readOnlyRootFilesystem ?? true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: [Capability.ALL] },
      seccompProfile: { type: SeccompProfileType.RUNTIME_DEFAULT },
    };
    const files = table.secrets.map((secret) => table.filePath(secret));
    const init = this.deployment.addInitContainer({
      ...waitForFiles(props.image, files),
      imagePullPolicy,
      securityContext,
    });
    const health = (options: HttpGetProbeOptions): Probe =>
      Probe.fromHttpGet("/health", {
        port,
        timeoutSeconds: Duration.seconds(5),
        ...options,
      });
    const container = this.deployment.addContainer({
      name,
      image: props.image,
      imagePullPolicy,
      ports: [{ name: "http", number: port, protocol: Protocol.TCP }],
      resources: props.resources ?? {
        cpu: { request: Cpu.millis(500) },
        memory: { request: Size.gibibytes(2), limit: Size.gibibytes(4) },
      },
      securityContext,
      startup: health({
        periodSeconds: Duration.seconds(1),
        failureThreshold: 300,
      }),
      readiness: health({
        periodSeconds: Duration.seconds(5),
        failureThreshold: 2,
      }),
      liveness: health({
        periodSeconds: Duration.seconds(10),
        failureThreshold: 6,
      }),
      envVariables: this.environment(props, port),
    });

    for (const each of [init, container]) each.mount(table.mountPath, secrets, { readOnly: true });
    container.mount(
      configFolder,
      Volume.fromConfigMap(this, "vault-config", props.vaultConfig.configMap, {
        name: "vault-config",
      }),
      { readOnly: true },
    );
    container.mount("/tmp", Volume.fromEmptyDir(this, "tmp", "tmp"));
    if (props.database !== undefined) new DatabaseCa(this, "database-ca", { container, tls: props.database.tls });

    this.service = new Service(this, "service", {
      metadata: { name, labels },
      ports: [{ name: "http", port, targetPort: port }],
    });
    for (const [label, value] of Object.entries(labels)) this.service.selectLabel(label, value);
  }

  private refuse(problems: readonly Problem[]): void {
    if (problems.length === 0) return;
    throw new Error(
      [
        `The props of ${this.node.path} are not valid:`,
        ...problems.map(({ key, message }) => `  ${key}: ${message}`),
      ].join("\n"),
    );
  }

  private environment(props: AidboxProps, port: number): Record<string, EnvValue> {
    const synced = Secret.fromSecretName(this, "synced", props.syncedSecretName);
    return {
      ...mapValues(props.environment ?? {}, (value) => EnvValue.fromValue(value)),
      ...Object.fromEntries(
        props.table.synced.map(({ environment }) => [
          environment,
          EnvValue.fromSecretValue({ secret: synced, key: environment }),
        ]),
      ),
      ...mapValues(props.database === undefined ? {} : databaseVariables(props.database), (value) =>
        EnvValue.fromValue(value),
      ),
      BOX_WEB_PORT: EnvValue.fromValue(String(port)),
      BOX_VAULT_CONFIG: EnvValue.fromValue(`${configFolder}/${VaultConfig.file}`),
      // The guide's way, from before vault-config.json; how the two meet is undocumented, so both are set.
      AIDBOX_SECRET_FILES_ENABLED: EnvValue.fromValue("true"),
      AIDBOX_SECRET_FILES_DIRS: EnvValue.fromValue(props.table.mountPath),
    };
  }
}

function mapValues<V, W>(record: Record<string, V>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
