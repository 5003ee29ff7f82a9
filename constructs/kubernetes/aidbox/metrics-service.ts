import { Service } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, port, refuseProps, text, texts } from "../../check-props";
import { metricsPortName } from "./defaults";
import type { Identity } from "./identity";

/** Whose metrics, and where they are served. */
export interface AidboxMetricsServiceProps extends Pick<Identity, "name" | "labels"> {
  /** TCP port of the metrics in the pods, and of this Service. */
  readonly metricsPort: number;
}

const checks = { name: text, labels: texts, metricsPort: port };

/** Leads to the metrics of Aidbox's pods. Apart from the other Service, which a load balancer may show to the world. */
export class AidboxMetricsService extends Service {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxMetricsServiceProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, metricsPort } = props;
    super(scope, id, {
      metadata: { name: `${name}-metrics`, labels },
      ports: [{ name: metricsPortName, port: metricsPort, targetPort: metricsPort }],
    });
    for (const [label, value] of Object.entries(labels)) this.selectLabel(label, value);
  }
}
