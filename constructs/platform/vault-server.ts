import type * as pulumi from "@pulumi/pulumi";

/** Which Vault the CSI provider reads from. */
export type VaultServer = DevServer | StandaloneServer | HaServer | ExternalServer;

/** Vault in dev mode, in memory: a restart loses everything. For development only. */
export interface DevServer {
  readonly mode: "dev";
}

/** One server with storage, by TLS alone. */
export interface StandaloneServer extends StoredServer {
  readonly mode: "standalone";
}

/** Servers with integrated storage (raft), by TLS alone. */
export interface HaServer extends StoredServer {
  readonly mode: "ha";
  /** Of three servers one may fail, of five two. */
  readonly replicas: 3 | 5;
  /**
   * Whether servers must, should or need not lie on nodes of their own.
   * @default "required"
   */
  readonly antiAffinity?: "required" | "preferred" | "none";
}

/** A Vault that is there already; only its CSI provider is installed. */
export interface ExternalServer {
  readonly mode: "external";
  /** URL of Vault as seen from the cluster's pods. */
  readonly address: pulumi.Input<string>;
}

interface StoredServer {
  readonly storage: VaultStorage;
  /** Secret of type kubernetes.io/tls with `tls.crt`, `tls.key` and `ca.crt`, in Vault's namespace. */
  readonly tlsSecretName: pulumi.Input<string>;
  /**
   * What unseals a server that starts.
   * @default - operators, with their key shares
   */
  readonly seal?: AutoUnseal;
}

export interface VaultStorage {
  /** Size of each server's volume, as a Kubernetes quantity. */
  readonly size: string;
  /** @default - the cluster's own */
  readonly storageClass?: string;
  /**
   * Whether the volumes stay when the release goes.
   * @default true
   */
  readonly retain?: boolean;
}

/** Where the key lies that unseals Vault without operators. Clouds' credentials come by workload identity. */
export type AutoUnseal =
  | {
      readonly type: "transit";
      /** URL of the Vault that holds the key. */
      readonly address: string;
      readonly keyName: string;
      /** @default "transit" */
      readonly mountPath?: string;
      /** Kubernetes Secret in Vault's namespace whose key `token` may encrypt and decrypt with the key. */
      readonly tokenSecretName: string;
    }
  | { readonly type: "awskms"; readonly region: string; readonly kmsKeyId: string }
  | { readonly type: "azurekeyvault"; readonly tenantId: string; readonly vaultName: string; readonly keyName: string }
  | {
      readonly type: "gcpckms";
      readonly project: string;
      readonly region: string;
      readonly keyRing: string;
      readonly cryptoKey: string;
    };

/** Folder of a server's certificate in its container. */
export const tlsFolder = "/vault/tls";

/** A server's configuration, as JSON, which Vault reads as well as HCL. */
export function serverConfig(server: StandaloneServer | HaServer, releaseName: string): string {
  const listener = {
    address: "[::]:8200",
    cluster_address: "[::]:8201",
    tls_cert_file: `${tlsFolder}/tls.crt`,
    tls_key_file: `${tlsFolder}/tls.key`,
    tls_min_version: "tls12",
  };
  const peers = Array.from({ length: server.mode === "ha" ? server.replicas : 0 }, (_, index) => ({
    leader_api_addr: `https://${releaseName}-${index}.${releaseName}-internal:8200`,
    leader_ca_cert_file: `${tlsFolder}/ca.crt`,
  }));
  return JSON.stringify({
    ui: false,
    disable_mlock: true, // integrated storage maps its file into memory
    listener: [{ tcp: listener }],
    storage: [{ raft: { path: "/vault/data", ...(peers.length > 0 ? { retry_join: peers } : {}) } }],
    service_registration: [{ kubernetes: {} }],
    ...(server.seal === undefined ? {} : { seal: [sealConfig(server.seal)] }),
  });
}

function sealConfig(seal: AutoUnseal): object {
  switch (seal.type) {
    case "transit":
      return {
        transit: { address: seal.address, key_name: seal.keyName, mount_path: `${seal.mountPath ?? "transit"}/` },
      };
    case "awskms":
      return { awskms: { region: seal.region, kms_key_id: seal.kmsKeyId } };
    case "azurekeyvault":
      return { azurekeyvault: { tenant_id: seal.tenantId, vault_name: seal.vaultName, key_name: seal.keyName } };
    case "gcpckms":
      return {
        gcpckms: {
          project: seal.project,
          region: seal.region,
          key_ring: seal.keyRing,
          crypto_key: seal.cryptoKey,
        },
      };
  }
}

/** The chart's values for servers with storage. */
export function storedServerValues(server: StandaloneServer | HaServer, releaseName: string): object {
  const { storage, seal } = server;
  const config = serverConfig(server, releaseName);
  const retention = storage.retain === false ? "Delete" : "Retain";
  return {
    ...(server.mode === "ha"
      ? {
          ha: { enabled: true, replicas: server.replicas, raft: { enabled: true, setNodeId: true, config } },
          affinity: antiAffinity(server.antiAffinity ?? "required", releaseName),
        }
      : { standalone: { enabled: true, config } }),
    dataStorage: {
      enabled: true,
      size: storage.size,
      ...(storage.storageClass === undefined ? {} : { storageClass: storage.storageClass }),
    },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: retention, whenScaled: "Retain" },
    volumes: [{ name: "tls", secret: { secretName: server.tlsSecretName } }],
    volumeMounts: [{ name: "tls", mountPath: tlsFolder, readOnly: true }],
    // A transit seal would take this variable for the CA of the Vault that holds its key.
    ...(seal?.type === "transit" ? {} : { extraEnvironmentVars: { VAULT_CACERT: `${tlsFolder}/ca.crt` } }),
    ...(seal?.type === "transit"
      ? {
          extraSecretEnvironmentVars: [
            { envName: "VAULT_TOKEN", secretName: seal.tokenSecretName, secretKey: "token" },
          ],
        }
      : {}),
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
  };
}

function antiAffinity(strictness: "required" | "preferred" | "none", releaseName: string): object | string {
  if (strictness === "none") return "";
  const term = {
    labelSelector: {
      matchLabels: { "app.kubernetes.io/instance": releaseName, component: "server" },
    },
    topologyKey: "kubernetes.io/hostname",
  };
  return {
    podAntiAffinity:
      strictness === "required"
        ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
        : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
  };
}
