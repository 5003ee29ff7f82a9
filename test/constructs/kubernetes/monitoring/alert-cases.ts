import { Duration } from "cdk8s";
import type { Watched } from "../../../../constructs/kubernetes/monitoring";

const minute = 60 * 1000;
const days30 = 30 * 24 * 60 * minute;

/** All that can be watched. Prometheus' tester begins at the epoch. */
export const watchedAll: Watched = {
  environment: "prod",
  vault: {
    namespace: "vault",
    name: "vault",
    certificateEnd: new Date(days30 + 10 * minute),
    snapshots: { cronJob: "vault-snapshots", longestInterval: Duration.seconds(600) },
  },
  driver: { namespace: "kube-system", daemonSet: "csi-secrets-store-csi-driver", provider: "vault" },
  republishers: [{ namespace: "aidbox", deployment: "aidbox-republisher" }],
  hasAges: true,
};

/** The same, with a certificate of cert-manager's. */
export const watchedByCertManager: Watched = {
  ...watchedAll,
  vault: { namespace: "vault", name: "vault", certificate: "vault-tls" },
};

/** A time at which an alert fires, or does not, by some series of a value a minute. */
export interface AlertCase {
  readonly alert: string;
  readonly what: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** How many of it fire; none where it is silent. */
  readonly firing: number;
  /** @default watchedAll */
  readonly watched?: Watched;
}

const server = (metric: string, pod = "vault-0", more = ""): string =>
  `${metric}{namespace="vault",pod="${pod}"${more}}`;
const driver = (metric: string, more = "", provider = "vault"): string =>
  `${metric}{namespace="kube-system",pod="csi-secrets-store-csi-driver-abcde",provider="${provider}"${more}}`;
const errors = driver("rotation_reconcile_error_total", ',error_type="ProviderError"');
const job = `{namespace="vault",cronjob="vault-snapshots"}`;
const secret = `{environment="prod",secret="client-secret"}`;
const looked = `aidbox_secrets_looked_at_timestamp_seconds{environment="prod"}`;
const unsealed = server("vault_core_unsealed", "vault-0", ',cluster="vault-cluster-1"');
const beforeUnseal = server("vault_core_unsealed", "vault-0", ',cluster=""');
const active = server("vault_core_active", "vault-0", ',cluster="vault-cluster-1"');
const driverTarget = `up{namespace="kube-system",pod="csi-secrets-store-csi-driver-abcde"}`;
const daemonSet = `kube_daemonset_status_number_unavailable{namespace="kube-system",daemonset="csi-secrets-store-csi-driver"}`;
const republisher = `kube_deployment_status_replicas_available{namespace="aidbox",deployment="aidbox-republisher"}`;

/** What kube-state-metrics tells of a cluster, whatever is in it. */
const kubeStateMetrics = { ['kube_namespace_created{namespace="default"}']: "0x90" };

