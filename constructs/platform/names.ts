/** Name of the DaemonSet of a release of the CSI driver. */
export function csiDriverName(releaseName: string): string {
  return `${releaseName}-secrets-store-csi-driver`;
}

/** Name of the CSI provider's DaemonSet of a release of Vault. */
export function csiProviderName(releaseName: string): string {
  return `${releaseName}-csi-provider`;
}
