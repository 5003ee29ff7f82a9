import { flag, refuseArguments, text } from "../../check-props";

/**
 * URL of the Vault of a HashiCorp chart's release, as seen from the cluster's pods.
 *
 * @throws Error that lists all that is wrong with the arguments
 */
export function vaultServiceAddress(releaseName: string, namespace: string, tls = false): string {
  const checks = { releaseName: text, namespace: text, tls: flag };
  refuseArguments("vaultServiceAddress", { releaseName, namespace, tls }, checks);
  return `${tls ? "https" : "http"}://${releaseName}.${namespace}:8200`;
}

/** File of the CSI provider's container with the CA of Vault's certificate, where the stack mounts one. */
export const vaultCaCertPath = "/vault/ca/ca.crt";

/** Where a VaultCsiProvider has the certificate by which it shows who asks, and its key. */
export const vaultClientCertificate = {
  /** The certificate, PEM. */
  certPath: "/vault/client/tls.crt",
  /** Its key, PEM. */
  keyPath: "/vault/client/tls.key",
};

/** Names of the objects of the TLS of a HashiCorp chart's release. */
export function vaultTlsNames(releaseName: string): {
  readonly server: string;
  readonly ca: string;
  readonly caKey: string;
} {
  return { server: `${releaseName}-tls`, ca: `${releaseName}-ca`, caKey: `${releaseName}-ca-key` };
}

/** Labels of the servers of a release of HashiCorp's chart. */
export function vaultServerLabels(releaseName: string): Record<string, string> {
  return { "app.kubernetes.io/instance": releaseName, component: "server" };
}

/** TCP port of the servers' metrics, where they have one; Vault's own are 8200 and 8201. */
export const vaultMetricsPort = 8202;

/** Name of that port in the pods. */
export const vaultMetricsPortName = "metrics";

/** Labels of the CSI provider's pods of a release of HashiCorp's chart. */
export function vaultProviderLabels(releaseName: string): Record<string, string> {
  return { "app.kubernetes.io/name": "vault-csi-provider", "app.kubernetes.io/instance": releaseName };
}

/** Name of the release of the CSI provider beside a release of Vault; both make objects of the whole cluster. */
export function csiProviderReleaseName(vaultReleaseName: string): string {
  return `${vaultReleaseName}-node`;
}

/** Name of the CSI provider's DaemonSet, and of its ServiceAccount, of a release of HashiCorp's chart. */
export function csiProviderName(releaseName: string): string {
  return `${releaseName}-csi-provider`;
}

/** Name of the ClusterRoleBinding by which the servers of a release of HashiCorp's chart may check tokens. */
export function reviewerBindingName(releaseName: string): string {
  return `${releaseName}-server-binding`;
}

/** Name of the Kubernetes Secret with the root token of a Vault in dev mode. */
export function devRootTokenName(releaseName: string): string {
  return `${releaseName}-dev-root-token`;
}

/** Vault's own image as HashiCorp's chart, at the version that this package was tested with, has it. */
export const defaultVaultImage = "hashicorp/vault:2.0.4";

/** Name of what takes the snapshots of a release's servers, and of the claim of the volume that has them. */
export function vaultSnapshotsName(releaseName: string): string {
  return `${releaseName}-snapshots`;
}

/** Most characters of the name of a release whose snapshots are taken: a CronJob's name may have 52. */
export const longestSnapshotsRelease = 52 - vaultSnapshotsName("").length;

/** Labels of the pods that take or read snapshots of a release's servers. */
export function vaultSnapshotsLabels(releaseName: string): Record<string, string> {
  return { "app.kubernetes.io/name": "vault-snapshots", "app.kubernetes.io/instance": releaseName };
}

/** Labels of a pod that opens a snapshot where nobody reaches it. */
export function vaultDrillLabels(releaseName: string): Record<string, string> {
  return { "app.kubernetes.io/name": "vault-drill", "app.kubernetes.io/instance": releaseName };
}
