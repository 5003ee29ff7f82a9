export * from "./csi-driver";
export type { DaemonSetReference, HelmChart } from "./helm-chart";
export { type MarkedRelease, releaseMarkName } from "./release-mark";
export * from "./vault";
