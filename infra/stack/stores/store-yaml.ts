import type { App, Chart } from "cdk8s";
import type { WatchedVault } from "../../../constructs/kubernetes/monitoring";
import type { SecretStore } from "../../../constructs/secrets";
import type { Environment } from "../../config/environment";

/** What an environment's YAML has of its store. */
export interface StoreYaml<E extends Environment> {
  /**
   * The store as pods of the environment read it.
   *
   * @param reader whose pods: a database's read its password alone
   * @param address URL of the store as seen from the cluster's pods, where only the deployment knows it
   */
  store(environment: E, reader: "aidbox" | "postgres", address?: string): SecretStore;
  /** Writes what its own deployment has beside Helm releases. @default - nothing */
  chart?(app: App, environment: E): void;
  /** Has it looked at by Prometheus; what is watched, none where it is not the stack's. @default - nothing */
  watch?(chart: Chart, environment: E, certificateEnd: Date | undefined): WatchedVault | undefined;
}
