export * from "./csi-driver";
export type { DaemonSetReference, HelmChart } from "./helm-chart";
export * from "./vault";
