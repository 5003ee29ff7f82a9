import { refuseArguments } from "../../check-props";
import type { Watched, WatchedDriver, WatchedVault } from "./watched";
import { watchedChecks } from "./watched-checks";

/** A rule of Prometheus that raises an alert. */
export interface AlertRule {
  /** Its name, as Prometheus and its receivers show it. */
  readonly alert: string;
  /** What raises it, in PromQL. */
  readonly expr: string;
  /** How long it must hold, as a Prometheus duration. */
  readonly for: string;
  /** Labels of the alert, by which it is routed. */
  readonly labels: {
    /** `critical` where somebody must act now. */
    readonly severity: "critical" | "warning";
    /** Name of the environment. @default - that which `alertRules` is called for */
    readonly environment?: string;
  };
  /** What the alert says to whoever gets it. */
  readonly annotations: {
    /** What is wrong, in a line. */
    readonly summary: string;
    /** What it means, and what to do. */
    readonly description: string;
    /** Page and section of this project's documentation that answer it, as `docs/runbooks.md#lost-quorum`. */
    readonly runbook_url: string;
  };
}

/** A rule that keeps a value under a name. */
export interface RecordingRule {
  /** Name of the series that it makes. */
  readonly record: string;
  /** Its value, in PromQL. */
  readonly expr: string;
  /** Labels of the series. @default - none */
  readonly labels?: {
    /** Name of the environment. */
    readonly environment: string;
  };
}

/** Rules that Prometheus evaluates together. */
export interface RuleGroup {
  /** Its name, which one Prometheus has once. */
  readonly name: string;
  /** The rules, in the order in which they are evaluated. */
  readonly rules: readonly (AlertRule | RecordingRule)[];
}

const day = 24 * 3600;
/** Life of a certificate below which an alert is due: `up` renews the stack's own 60 days before its end, cert-manager 30. */
const certificateDays = { own: 30, certManager: 14 };

/**
 * The alert rules for what is watched, as a PrometheusRule or a rule file has them.
 *
 * @throws Error that lists all that is wrong with what is watched
 */
export function alertRules(watched: Watched): readonly RuleGroup[] {
  refuseArguments("alertRules", watched, watchedChecks);
  const { environment, vault, driver, republishers, hasAges } = watched;
  const groups: RuleGroup[] = [
    { name: "vault", rules: vault === undefined ? [] : vaultRules(environment, vault) },
    { name: "snapshots", rules: vault?.snapshots === undefined ? [] : [snapshotRule(vault, vault.snapshots)] },
    {
      name: "publication",
      rules: [...(driver === undefined ? [] : driverRules(driver)), ...republishers.map(republisherRule)],
    },
    { name: "ages", rules: hasAges ? ageRules(environment) : [] },
  ];
  return groups
    .filter(({ rules }) => rules.length > 0)
    .map(({ name, rules }) => ({
      name: `aidbox-secrets-${environment}-${name}`,
      // One Prometheus may watch several environments: what says the same of two of them must not be one.
      rules: rules.map((rule) => ({ ...rule, labels: { ...rule.labels, environment } }) as AlertRule | RecordingRule),
    }));
}

