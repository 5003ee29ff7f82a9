/** Name of the DaemonSet of a release of the CSI driver. */
export function csiDriverName(releaseName: string): string {
  return `${releaseName}-secrets-store-csi-driver`;
}

/** Name of the release of the CSI provider beside a release of Vault; both make objects of the whole cluster. */
export function csiProviderReleaseName(vaultReleaseName: string): string {
  return `${vaultReleaseName}-node`;
}

/** Name of the CSI provider's DaemonSet, and of its ServiceAccount, of a release of HashiCorp's chart. */
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
