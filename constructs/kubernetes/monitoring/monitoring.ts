import { ApiObject } from "cdk8s";
import { ConfigMap } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { object, optional, refuseProps, shape, text } from "../../check-props";
import { alertRules, type Watched } from "./alert-rules";
import { dashboard } from "./dashboard";
import { watchedChecks } from "./watched-checks";

/** What is watched, and how Prometheus and Grafana find it. */
export interface MonitoringProps {
  /** Name of the PrometheusRule, and of the dashboard's ConfigMap. */
  readonly name: string;
  /** Namespace of both. */
  readonly namespace: string;
  /** What the rules and the dashboard are about. */
  readonly watched: Watched;
  /** Labels by which a Prometheus finds the rules. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels by which Grafana finds the dashboard. @default - there is no dashboard */
  readonly dashboardLabels?: Readonly<Record<string, string>>;
}

/** Alert rules, as a PrometheusRule, whose CRD is the Prometheus operator's; and a Grafana dashboard in a ConfigMap. */
export class Monitoring extends Construct {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks);
    const { name, namespace, watched, labels = {}, dashboardLabels } = props;
    new ApiObject(this, "rules", {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name, namespace, labels: { ...labels } },
      spec: { groups: alertRules(watched) },
    });
    if (dashboardLabels !== undefined) {
      new ConfigMap(this, "dashboard", {
        metadata: { name: `${name}-dashboard`, namespace, labels: { ...dashboardLabels } },
        data: { [`${name}.json`]: JSON.stringify(dashboard(watched), undefined, 2) },
      });
    }
  }
}

const checks = {
  name: text,
  namespace: text,
  watched: shape<Watched>(watchedChecks),
  labels: optional(object),
  dashboardLabels: optional(object),
};
