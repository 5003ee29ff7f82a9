/** Name of the Secrets Store CSI driver, as its CSIDriver object, its volumes and kubelet have it. */
export const secretsStoreDriver = "secrets-store.csi.k8s.io";

/**
 * Names of the objects beside a workload, made from its own name: what makes them and what looks for them agree by it.
 *
 * @param provider of the store that its secrets come from
 */
export function objectNames(
  workload: string,
  provider = "vault",
): {
  readonly secretProviderClass: string;
  /** Kubernetes Secret with what is environment. */
  readonly syncedSecret: string;
  readonly vaultConfig: string;
  readonly initBundle: string;
  readonly republisher: string;
} {
  return {
    secretProviderClass: `${workload}-${provider}-secrets`,
    syncedSecret: `${workload}-environment`,
    vaultConfig: `${workload}-vault-config`,
    initBundle: `${workload}-init-bundle`,
    republisher: `${workload}-republisher`,
  };
}

/**
 * Name of a cluster-wide object that belongs to an object of a namespace. A namespace has no dot in its name, so that no
 * two pairs make one name; with a dash `aidbox`, `north-aidbox` and `aidbox-north`, `aidbox` would.
 */
export function clusterWideName(namespace: string, name: string): string {
  return `${namespace}.${name}`;
}
