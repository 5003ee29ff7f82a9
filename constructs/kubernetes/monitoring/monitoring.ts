import { ApiObject } from "cdk8s";
import { ConfigMap } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { each, label, object, optional, refuseProps, shape, text, texts } from "../../check-props";
import type { Problem } from "../../secrets";
import { assertMayAdd, whenRendered } from "../additions";
import { alertRules, type RuleGroup } from "./alert-rules";
import { dashboard } from "./dashboard";
import type { Watched } from "./watched";
import { watchedChecks, watchedRepublisher } from "./watched-checks";

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

/**
 * Alert rules, as a PrometheusRule, whose CRD is the Prometheus operator's; and a Grafana dashboard in a ConfigMap.
 * @example
 * ```ts
 * import { App, Chart } from "cdk8s";
 * import { Monitoring } from "aidbox-secrets/kubernetes";
 *
 * const app = new App();
 * new Monitoring(new Chart(app, "monitoring"), "monitoring", {
 *   name: "aidbox-secrets",
 *   namespace: "monitoring",
 *   labels: { release: "prometheus" },
 *   watched: {
 *     environment: "prod",
 *     vault: { namespace: "vault", name: "vault" },
 *     republishers: [{ namespace: "aidbox", deployment: "aidbox-republisher" }],
 *     hasAges: false,
 *   },
 * });
 * app.synth();
 * ```
 */
export class Monitoring extends Construct {
  private readonly watched: Watched;
  private readonly republishers: Watched["republishers"][number][];
  /** Groups of the user's own. */
  private readonly groups: RuleGroup[] = [];

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks);
    const { name, namespace, watched, labels = {}, dashboardLabels } = props;
    this.watched = watched;
    this.republishers = [...watched.republishers];
    new ApiObject(this, "rules", {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name, namespace, labels: { ...labels } },
      spec: { groups: whenRendered(() => [...alertRules(this.allWatched), ...this.groups]) },
    });
    if (dashboardLabels !== undefined) {
      new ConfigMap(this, "dashboard", {
        metadata: { name: `${name}-dashboard`, namespace, labels: { ...dashboardLabels } },
        data: { [`${name}.json`]: whenRendered(() => JSON.stringify(dashboard(this.allWatched), undefined, 2)) },
      });
    }
  }

  /**
   * Watches a further Republisher, as that of another app.
   *
   * @throws Error with the construct's path where it is watched already, is none, or comes too late
   */
  public addRepublisher(republisher: Watched["republishers"][number]): void {
    const check = watchedRepublisher;
    assertMayAdd(this, { what: "republisher", value: republisher, check, present: this.republishers });
    this.republishers.push(republisher);
  }

  /**
   * Adds a group of rules of your own to the PrometheusRule.
   *
   * @throws Error with the construct's path where it has a group of that name, or it comes too late
   */
  public addRules(group: RuleGroup): void {
    const names = (): string[] => [...alertRules(this.allWatched), ...this.groups].map(({ name }) => name);
    const further = (): Problem[] =>
      names().includes(group.name)
        ? [{ key: "group.name", message: `"${group.name}": is another group's already: write another` }]
        : [];
    assertMayAdd(this, { what: "group", value: group, check: ruleGroup, further });
    this.groups.push(group);
  }

  private get allWatched(): Watched {
    return { ...this.watched, republishers: this.republishers };
  }
}

/** As far as it is looked at: Prometheus' own check says more. */
const ruleGroup = shape<RuleGroup>({ name: text, rules: each(object) });

const checks = {
  name: text,
  namespace: label,
  watched: shape<Watched>(watchedChecks),
  labels: optional(texts),
  dashboardLabels: optional(texts),
};
