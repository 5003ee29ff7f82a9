export * from "./csi-driver";
export type { HelmChart } from "./helm-chart";
export * from "./vault";
