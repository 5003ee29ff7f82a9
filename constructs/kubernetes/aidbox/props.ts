import type { ContainerResources, DeploymentStrategy, ImagePullPolicy, ServiceAccount } from "cdk8s-plus-28";
import type { AnyVersion, Used } from "../any-version";
import type { DatabaseConnection } from "../database";
import type { InitBundleConfig } from "../init-bundle-config";
import type { SecretMount } from "../secret-provider-class";
import type { VaultConfig } from "../vault-config";
import type { AutoscalingOptions } from "./autoscaler";
import type { DisruptionBudgetOptions } from "./disruption-budget";
import type { GatewayRouteOptions } from "./gateway-route";
import type { IngressOptions } from "./ingress";
import type { NetworkPolicyOptions } from "./network-policy";
import type { PlacementOptions } from "./placement";
import type { EnvironmentSources, PlainEnvironment } from "./plain-environment";
import type { PodOptions } from "./pod";
import type { HealthProbeOptions } from "./probes";
import type { SecurityOptions } from "./security";
import type { ServiceOptions } from "./service";
import type { ServiceMonitorOptions } from "./service-monitor";

/** How nodes get the image. */
export interface ImagePullOptions {
  /** @default "IfNotPresent", since the image is pinned */
  readonly policy?: AnyVersion<ImagePullPolicy>;
  /**
   * Names of the Kubernetes Secrets with the registry's credentials.
   * @default - none
   */
  readonly secrets?: readonly string[];
}

/** An Aidbox. What must be said is the image, the secrets, the ServiceAccount and vault-config.json. */
export interface AidboxProps {
  /**
   * Name of the Deployment, of its container, and of all that leads to it.
   * @default "aidbox"
   */
  readonly name?: string;
  /** Image with its tag or digest, as `healthsamurai/aidboxone:2605`; 2602 or later, for `BOX_VAULT_CONFIG`. */
  readonly image: string;
  /** @default - where the node lacks it, without credentials */
  readonly imagePull?: ImagePullOptions;

  /**
   * Number of pods; not beside `autoscaling`.
   * @default 1
   */
  readonly replicas?: number;
  /** @default - a fixed number of pods */
  readonly autoscaling?: AutoscalingOptions;
  /** @default - where there are several pods, a node's drain takes one at a time */
  readonly disruptionBudget?: DisruptionBudgetOptions;
  /**
   * Pods that run at most, those that start or stop in a roll counted, for a licence that counts instances (`max-instances`).
   * One more than the replicas, a roll goes on with a pod less; two or more, with none less; none more, it stops all pods before
   * it starts others. A pod that is evicted or deleted by hand is replaced while it stops: leave an instance for it.
   * @default - no bound
   */
  readonly maxInstances?: number;
  /**
   * Not beside `maxInstances`.
   * @default - no pod is missing while it is replaced, a quarter of the replicas at a time; as `maxInstances` allows
   */
  readonly strategy?: AnyVersion<DeploymentStrategy>;
  /** @default - several pods are spread over nodes and zones, as far as possible */
  readonly placement?: PlacementOptions;

  /** @default - requests 500m of CPU and 2 GiB, limit 4 GiB, no CPU limit */
  readonly resources?: AnyVersion<ContainerResources>;
  /** @default - five minutes to start, then a minute to answer */
  readonly probes?: HealthProbeOptions;
  /**
   * Plain settings, as `BOX_FHIR_COMPLIANT_MODE`. What is secret belongs into the table, with `environment`.
   * @default - those that the secrets need, and `BOX_WEB_BASE_URL` of the ingress' or the route's first host
   */
  readonly environment?: PlainEnvironment;
  /**
   * PostgreSQL; its password is the table's row with `environment: BOX_DB_PASSWORD`.
   * @default - what the plain settings and the table say
   */
  readonly database?: DatabaseConnection;
  /** @default - none */
  readonly environmentFrom?: EnvironmentSources;
  /** @default - the user of the image, and the `restricted` Pod Security level */
  readonly security?: SecurityOptions;
  /** @default - nothing more */
  readonly pod?: PodOptions;
  /**
   * Annotations of the Deployment itself.
   * @default - none
   */
  readonly annotations?: Record<string, string>;

  /**
   * TCP port of Aidbox (`BOX_WEB_PORT`).
   * @default 8080
   */
  readonly port?: number;
  /** @default - a ClusterIP on Aidbox's port */
  readonly service?: ServiceOptions;
  /** @default - none: Aidbox is reached inside the cluster only */
  readonly ingress?: IngressOptions;
  /** @default - none: Aidbox is reached inside the cluster only */
  readonly gatewayRoute?: GatewayRouteOptions;
  /**
   * TCP port of Aidbox's metrics (`BOX_METRICS_PORT`), and of the Service that leads to them.
   * @default - 8765 where there is a `serviceMonitor`, else Aidbox serves no metrics
   */
  readonly metricsPort?: number;
  /** @default - none */
  readonly serviceMonitor?: ServiceMonitorOptions;
  /** @default - none: the pods reach all, and all reach them */
  readonly networkPolicy?: NetworkPolicyOptions;

  /** The secrets that the pods mount: `mount` of a SecretProviderClass. */
  readonly secrets: SecretMount;
  /** By whose token the store's provider reads the secrets: the account that the store's role is bound to. */
  readonly serviceAccount: Used<ServiceAccount, "name">;
  /** Tells Aidbox the name and scope of each file; a changed one rolls the pods. */
  readonly vaultConfig: VaultConfig;
  /**
   * Resources that Aidbox makes at each start.
   * @default - none
   */
  readonly initBundle?: InitBundleConfig;
}
