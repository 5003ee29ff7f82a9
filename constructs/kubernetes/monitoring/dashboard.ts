import { refuseArguments } from "../../check-props";
import type { Watched } from "./watched";
import { watchedChecks } from "./watched-checks";

interface Panel {
  readonly title: string;
  /** What it says to a reader who does not know the metric. */
  readonly description: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
  /** @default "short" */
  readonly unit?: string;
}

const width = 12;
const height = 8;

/**
 * A Grafana dashboard of what is watched, as Grafana imports it.
 *
 * @throws Error that lists all that is wrong with what is watched
 */
export function dashboard(watched: Watched): object {
  refuseArguments("dashboard", watched, watchedChecks);
  return {
    title: `Aidbox secrets: ${watched.environment}`,
    uid: `aidbox-secrets-${watched.environment}`.slice(0, 40),
    tags: ["aidbox-secrets"],
    schemaVersion: 39,
    editable: false,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" }],
    },
    panels: panelsOf(watched).map(({ title, description, queries, unit = "short" }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      description,
      datasource: { type: "prometheus", uid: "${datasource}" },
      gridPos: { x: (index % 2) * width, y: Math.floor(index / 2) * height, w: width, h: height },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
      targets: queries.map(({ expr, legend }, each) => ({
        refId: String.fromCharCode("A".charCodeAt(0) + each),
        expr,
        legendFormat: legend,
      })),
    })),
  };
}

function panelsOf({ environment, vault, driver, republishers, hasAges }: Watched): Panel[] {
  const panels: Panel[] = [];
  if (vault !== undefined) {
    const servers = `namespace="${vault.namespace}",pod=~"${vault.name}-[0-9]+"`;
    panels.push(
      {
        title: "Vault: unsealed servers, and the active one",
        description: "A sealed server serves nobody. Without an active one nothing can be read.",
        queries: [
          { expr: `max by (pod) (vault_core_unsealed{${servers}})`, legend: "{{pod}} unsealed" },
          { expr: `sum(vault_core_active{${servers}})`, legend: "active servers" },
        ],
      },
      {
        title: "Vault: requests",
        description: "Requests that Vault carries out, in a second.",
        unit: "reqps",
        queries: [
          { expr: `sum by (pod) (rate(vault_core_handle_request_count{${servers}}[5m]))`, legend: "{{pod}}" },
          { expr: `sum(rate(vault_core_handle_login_request_count{${servers}}[5m]))`, legend: "logins" },
        ],
      },
      {
        title: "Vault: audit log",
        description: "Failures of one device are a warning. A request that no device takes is refused.",
        queries: [
          { expr: `sum by (pod) (increase(vault_audit_sink_failure{${servers}}[5m]))`, legend: "{{pod}} devices" },
          {
            expr: `sum by (pod) (increase(vault_audit_log_request_failure{${servers}}[5m]) + increase(vault_audit_log_response_failure{${servers}}[5m]))`,
            legend: "{{pod}} refused",
          },
        ],
      },
    );
    if (vault.snapshots !== undefined) {
      const job = `namespace="${vault.namespace}",cronjob="${vault.snapshots.cronJob}"`;
      panels.push({
        title: "Vault: age of the newest snapshot",
        description: "What was written since would be lost with Vault's volumes.",
        unit: "s",
        queries: [{ expr: `time() - kube_cronjob_status_last_successful_time{${job}}`, legend: "age" }],
      });
    }
  }
  if (driver !== undefined) {
    const pods = `namespace="${driver.namespace}",pod=~"${driver.daemonSet}-.*",provider="${driver.provider}"`;
    panels.push({
      title: "Volumes published again",
      description: "Errors are hidden from pods, which keep the value that they have.",
      queries: [
        { expr: `sum by (pod) (increase(rotation_reconcile_total{${pods}}[5m]))`, legend: "{{pod}} done" },
        {
          expr: `sum by (pod, error_type) (increase(rotation_reconcile_error_total{${pods}}[5m]))`,
          legend: "{{pod}} {{error_type}}",
        },
      ],
    });
  }
  if (republishers.length > 0) {
    panels.push({
      title: "Republishers at work",
      description: "Without it a change takes kubelet's own 60 to 90 s.",
      queries: republishers.map(({ namespace, deployment }) => ({
        expr: `kube_deployment_status_replicas_available{namespace="${namespace}",deployment="${deployment}"}`,
        legend: `${namespace}/${deployment}`,
      })),
    });
  }
  if (hasAges) {
    const own = `environment="${environment}"`;
    panels.push({
      title: "Age of the secrets",
      description: "By status --metrics, and how old each may grow.",
      unit: "s",
      queries: [
        { expr: `time() - aidbox_secret_rotated_timestamp_seconds{${own}}`, legend: "{{secret}}" },
        { expr: `aidbox_secret_max_age_seconds{${own}}`, legend: "{{secret}} at most" },
      ],
    });
  }
  return panels;
}
