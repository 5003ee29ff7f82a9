export * from "./aws/aws-csi-provider";
export * from "./azure/azure-csi-provider";
export * from "./azure/azure-key-vault";
export { type AzureNative, MissingAzureNativeError } from "./azure/azure-native";
export * from "./csi-driver";
export type { DaemonSetReference, HelmChart } from "./helm-chart";
export { csiDriverName, releaseMarkName } from "./names";
export { type MarkedRelease, repairKey } from "./release-mark";
export * from "./vault";