/** Each alert, firing and silent. */
export const alertCases: readonly AlertCase[] = [
  { alert: "VaultSealed", what: "a server is sealed", series: { [unsealed]: "0x10" }, at: "5m", firing: 1 },
  { alert: "VaultSealed", what: "it was not yet for a minute", series: { [unsealed]: "1 1 0 0" }, at: "2m", firing: 0 },
  {
    alert: "VaultSealed",
    what: "it is unsealed, and has a series of the time before",
    series: { [beforeUnseal]: "0x10", [unsealed]: "1x10" },
    at: "5m",
    firing: 0,
  },
  {
    alert: "VaultSealed",
    what: "it was never unsealed",
    series: { [beforeUnseal]: "0x10" },
    at: "5m",
    firing: 1,
  },
  {
    alert: "VaultSealed",
    what: "a Vault of others is sealed",
    series: { 'vault_core_unsealed{namespace="other",pod="vault-0"}': "0x10" },
    at: "5m",
    firing: 0,
  },
  { alert: "VaultNoLeader", what: "no server is active", series: { [active]: "0x10" }, at: "5m", firing: 1 },
  { alert: "VaultNoLeader", what: "no server tells", series: { up: "1x10" }, at: "5m", firing: 1 },
  {
    alert: "VaultNoLeader",
    what: "one of two is",
    series: { [active]: "0x10", [server("vault_core_active", "vault-1", ',cluster="vault-cluster-1"')]: "1x10" },
    at: "5m",
    firing: 0,
  },
  {
    alert: "VaultNotWatched",
    what: "a server does not answer",
    series: { [server("up")]: "0x10" },
    at: "8m",
    firing: 1,
  },
  { alert: "VaultNotWatched", what: "none is known", series: { up: "1x10" }, at: "8m", firing: 1 },
  { alert: "VaultNotWatched", what: "all answer", series: { [server("up")]: "1x10" }, at: "8m", firing: 0 },
  {
    alert: "VaultAuditFailing",
    what: "requests are refused",
    series: {
      [server("vault_audit_log_request_failure")]: "0 0 1 2 3",
      [server("vault_audit_log_response_failure")]: "0x5",
    },
    at: "4m",
    firing: 1,
  },
  {
    alert: "VaultAuditFailing",
    what: "responses are",
    series: {
      [server("vault_audit_log_request_failure")]: "0x5",
      [server("vault_audit_log_response_failure")]: "0 0 1 2 3",
    },
    at: "4m",
    firing: 1,
  },
  {
    alert: "VaultAuditFailing",
    what: "they were, and are no more",
    series: {
      [server("vault_audit_log_request_failure")]: "3x20",
      [server("vault_audit_log_response_failure")]: "3x20",
    },
    at: "15m",
    firing: 0,
  },
  {
    alert: "VaultAuditDeviceFailing",
    what: "one device fails",
    series: { [server("vault_audit_sink_failure")]: "0 0 1 2 3" },
    at: "4m",
    firing: 1,
  },
  {
    alert: "VaultAuditDeviceFailing",
    what: "none does",
    series: { [server("vault_audit_sink_failure")]: "2x10" },
    at: "9m",
    firing: 0,
  },
  {
    alert: "VaultCertificateEnds",
    what: "the stack's own ends in less than 30 days",
    series: { up: "1x90" },
    at: "80m",
    firing: 1,
  },
  {
    alert: "VaultCertificateEnds",
    what: "it ends in more",
    series: { up: "1x90" },
    at: "9m",
    firing: 0,
  },
  {
    alert: "VaultCertificateEnds",
    what: "cert-manager's ends in 13 days",
    series: {
      'certmanager_certificate_expiration_timestamp_seconds{namespace="vault",name="vault-tls"}': `${13 * 86_400}x90`,
    },
    at: "80m",
    firing: 1,
    watched: watchedByCertManager,
  },
  {
    alert: "VaultCertificateEnds",
    what: "it ends in 15 days, and another's today",
    series: {
      'certmanager_certificate_expiration_timestamp_seconds{namespace="vault",name="vault-tls"}': `${15 * 86_400}x90`,
      'certmanager_certificate_expiration_timestamp_seconds{namespace="vault",name="other"}': `0x90`,
    },
    at: "80m",
    firing: 0,
    watched: watchedByCertManager,
  },
  {
    alert: "VaultSnapshotTooOld",
    what: "two intervals went by since the last one",
    series: { [`kube_cronjob_status_last_successful_time${job}`]: "0x40", [`kube_cronjob_created${job}`]: "0x40" },
    at: "35m",
    firing: 1,
  },
  {
    alert: "VaultSnapshotTooOld",
    what: "none ever succeeded",
    series: { [`kube_cronjob_created${job}`]: "0x40" },
    at: "35m",
    firing: 1,
  },
  { alert: "VaultSnapshotTooOld", what: "its CronJob is gone", series: kubeStateMetrics, at: "12m", firing: 1 },
  { alert: "VaultSnapshotTooOld", what: "nothing tells of CronJobs", series: {}, at: "12m", firing: 0 },
  {
    alert: "VaultSnapshotTooOld",
    what: "the last one came in time",
    series: {
      ...kubeStateMetrics,
      [`kube_cronjob_status_last_successful_time${job}`]: "1200x40",
      [`kube_cronjob_created${job}`]: "0x40",
    },
    at: "35m",
    firing: 0,
  },
  {
    alert: "SecretsStale",
    what: "nothing is published any more",
    series: { [errors]: "0+2x30", [driver("rotation_reconcile_total")]: "9x30" },
    at: "25m",
    firing: 1,
  },
  {
    alert: "SecretsStale",
    what: "nothing ever was",
    series: { [errors]: "0+2x30" },
    at: "25m",
    firing: 1,
  },
  {
    alert: "SecretsStale",
    what: "other volumes are",
    series: { [errors]: "0+2x30", [driver("rotation_reconcile_total")]: "9+2x30" },
    at: "25m",
    firing: 0,
  },
  {
    alert: "SecretsStale",
    what: "there are no errors",
    series: { [errors]: "7x30", [driver("rotation_reconcile_total")]: "9x30" },
    at: "25m",
    firing: 0,
  },
  {
    alert: "SecretsRemountErrors",
    what: "some volumes fail",
    series: { [errors]: "0+1x30", [driver("rotation_reconcile_total")]: "9+2x30" },
    at: "25m",
    firing: 1,
  },
  {
    alert: "SecretsRemountErrors",
    what: "some failed before",
    series: { [errors]: "7x30" },
    at: "25m",
    firing: 0,
  },
  {
    alert: "SecretsRemountErrors",
    what: "those of another provider do",
    series: { [driver("rotation_reconcile_error_total", ',error_type="x"', "aws")]: "0+1x30" },
    at: "25m",
    firing: 0,
  },
  { alert: "SecretsDriverNotReady", what: "a node lacks it", series: { [daemonSet]: "1x10" }, at: "8m", firing: 1 },
  {
    alert: "SecretsDriverNotReady",
    what: "all nodes have it",
    series: { ...kubeStateMetrics, [daemonSet]: "0x10" },
    at: "8m",
    firing: 0,
  },
  { alert: "SecretsDriverNotReady", what: "it is gone", series: kubeStateMetrics, at: "8m", firing: 1 },
  {
    alert: "SecretsNotWatched",
    what: "a pod does not answer",
    series: { [driverTarget]: "0x10" },
    at: "8m",
    firing: 1,
  },
  { alert: "SecretsNotWatched", what: "none is known", series: { up: "1x10" }, at: "8m", firing: 1 },
  { alert: "SecretsNotWatched", what: "all answer", series: { [driverTarget]: "1x10" }, at: "8m", firing: 0 },
  {
    alert: "RepublisherNotAtWork",
    what: "no pod of it is ready",
    series: { [republisher]: "0x10" },
    at: "5m",
    firing: 1,
  },
  {
    alert: "RepublisherNotAtWork",
    what: "its pod is",
    series: { ...kubeStateMetrics, [republisher]: "1x10" },
    at: "5m",
    firing: 0,
  },
  { alert: "RepublisherNotAtWork", what: "it is gone", series: kubeStateMetrics, at: "5m", firing: 1 },
  { alert: "RepublisherNotAtWork", what: "nothing tells of Deployments", series: {}, at: "5m", firing: 0 },
  {
    alert: "RepublisherNotAtWork",
    what: "its pod was changed",
    series: { [republisher]: "1 0 1 1 1 1" },
    at: "4m",
    firing: 0,
  },
  {
    alert: "SecretPastItsAge",
    what: "it is older",
    series: {
      [`aidbox_secret_rotated_timestamp_seconds${secret}`]: "0x90",
      [`aidbox_secret_max_age_seconds${secret}`]: "600x90",
    },
    at: "80m",
    firing: 1,
  },
  {
    alert: "SecretPastItsAge",
    what: "it is younger",
    series: {
      [`aidbox_secret_rotated_timestamp_seconds${secret}`]: "0x90",
      [`aidbox_secret_max_age_seconds${secret}`]: "7200x90",
    },
    at: "80m",
    firing: 0,
  },
  {
    alert: "SecretPastItsAge",
    what: "any age will do",
    series: { [`aidbox_secret_rotated_timestamp_seconds${secret}`]: "0x90" },
    at: "80m",
    firing: 0,
  },
  {
    alert: "SecretPodsStale",
    what: "a pod has another value",
    series: { [`aidbox_secret_stale_pods${secret}`]: "1x30" },
    at: "20m",
    firing: 1,
  },
  {
    alert: "SecretPodsStale",
    what: "none has",
    series: { [`aidbox_secret_stale_pods${secret}`]: "0x30" },
    at: "20m",
    firing: 0,
  },
  { alert: "SecretAgesUnknown", what: "nobody tells", series: { up: "1x90" }, at: "80m", firing: 1 },
  {
    alert: "SecretAgesUnknown",
    what: "nobody has for two days",
    series: { [looked]: `${-2 * 86_400}x90` },
    at: "80m",
    firing: 1,
  },
  {
    alert: "SecretAgesUnknown",
    what: "somebody has",
    series: { [looked]: "0x90" },
    at: "80m",
    firing: 0,
  },
];
