import { Size } from "cdk8s";
import {
  type Container,
  type ContainerProps,
  type ContainerSecurityContextProps,
  Cpu,
  type Deployment,
  ImagePullPolicy,
  Protocol,
  Volume,
  type VolumeMount,
} from "cdk8s-plus-28";
import { Construct } from "constructs";
import { type AnyVersion, asOwnVersion } from "../any-version";
import { DatabaseCa } from "../database";
import { secretsVolume } from "../secret-provider-class";
import { addWaiting } from "../wait-for-secrets";
import { containerFolders } from "./container";
import { metricsPortName } from "./defaults";
import { AidboxEnvironment } from "./environment";
import type { Identity } from "./identity";
import { healthProbes } from "./probes";
import type { AidboxProps } from "./props";
import { restricted } from "./security";
import { drainBeforeStop, gracePeriodOf } from "./stop";

export interface AidboxContainersProps {
  readonly deployment: Deployment;
  readonly aidbox: AidboxProps;
  readonly identity: Identity;
  readonly securityContext: ContainerSecurityContextProps;
}

/** The pods' containers: the one that waits for the secrets, Aidbox, and those that the props add. */
export class AidboxContainers extends Construct {
  /** Aidbox's own. */
  public readonly container: Container;
  private readonly deployment: Deployment;
  private readonly securityContext: ContainerSecurityContextProps;

  public constructor(scope: Construct, id: string, props: AidboxContainersProps) {
    super(scope, id);
    const { deployment, aidbox, securityContext } = props;
    const { pod } = aidbox;
    this.deployment = deployment;
    this.securityContext = securityContext;
    const common = {
      image: aidbox.image,
      imagePullPolicy: asOwnVersion<ImagePullPolicy>(aidbox.imagePull?.policy ?? ImagePullPolicy.IF_NOT_PRESENT),
      securityContext,
    };
    const waiting = addWaiting(deployment, aidbox.secrets, common);
    this.container = deployment.addContainer({ ...this.ownContainer(props), ...common });
    this.mountVolumes(aidbox, waiting);
    for (const each of pod?.initContainers ?? []) this.addInitContainer(each);
    for (const each of pod?.sidecars ?? []) this.addSidecar(each);
  }

  public addInitContainer(container: AnyVersion<ContainerProps>): void {
    this.deployment.addInitContainer(this.restricted(container));
  }

  public addSidecar(container: AnyVersion<ContainerProps>): void {
    this.deployment.addContainer(this.restricted(container));
  }

  public addMount(mount: AnyVersion<VolumeMount>): void {
    const { path, volume, ...options } = asOwnVersion<VolumeMount>(mount);
    this.container.mount(path, volume, options);
  }

  private restricted(container: AnyVersion<ContainerProps>): ContainerProps {
    return restricted(asOwnVersion<ContainerProps>(container), this.securityContext);
  }

  private ownContainer({ aidbox, identity }: AidboxContainersProps): Omit<ContainerProps, "image"> {
    const { name, webPort, metricsPort } = identity;
    const environment = new AidboxEnvironment(this, "environment", { ...aidbox, ...identity });
    return {
      name,
      ports: [
        { name: "http", number: webPort, protocol: Protocol.TCP },
        ...(metricsPort === undefined ? [] : [{ name: metricsPortName, number: metricsPort, protocol: Protocol.TCP }]),
      ],
      resources: aidbox.resources ?? {
        cpu: { request: Cpu.millis(500) },
        memory: { request: Size.gibibytes(2), limit: Size.gibibytes(4) },
      },
      ...healthProbes(webPort, aidbox.probes),
      lifecycle: drainBeforeStop(gracePeriodOf(aidbox)),
      ...environment.container,
    };
  }

  private mountVolumes(props: AidboxProps, waiting: readonly Container[]): void {
    const { container } = this;
    const secrets = secretsVolume(this, "secrets", props.secrets);
    for (const each of [...waiting, container]) each.mount(props.secrets.table.mountPath, secrets, { readOnly: true });
    container.mount(
      containerFolders.config,
      Volume.fromConfigMap(this, "vault-config", props.vaultConfig.configMap, {
        name: "vault-config",
      }),
      { readOnly: true },
    );
    if (props.initBundle !== undefined) {
      const { configMap } = props.initBundle;
      const bundle = Volume.fromConfigMap(this, "init-bundle", configMap, { name: "init-bundle" });
      container.mount(containerFolders.initBundle, bundle, { readOnly: true });
    }
    if (props.database !== undefined) new DatabaseCa(this, "database-ca", { container, tls: props.database.tls });
    container.mount(containerFolders.temporary, Volume.fromEmptyDir(this, "tmp", "tmp"));
    for (const each of props.pod?.mounts ?? []) this.addMount(each);
  }
}
