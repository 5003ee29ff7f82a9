export type { AutoUnseal } from "./auto-unseal";
export * from "./csi-driver";
export type { DaemonSetReference, HelmChart } from "./helm-chart";
export { csiDriverName, csiProviderName, csiProviderReleaseName, releaseMarkName } from "./names";
export { type MarkedRelease, repairKey } from "./release-mark";
export * from "./vault";
export * from "./vault-csi-provider";
export * from "./vault-server";
export * from "./vault-tls";
