import { Service } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { metricsPortName } from "./defaults";
import type { Identity } from "./identity";

/** Whose metrics, and where they are served. */
export interface AidboxMetricsServiceProps extends Pick<Identity, "name" | "labels"> {
  /** TCP port of the metrics in the pods, and of this Service. */
  readonly metricsPort: number;
}

/** Leads to the metrics of Aidbox's pods. Apart from the other Service, which a load balancer may show to the world. */
export class AidboxMetricsService extends Service {
  public constructor(scope: Construct, id: string, { name, labels, metricsPort }: AidboxMetricsServiceProps) {
    super(scope, id, {
      metadata: { name: `${name}-metrics`, labels },
      ports: [{ name: metricsPortName, port: metricsPort, targetPort: metricsPort }],
    });
    for (const [label, value] of Object.entries(labels)) this.selectLabel(label, value);
  }
}
