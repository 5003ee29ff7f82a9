import { Size } from "cdk8s";
import type { AuditLog, AutoUnseal, VaultServer } from "../../../../constructs/platform/index";
import { type SnapshotCopies, VaultPaths } from "../../../../constructs/stores/vault/index";
import { csiProviderReleaseName, vaultTlsNames } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../environment";
import { sealTokenSecretName } from "../../names";
import { mebibytes, WrittenSize } from "../../quantity";

type StoredVault = VaultEnvironment["vault"] & { readonly mode: "standalone" | "ha" };

/** Whether the stack runs a Vault of its own that keeps what it holds. */
export function isStored(vault: VaultEnvironment["vault"]): vault is StoredVault {
  return vault.mode === "standalone" || vault.mode === "ha";
}

/** When and whereto snapshots of the stack's own Vault are taken; none where nobody asked for them. */
export function snapshotsOf({ vault }: Pick<VaultEnvironment, "vault">): StoredVault["snapshots"] {
  return isStored(vault) ? vault.snapshots : undefined;
}

/** Where copies of the snapshots are; none where nobody asked for them. */
export function snapshotCopiesOf(environment: Pick<VaultEnvironment, "vault">): SnapshotCopies | undefined {
  const copies = snapshotsOf(environment)?.copies;
  if (copies === undefined) return undefined;
  const { caConfigMap, ...others } = copies;
  return { ...others, caConfigMapName: caConfigMap };
}

/** Whether the stack's own Vault serves metrics: where it is watched, and has a configuration of its own. */
export function hasMetrics({ vault, monitoring }: Pick<VaultEnvironment, "vault" | "monitoring">): boolean {
  return monitoring !== undefined && isStored(vault);
}

/** Whether volumes of the stack's own Vault outlive it: those of its servers, or that of its snapshots. */
export function keepsVolumes(environment: Pick<VaultEnvironment, "vault" | "development">): boolean {
  const { development, vault } = environment;
  return !development && isStored(vault) && (vault.storage.retain || vault.snapshots !== undefined);
}

/** Whether a CA of the stack's own signs Vault's certificate. */
export function signsOwnCertificates(vault: VaultEnvironment["vault"]): boolean {
  return isStored(vault) && vault.certManager === undefined;
}

/** Where the environment's secrets lie in Vault. */
export function vaultPaths({ vault }: Pick<VaultEnvironment, "vault">): VaultPaths {
  return new VaultPaths({ kvMount: vault.kvMount.path, databaseMount: vault.databaseMount });
}

/** Whether the stack makes the KV mount; a Vault of its own with storage has none by itself. */
export function ownsKvMount({ vault }: VaultEnvironment): boolean {
  return vault.kvMount.owned ?? isStored(vault);
}

/**
 * The servers of the environment's Vault, as the component takes them; none of one that is there already.
 *
 * @param hasAuditVolume whether servers have a volume for the audit log, as new ones do
 */
export function vaultServer({ vault, monitoring }: VaultEnvironment, hasAuditVolume = true): VaultServer | undefined {
  switch (vault.mode) {
    case "dev":
      return { mode: "dev" };
    case "external":
      return undefined;
    case "standalone":
    case "ha": {
      const { storage, seal } = vault;
      const names = vaultTlsNames(vault.release);
      const common = {
        storage: { ...storage, size: new WrittenSize(storage.size) },
        seal: seal?.type === "transit" ? transitSeal(seal, vault.release) : seal,
        ...(hasMetrics({ vault, monitoring }) ? { metrics: true } : {}),
        tls: { secretName: names.server, caConfigMapName: names.ca },
        auditLog: auditLog(vault, hasAuditVolume),
        tlsMinVersion: vault.tlsMinVersion,
      };
      return vault.mode === "standalone"
        ? { mode: "standalone", ...common }
        : { mode: "ha", ...common, replicas: vault.replicas, antiAffinity: vault.antiAffinity };
    }
  }
}

/** On the servers' storage it takes a tenth at most: what fills that ends Vault. */
function auditLog({ audit, storage }: StoredVault, hasVolume: boolean): AuditLog | undefined {
  const { enabled, size, storageClass, keep } = audit;
  const rotateAt = mebibytes(audit.rotateAt)!;
  if (!enabled) return undefined;
  if (hasVolume)
    return { place: { size: new WrittenSize(size), storageClass }, rotateAt: Size.mebibytes(rotateAt), keep };
  const room = mebibytes(storage.size)! / 10;
  const rotateAtMebibytes = Math.max(1, Math.min(rotateAt, Math.floor(room / 3)));
  return {
    place: "storage",
    rotateAt: Size.mebibytes(rotateAtMebibytes),
    keep: Math.max(1, Math.min(keep, Math.floor(room / rotateAtMebibytes) - 2)),
  };
}

function transitSeal(
  { ca, ...seal }: NonNullable<StoredVault["seal"]> & { readonly type: "transit" },
  releaseName: string,
): AutoUnseal {
  return { ...seal, tokenSecretName: sealTokenSecretName(releaseName), trustsOwnCa: ca !== undefined };
}

/** The Helm release of the CSI provider. */
export function csiProviderRelease({ vault, namespaces }: VaultEnvironment): {
  readonly releaseName: string;
  readonly namespace: string;
} {
  return { releaseName: csiProviderReleaseName(vault.release), namespace: namespaces.csiProvider };
}

/** CA of Vault's certificate as the config names it; none where everybody trusts it, or the stack's own CA signs. */
export function configuredCa({ vault }: VaultEnvironment): string | undefined {
  if (vault.mode === "external") return vault.ca;
  return isStored(vault) ? vault.certManager?.ca : undefined;
}

/** Name in Vault's certificate, where its address has another. */
export function tlsServerName({ vault }: VaultEnvironment): string | undefined {
  return vault.mode === "external" ? vault.tlsServerName : undefined;
}

/** Secret with the certificate by which the stack's CSI provider shows Vault who asks; none where it shows none. */
export function clientCertificateSecret({ vault }: VaultEnvironment): string | undefined {
  return vault.mode === "external" && vault.csiProvider ? vault.clientCertificate?.secretName : undefined;
}