function vaultRules(environment: string, vault: WatchedVault): (AlertRule | RecordingRule)[] {
  const { namespace, name } = vault;
  const servers = `namespace="${namespace}",pod=~"${name}-[0-9]+"`;
  return [
    {
      alert: "VaultSealed",
      // A server keeps a series of its time before it was unsealed, with another label `cluster`, for a day.
      expr: `max by (namespace, pod) (vault_core_unsealed{${servers}}) == 0`,
      for: "1m",
      labels: { severity: "critical" },
      annotations: {
        summary: "Vault's server {{ $labels.pod }} is sealed",
        description: "It serves nobody. Where all are sealed, no pod that starts gets its secrets. Run vault:unseal.",
        runbook_url: "docs/runbooks.md#a-server-is-sealed",
      },
    },
    {
      alert: "VaultNoLeader",
      expr: `(max(vault_core_active{${servers}}) or vector(0)) < 1`,
      for: "1m",
      labels: { severity: "critical" },
      annotations: {
        summary: "No server of Vault is the active one",
        description: "Nothing can be read or written. Pods keep the values that they have.",
        runbook_url: "docs/runbooks.md#lost-quorum",
      },
    },
    {
      alert: "VaultNotWatched",
      expr: `absent(up{${servers}}) or up{${servers}} == 0`,
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Prometheus gets no metrics of Vault's servers",
        description: "It finds none of them, or one does not answer, so that the other alerts of Vault mean nothing.",
        runbook_url: "docs/monitoring.md#what-is-watched",
      },
    },
    {
      alert: "VaultAuditFailing",
      expr: `increase(vault_audit_log_request_failure{${servers}}[5m]) + increase(vault_audit_log_response_failure{${servers}}[5m]) > 0`,
      for: "0m",
      labels: { severity: "critical" },
      annotations: {
        summary: "Vault's server {{ $labels.pod }} can write no audit log",
        description: "No audit device takes what it writes, so Vault refuses every request.",
        runbook_url: "docs/audit.md#when-a-device-fails",
      },
    },
    {
      alert: "VaultAuditDeviceFailing",
      // The counters above stay at 0 as long as one device takes it.
      expr: `increase(vault_audit_sink_failure{${servers}}[5m]) > 0`,
      for: "0m",
      labels: { severity: "warning" },
      annotations: {
        summary: "An audit device of Vault's server {{ $labels.pod }} fails",
        description: "Its disk may be full. When no device takes the log, Vault refuses every request.",
        runbook_url: "docs/audit.md#when-a-device-fails",
      },
    },
    ...certificateRules(environment, vault),
  ];
}

function certificateRules(
  environment: string,
  { namespace, certificate, certificateEnd }: WatchedVault,
): (AlertRule | RecordingRule)[] {
  if (certificate === undefined && certificateEnd === undefined) return [];
  const own = "aidbox_secrets:vault_certificate_end:timestamp_seconds";
  const end =
    certificate === undefined
      ? `${own}{environment="${environment}"}`
      : `certmanager_certificate_expiration_timestamp_seconds{namespace="${namespace}",name="${certificate}"}`;
  const days = certificate === undefined ? certificateDays.own : certificateDays.certManager;
  return [
    ...(certificate !== undefined || certificateEnd === undefined
      ? []
      : [{ record: own, expr: `vector(${Math.floor(certificateEnd.getTime() / 1000)})` }]),
    {
      alert: "VaultCertificateEnds",
      expr: `${end} - time() < ${days * day}`,
      for: "1h",
      labels: { severity: "critical" },
      annotations: {
        summary: `The certificate of Vault's servers ends in less than ${days} days`,
        description:
          certificate === undefined
            ? "Once it has ended, nobody reaches Vault. Run up, which renews it."
            : "Once it has ended, nobody reaches Vault. cert-manager should have renewed it.",
        runbook_url: "docs/runbooks.md#the-ca-changes",
      },
    },
  ];
}

/**
 * Whether an object is gone, of which no series is left that could be compared. It holds only where kube-state-metrics tells of
 * others, since without it nothing is known.
 */
function isGone(series: string): string {
  return `absent(${series}) and on () count(kube_namespace_created) > 0`;
}

function snapshotRule(
  { namespace }: WatchedVault,
  { cronJob, longestInterval, areCopied = false }: NonNullable<WatchedVault["snapshots"]>,
): AlertRule {
  const what = areCopied ? "copied snapshot" : "snapshot";
  const job = `namespace="${namespace}",cronjob="${cronJob}"`;
  return {
    alert: "VaultSnapshotTooOld",
    // One that never succeeded has no such time.
    expr:
      `time() - (kube_cronjob_status_last_successful_time{${job}} or kube_cronjob_created{${job}}) > ${2 * longestInterval.toSeconds()} ` +
      `or ${isGone(`kube_cronjob_created{${job}}`)}`,
    for: "10m",
    labels: { severity: "critical" },
    annotations: {
      summary: `Vault's newest ${what} is older than two of its schedule's intervals, or its CronJob is gone`,
      description:
        `What was written since would be lost with ${areCopied ? "the cluster" : "Vault's volumes"}. ` +
        `Look at the jobs of the CronJob${areCopied ? ": container snapshot takes it, copy copies it" : ""}.`,
      runbook_url: "docs/backup.md#take-snapshots",
    },
  };
}

