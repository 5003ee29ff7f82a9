/** Name of the DaemonSet of a release of the CSI driver. */
export function csiDriverName(releaseName: string): string {
  return `${releaseName}-secrets-store-csi-driver`;
}

/** Name of the CSI provider's DaemonSet of a release of Vault. */
export function csiProviderName(releaseName: string): string {
  return `${releaseName}-csi-provider`;
}

/** Name of the ConfigMap that marks a release as one that Pulumi's state has. */
export function releaseMarkName(releaseName: string): string {
  return `${releaseName}-in-pulumi-state`;
}

/** Name of the Kubernetes Secret with the root token of a Vault in dev mode. */
export function devRootTokenName(releaseName: string): string {
  return `${releaseName}-dev-root-token`;
}
