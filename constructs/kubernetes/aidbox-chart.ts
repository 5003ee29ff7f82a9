import { Chart, type ChartProps } from "cdk8s";
import { ServiceAccount } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { flag, label, optional, pathBelow, refuseProps, secretStore, secretTable, shape, texts } from "../check-props";
import type { SecretStore, SecretTable } from "../secrets";
import { Aidbox, type AidboxProps } from "./aidbox";
import { chartAidbox } from "./aidbox/checks";
import { InitBundleConfig } from "./init-bundle-config";
import { type InitResources, initResources } from "./init-resources";
import { aidboxLabels } from "./labels";
import { objectNames } from "./names";
import { Republisher, type RepublisherProps, type RollSchedule } from "./republisher";
import { environmentRoll } from "./republisher/environment-roll";
import { republisherSettings } from "./republisher/republisher";
import { rollSchedule } from "./republisher/roll-schedule";
import { SecretProviderClass, syncedSecret, type SyncedSecretOptions } from "./secret-provider-class";
import { VaultConfig } from "./vault-config";

/** What is said of the pods' ServiceAccount. */
export interface ServiceAccountOptions {
  /** @default - none */
  readonly annotations?: Record<string, string> | undefined;
  /** @default - none */
  readonly labels?: Record<string, string> | undefined;
}

/** What an Aidbox of one namespace is made of. */
export interface AidboxChartProps extends Omit<ChartProps, "namespace"> {
  /** Namespace of everything in the chart; it must exist. */
  readonly namespace: string;
  /**
   * Name of the Deployment, the Service and the ServiceAccount.
   * @default "aidbox"
   */
  readonly name?: string;
  /** The secrets. Policy, class, vault-config.json and volume are made of them. */
  readonly table: SecretTable;
  /** Where the table's secrets lie, and as whom they are read. */
  readonly store: SecretStore;
  /** Aidbox itself; its image is the one thing that must be said. */
  readonly aidbox: Omit<AidboxProps, "name" | "secrets" | "serviceAccount" | "vaultConfig" | "initBundle">;
  /**
   * Resources that Aidbox makes at each start, as Clients that use the table's secrets.
   * @default - none
   */
  readonly initBundle?: InitResources;
  /**
   * Has a change in Vault reach the files sooner than kubelet does by itself.
   * @default - left to kubelet, which takes 60 to 90 s
   */
  readonly republisher?: Pick<RepublisherProps, "interval" | "image" | "priorityClass" | "logFormat" | "allowTo">;
  /**
   * When the Republisher rolls the pods for a change of what they have as environment too; never for a database's password or
   * the pair that signs tokens, which are rolled for at once.
   * @default - once all pods mount the change
   */
  readonly rollSchedule?: RollSchedule;
  /** Further annotations and labels of the ServiceAccount, as a cloud's workload identity wants them. @default - none */
  readonly serviceAccount?: ServiceAccountOptions;
  /** What is said of the Kubernetes Secret with what must be environment. @default - of type Opaque */
  readonly syncedSecret?: SyncedSecretOptions | undefined;
}

const checks = {
  namespace: label,
  name: optional(label),
  labels: optional(texts),
  disableResourceNameHashes: optional(flag),
  table: secretTable,
  store: secretStore,
  serviceAccount: optional(shape<ServiceAccountOptions>({ annotations: optional(texts), labels: optional(texts) })),
  syncedSecret: optional(syncedSecret),
  aidbox: chartAidbox,
  initBundle: optional(initResources),
  republisher: optional(republisherSettings),
  rollSchedule: optional(rollSchedule),
};

/**
 * All of an Aidbox that Kubernetes holds: ServiceAccount, SecretProviderClass, vault-config, Deployment, Service and,
 * where asked for, the Republisher.
 * @example
 * ```ts
 * import { App, Duration } from "cdk8s";
 * import { AidboxChart } from "aidbox-secrets/kubernetes";
 * import { SecretTable } from "aidbox-secrets/secrets";
 * import { VaultStore } from "aidbox-secrets/vault";
 *
 * const app = new App();
 * new AidboxChart(app, "aidbox", {
 *   namespace: "aidbox",
 *   table: new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] }),
 *   store: new VaultStore({ address: "https://vault.example.com", role: "aidbox" }),
 *   republisher: { interval: Duration.seconds(30) },
 *   aidbox: { image: "healthsamurai/aidboxone:2605", replicas: 2 },
 * });
 * app.synth();
 * ```
 */
export class AidboxChart extends Chart {
  /** Deployment and Service, and what leads to them. */
  public readonly aidbox: Aidbox;
  /** What the CSI driver fetches; its `mount` lets further pods of the namespace have the same files. */
  public readonly secretProviderClass: SecretProviderClass;
  /** What Aidbox makes at each start, whose `addResource` has it make more; undefined where nothing was asked for. */
  public readonly initBundle: InitBundleConfig | undefined;
  /** Undefined where nothing is published again. */
  public readonly republisher: Republisher | undefined;

  public constructor(scope: Construct, id: string, props: AidboxChartProps) {
    refuseProps(pathBelow(scope, id), props, checks, () => [
      ...props.store.validate(props.table.rows),
      ...(props.rollSchedule === undefined || props.republisher !== undefined
        ? []
        : [{ key: "rollSchedule", message: "is kept by the Republisher: give republisher too, or leave it out" }]),
    ]);
    super(scope, id, props);
    const name = props.name ?? "aidbox";
    const { table, store } = props;
    const names = objectNames(name, store.provider);

    const serviceAccount = new ServiceAccount(this, "service-account", {
      metadata: {
        name,
        // What the store's identity needs wins: without it no secret is read.
        annotations: { ...props.serviceAccount?.annotations, ...store.identity?.serviceAccountAnnotations },
        labels: { ...props.serviceAccount?.labels, ...store.identity?.serviceAccountLabels },
      },
      automountToken: false,
    });
    this.secretProviderClass = new SecretProviderClass(this, "secret-provider-class", {
      name: names.secretProviderClass,
      table,
      store,
      syncedSecretName: names.syncedSecret,
      syncedSecret: props.syncedSecret,
    });
    const vaultConfig = new VaultConfig(this, "vault-config", {
      name: names.vaultConfig,
      table,
    });
    const initBundle = (this.initBundle =
      props.initBundle &&
      new InitBundleConfig(this, "init-bundle", { ...props.initBundle, name: names.initBundle, table }));

    this.aidbox = new Aidbox(this, "aidbox", {
      ...props.aidbox,
      name,
      secrets: this.secretProviderClass.mount,
      serviceAccount,
      vaultConfig,
      initBundle,
    });
    this.aidbox.deployment.node.addDependency(serviceAccount, this.secretProviderClass, vaultConfig);
    if (initBundle !== undefined) this.aidbox.deployment.node.addDependency(initBundle);
    if (props.republisher !== undefined) {
      this.republisher = new Republisher(this, "republisher", {
        ...props.republisher,
        name: names.republisher,
        namespace: props.namespace,
        podLabels: aidboxLabels(name),
        ...environmentRoll(table, store, {
          deployment: name,
          secretProviderClass: this.secretProviderClass.name,
          schedule: props.rollSchedule,
        }),
      });
    }
  }
}
