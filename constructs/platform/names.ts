/** Name of the DaemonSet of a release of the CSI driver. */
export function csiDriverName(releaseName: string): string {
  return `${releaseName}-secrets-store-csi-driver`;
}

/** Name of the ConfigMap that marks a release as one that Pulumi's state has. */
export function releaseMarkName(releaseName: string): string {
  return `${releaseName}-in-pulumi-state`;
}
