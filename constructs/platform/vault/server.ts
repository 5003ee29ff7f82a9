import type * as pulumi from "@pulumi/pulumi";
import type { VolumeSize } from "../../quantities";
import { vaultMetricsPort, vaultMetricsPortName } from "../../stores/vault/names";
import { containerSecurityContext } from "../container-security";
import { type AuditLog, auditLogRotator, auditStorage } from "./audit-log";
import { type AutoUnseal, sealConfig, sealParts } from "./auto-unseal";
import { certificateReloader } from "./certificate-reloader";
import { splitImage } from "./image";

/** Which servers a Vault has. */
export type VaultServer = DevServer | StandaloneServer | HaServer;

/** Vault in dev mode, in memory: a restart loses everything. For development only. */
export interface DevServer {
  /** Unsealed from its start, without TLS. */
  readonly mode: "dev";
}

/** One server with storage, by TLS alone. */
export interface StandaloneServer extends StoredServer {
  /** While the one server restarts, no pod can mount its secrets. */
  readonly mode: "standalone";
}

/** Servers with integrated storage (raft), by TLS alone. */
export interface HaServer extends StoredServer {
  /** Another server takes over where the active one fails. */
  readonly mode: "ha";
  /** Of three servers one may fail, of five two. */
  readonly replicas: 3 | 5;
  /**
   * Whether servers must, should or need not lie on nodes of their own.
   * @default "required"
   */
  readonly antiAffinity?: "required" | "preferred" | "none";
}

interface StoredServer {
  /** A volume for each server. */
  readonly storage: VaultStorage;
  /** Both in Vault's namespace. What they are renewed with is taken without a restart. */
  readonly tls: {
    /** Secret of type kubernetes.io/tls. */
    readonly secretName: pulumi.Input<string>;
    /** ConfigMap whose `ca.crt` the servers trust in each other's certificates. */
    readonly caConfigMapName: pulumi.Input<string>;
  };
  /**
   * What unseals a server that starts.
   * @default - operators, with their key shares
   */
  readonly seal?: AutoUnseal;
  /**
   * Room for an audit device's file, and what keeps it within its bounds. Who has a root token enables the device.
   * @default - none
   */
  readonly auditLog?: AuditLog | undefined;
  /**
   * Whether `/v1/sys/metrics` is served without a token at a port of its own, `vaultMetricsPort`. Whoever reaches that port reaches
   * all of Vault's API too, but without a token gets no more than the metrics.
   * @default false
   */
  readonly metrics?: boolean;
  /** Least version of TLS. @default "1.2" */
  readonly tlsMinVersion?: "1.2" | "1.3" | undefined;
}

/** Volumes of the servers. */
export interface VaultStorage {
  /** Size of each server's volume. */
  readonly size: VolumeSize;
  /** @default - the cluster's own */
  readonly storageClass?: string;
  /**
   * Whether the volumes stay when the release goes.
   * @default true
   */
  readonly retain?: boolean;
}

/** Folder of a server's certificate in its container. */
export const tlsFolder = "/vault/tls";

/** Where a release's servers are. */
export interface VaultRelease {
  readonly releaseName: string;
  readonly namespace: string;
  /** With its tag. */
  readonly image: string;
}

/** URL of one server; by its whole name, since OpenSSL refuses a certificate for `*.vault-internal`. */
function serverAddress(pod: string, { releaseName, namespace }: VaultRelease): string {
  return `https://${pod}.${releaseName}-internal.${namespace}.svc:8200`;
}

/** A server's configuration, as JSON, which Vault reads as well as HCL. */
export function serverConfig(server: StandaloneServer | HaServer, release: VaultRelease): string {
  const listener = {
    address: "[::]:8200",
    cluster_address: "[::]:8201",
    tls_cert_file: `${tlsFolder}/tls.crt`,
    tls_key_file: `${tlsFolder}/tls.key`,
    tls_min_version: server.tlsMinVersion === "1.3" ? "tls13" : "tls12",
  };
  const peers = Array.from({ length: server.mode === "ha" ? server.replicas : 0 }, (_, index) => ({
    leader_api_addr: serverAddress(`${release.releaseName}-${index}`, release),
    leader_ca_cert_file: `${tlsFolder}/ca.crt`,
  }));
  return JSON.stringify({
    ui: false,
    disable_mlock: true, // integrated storage maps its file into memory
    listener: [{ tcp: listener }, ...(server.metrics === true ? [{ tcp: metricsListener(listener) }] : [])],
    storage: [{ raft: { path: "/vault/data", ...(peers.length > 0 ? { retry_join: peers } : {}) } }],
    service_registration: [{ kubernetes: {} }],
    ...(server.seal === undefined ? {} : { seal: [sealConfig(server.seal)] }),
    ...(server.metrics === true ? { telemetry: [{ prometheus_retention_time: "24h", disable_hostname: true }] } : {}),
  });
}