function driverRules({ namespace, daemonSet, provider }: WatchedDriver): AlertRule[] {
  const pods = `namespace="${namespace}",pod=~"${daemonSet}-.*",provider="${provider}"`;
  const errors = (window: string): string => `rotation_reconcile_error_total{${pods}}[${window}]`;
  const targets = `up{namespace="${namespace}",pod=~"${daemonSet}-.*"}`;
  const unavailable = `kube_daemonset_status_number_unavailable{namespace="${namespace}",daemonset="${daemonSet}"}`;
  return [
    {
      alert: "SecretsNotWatched",
      expr: `absent(${targets}) or ${targets} == 0`,
      for: "5m",
      labels: { severity: "warning" },
      annotations: {
        summary: "Prometheus gets no metrics of the Secrets Store CSI driver",
        description:
          "It finds none of its pods, or one does not answer, so that nobody is told of stale secrets there.",
        runbook_url: "docs/monitoring.md#what-is-watched",
      },
    },
    {
      alert: "SecretsStale",
      expr:
        `sum by (namespace, pod) (increase(${errors("15m")})) > 0 ` +
        `unless sum by (namespace, pod) (increase(rotation_reconcile_total{${pods}}[15m])) > 0`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: "No secret reaches the pods on the node of {{ $labels.pod }} any more",
        description:
          "The driver has published no volume again for 15 minutes, and hides its errors: pods keep their last value. Run verify.",
        runbook_url: "docs/on-call.md#something-is-wrong",
      },
    },
    {
      alert: "SecretsRemountErrors",
      expr: `sum by (namespace, pod, provider, error_type) (increase(${errors("10m")})) > 0`,
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: "The driver {{ $labels.pod }} cannot publish some secrets again: {{ $labels.error_type }}",
        description: "It hides the error, and such a pod keeps the value that it has. Run verify, or status.",
        runbook_url: "docs/on-call.md#something-is-wrong",
      },
    },
    {
      alert: "SecretsDriverNotReady",
      expr: `${unavailable} > 0 or ${isGone(unavailable)}`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: "The Secrets Store CSI driver is gone, or not ready on a node",
        description: "There no pod starts that mounts secrets, and none gets a new value.",
        runbook_url: "docs/on-call.md#something-is-wrong",
      },
    },
  ];
}

function republisherRule({
  namespace,
  deployment,
}: {
  readonly namespace: string;
  readonly deployment: string;
}): AlertRule {
  const available = `kube_deployment_status_replicas_available{namespace="${namespace}",deployment="${deployment}"}`;
  return {
    alert: "RepublisherNotAtWork",
    expr: `${available} < 1 or ${isGone(available)}`,
    for: "2m",
    labels: { severity: "warning" },
    annotations: {
      summary: `The Republisher ${namespace}/${deployment} is not at work`,
      description:
        "A change takes kubelet's own 60 to 90 s to reach the files, and what is environment is not rolled for.",
      runbook_url: "docs/on-call.md#when-somebody-else-changes-a-secret",
    },
  };
}

/** By the metrics that `status --metrics` prints. */
function ageRules(environment: string): AlertRule[] {
  const own = `environment="${environment}"`;
  return [
    {
      alert: "SecretPastItsAge",
      expr: `time() - aidbox_secret_rotated_timestamp_seconds{${own}} > aidbox_secret_max_age_seconds{${own}}`,
      for: "1h",
      labels: { severity: "warning" },
      annotations: {
        summary: "The value of {{ $labels.secret }} is older than its maxAge",
        description: "Run rotate, or rotate --due.",
        runbook_url: "docs/rotation.md#values-that-may-only-grow-so-old",
      },
    },
    {
      alert: "SecretPodsStale",
      expr: `aidbox_secret_stale_pods{${own}} > 0`,
      for: "15m",
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $value }} pods have another value of {{ $labels.secret }} than the store",
        description: "Run verify: it names the broken link.",
        runbook_url: "docs/on-call.md#something-is-wrong",
      },
    },
    {
      alert: "SecretAgesUnknown",
      expr: `absent(aidbox_secrets_looked_at_timestamp_seconds{${own}}) or time() - aidbox_secrets_looked_at_timestamp_seconds{${own}} > ${2 * day}`,
      for: "1h",
      labels: { severity: "warning" },
      annotations: {
        summary: "For two days nobody has told Prometheus how old the secrets are",
        description: "Have a schedule run status --metrics, and give Prometheus what it prints.",
        runbook_url: "docs/monitoring.md#the-secrets-ages",
      },
    },
  ];
}
