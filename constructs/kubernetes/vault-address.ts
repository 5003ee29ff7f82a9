/** URL of the Vault of a HashiCorp chart's release, as seen from the cluster's pods. */
export function vaultServiceAddress(releaseName: string, namespace: string): string {
  return `http://${releaseName}.${namespace}:8200`;
}
