/**
 * cdk8s constructs: any workload with its secrets, and Aidbox with all that belongs to it. No Pulumi.
 *
 * @module aidbox-secrets/kubernetes
 */
export * from "./aidbox";
export * from "./aidbox-chart";
export type { AnyVersion, Used } from "./any-version";
export * from "./app-secrets";
export type { DatabaseConnection, DatabaseTls } from "./database";
export * from "./init-bundle-config";
export type { InitResources } from "./init-resources";
export * from "./monitoring";
export * from "./namespace";
export * from "./network";
export * from "./postgres";
export * from "./republisher";
export {
  type GivenClassOptions,
  namePublishSecret,
  pathOfVolume,
  SecretProviderClass,
  type SecretMount,
  type SecretProviderClassProps,
  secretsVolume,
  type SyncedSecretOptions,
} from "./secret-provider-class";
export type { ImageSource } from "../images";
export * from "./vault-config";
export * from "./site";
