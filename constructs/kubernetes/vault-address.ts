/** URL of the Vault of a HashiCorp chart's release, as seen from the cluster's pods. */
export function vaultServiceAddress(releaseName: string, namespace: string, tls = false): string {
  return `${tls ? "https" : "http"}://${releaseName}.${namespace}:8200`;
}

/** File of the CSI provider's container with the CA of Vault's certificate, where the stack mounts one. */
export const vaultCaCertPath = "/vault/ca/ca.crt";

/** Names of the objects of the TLS of a HashiCorp chart's release. */
export function vaultTlsNames(releaseName: string): {
  readonly server: string;
  readonly ca: string;
  readonly caKey: string;
} {
  return { server: `${releaseName}-tls`, ca: `${releaseName}-ca`, caKey: `${releaseName}-ca-key` };
}
