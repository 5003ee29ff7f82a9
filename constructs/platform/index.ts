/**
 * Pulumi components: the CSI driver, Vault, the stores' CSI providers, and what a store's API holds for a table of secrets.
 *
 * @module aidbox-secrets/platform
 */
export * from "./aws/aws-csi-provider";
export * from "./azure/azure-csi-provider";
export * from "./azure/azure-key-vault";
export { type AzureNative, type AzureResource, MissingAzureNativeError } from "./azure/azure-native";
export * from "./csi-driver";
export type { DaemonSetReference, HelmChart } from "./helm-chart";
export * from "./vault";
export type { PlatformSite } from "./site";
