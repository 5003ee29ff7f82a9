import { ApiObject, Duration } from "cdk8s";
import type { Construct } from "constructs";
import { pathBelow, refuseProps, text, texts } from "../../check-props";
import { metricsPortName } from "./defaults";
import { serviceMonitorChecks } from "./option-checks";

/** How Prometheus' operator has Aidbox watched. */
export interface ServiceMonitorOptions {
  /**
   * Time from one look at `/metrics` to the next. The two others, which Aidbox counts once a minute and once an hour, are
   * looked at each minute and each ten minutes.
   * @default Duration.seconds(10), as in the vendor's chart
   */
  readonly interval?: Duration;
  /**
   * Labels by which a Prometheus finds the monitor, as `release: prometheus`.
   * @default - Aidbox's own only
   */
  readonly labels?: Record<string, string>;
}

/** Which Service is watched, and how often. */
export interface AidboxServiceMonitorProps extends ServiceMonitorOptions {
  /** Aidbox's name, which the monitor takes too. */
  readonly name: string;
  /** Labels of the metrics' Service, by which the monitor selects it; that of the web has them too, but not the port. */
  readonly serviceLabels: Record<string, string>;
}

const checks = { ...serviceMonitorChecks, name: text, serviceLabels: texts };

/** A ServiceMonitor of Aidbox's three pages of metrics. Its CRD is the Prometheus operator's. */
export class AidboxServiceMonitor extends ApiObject {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxServiceMonitorProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, serviceLabels, interval = Duration.seconds(10) } = props;
    const endpoint = (path: string, every: Duration, more: object = {}): object => ({
      port: metricsPortName,
      path,
      interval: `${every.toSeconds()}s`,
      honorLabels: true,
      // The process id is another after each restart, and would begin each series anew.
      metricRelabelings: [{ action: "labeldrop", regex: "pid" }],
      ...more,
    });
    super(scope, id, {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: { name, labels: { ...props.labels, ...serviceLabels } },
      spec: {
        selector: { matchLabels: serviceLabels },
        endpoints: [
          endpoint("/metrics", interval),
          endpoint("/metrics/minutes", Duration.minutes(1)),
          // It asks much of the database, and takes longer than Prometheus' ten seconds, says Aidbox's documentation.
          endpoint("/metrics/hours", Duration.minutes(10), { scrapeTimeout: "30s" }),
        ],
      },
    });
  }
}
