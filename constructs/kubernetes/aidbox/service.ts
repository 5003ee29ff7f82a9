import { Service, type ServiceType } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, port, refuseProps, text, texts } from "../../check-props";
import { type AnyVersion, asOwnVersion } from "../any-version";
import type { Identity } from "./identity";
import { serviceChecks } from "./option-checks";

/** How other pods, and load balancers, reach Aidbox. */
export interface ServiceOptions {
  /** @default "ClusterIP" */
  readonly type?: AnyVersion<ServiceType>;
  /** @default - the port of Aidbox */
  readonly port?: number;
  /** @default - none */
  readonly annotations?: Record<string, string>;
}

/** To which pods and port the Service leads. */
export interface AidboxServiceProps extends ServiceOptions, Pick<Identity, "name" | "labels" | "webPort"> {}

const checks = { ...serviceChecks, name: text, labels: texts, webPort: port };

/** Leads to Aidbox's pods. */
export class AidboxService extends Service {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxServiceProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, annotations, type, webPort } = props;
    super(scope, id, {
      metadata: { name, labels, annotations },
      type: type && asOwnVersion<ServiceType>(type),
      ports: [{ name: "http", port: props.port ?? webPort, targetPort: webPort }],
    });
    for (const [label, value] of Object.entries(labels)) this.selectLabel(label, value);
  }
}