/** The same by another port, where the metrics need no token. */
function metricsListener(listener: object): object {
  return {
    ...listener,
    address: `[::]:${vaultMetricsPort}`,
    // Each listener opens one for the other servers; this one's nobody needs.
    cluster_address: `127.0.0.1:${vaultMetricsPort + 1}`,
    telemetry: [{ unauthenticated_metrics_access: true }],
  };
}

/** The chart's values for servers with storage. @param logsJson whether the containers beside each write JSON */
export function storedServerValues(
  server: StandaloneServer | HaServer,
  release: VaultRelease,
  logsJson = false,
): object {
  const { storage, tls, auditLog } = server;
  const config = serverConfig(server, release);
  const retention = storage.retain === false ? "Delete" : "Retain";
  const tlsMount = { name: "tls", mountPath: tlsFolder, readOnly: true };
  const seal = server.seal === undefined ? { volumes: [], volumeMounts: [], values: {} } : sealParts(server.seal);
  return {
    image: splitImage(release.image),
    ...(server.mode === "standalone" ? { standalone: { enabled: true, config } } : {}),
    ha: {
      // The chart's own, by the pod's IP, is in no certificate. It takes this for one server too.
      apiAddr: serverAddress("$(VAULT_K8S_POD_NAME)", release),
      ...(server.mode === "ha"
        ? { enabled: true, replicas: server.replicas, raft: { enabled: true, setNodeId: true, config } }
        : {}),
    },
    ...(server.mode === "ha" ? { affinity: antiAffinity(server.antiAffinity ?? "required", release.releaseName) } : {}),
    dataStorage: {
      enabled: true,
      size: storage.size.asString(),
      ...(storage.storageClass === undefined ? {} : { storageClass: storage.storageClass }),
    },
    ...(auditLog === undefined ? {} : auditStorage(auditLog)),
    persistentVolumeClaimRetentionPolicy: { whenDeleted: retention, whenScaled: "Retain" },
    volumes: [
      ...writableFolders.volumes,
      {
        name: "tls",
        projected: {
          sources: [
            { secret: { name: tls.secretName, items: keys("tls.crt", "tls.key") } },
            { configMap: { name: tls.caConfigMapName, items: keys("ca.crt") } },
          ],
        },
      },
      ...seal.volumes,
    ],
    volumeMounts: [...writableFolders.volumeMounts, tlsMount, ...seal.volumeMounts],
    resources: serverResources,
    statefulSet: { securityContext: { container: containerSecurityContext } },
    // Signals reach Vault from the container beside it.
    shareProcessNamespace: true,
    extraContainers: [
      certificateReloader(release.image, tlsMount, logsJson),
      ...(auditLog === undefined ? [] : [auditLogRotator(release.image, auditLog, logsJson)]),
    ],
    extraEnvironmentVars: { VAULT_CACERT: `${tlsFolder}/ca.crt` },
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
    ...(server.metrics === true
      ? { extraPorts: [{ containerPort: vaultMetricsPort, name: vaultMetricsPortName }] }
      : {}),
    ...readyServers,
    ...seal.values,
  };
}

/** Keys of a Secret or a ConfigMap as files of the same names. */
function keys(...names: string[]): { readonly key: string; readonly path: string }[] {
  return names.map((name) => ({ key: name, path: name }));
}

/** A server's share of the node. The limit is far above what a stack's secrets take: a server that is ended is sealed. */
export const serverResources = {
  requests: { cpu: "100m", memory: "256Mi" },
  limits: { memory: "2Gi" },
} as const;

/** Logins go to servers that are ready alone: by the chart's default a sealed one gets its share of them. */
export const readyServers = { service: { publishNotReadyAddresses: false } };

/** The chart's start command writes the server's configuration to /tmp. */
export const writableFolders = {
  volumes: [{ name: "tmp", emptyDir: {} }],
  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
};

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
