import type { Construct } from "constructs";
import { object, optional, refuseProps, shape, text, wholeNumber } from "../../check-props";
import type { Problem } from "../../secrets";
import { findDatabaseProblems } from "../database";
import { waitingContainerName } from "../wait-for-files";
import { keypairContainerName } from "../wait-for-keypairs";
import type { AutoscalingOptions } from "./autoscaler";
import { containerFolders } from "./container";
import type { DisruptionBudgetOptions } from "./disruption-budget";
import type { GatewayRouteOptions } from "./gateway-route";
import type { Identity } from "./identity";
import type { IngressOptions } from "./ingress";
import type { NetworkPolicyOptions } from "./network-policy";
import {
  autoscalingChecks,
  disruptionBudgetChecks,
  gatewayRouteChecks,
  ingressChecks,
  networkPolicyChecks,
  serviceChecks,
  serviceMonitorChecks,
} from "./option-checks";
import type { AidboxProps } from "./props";
import { findAidboxProblems, findInitBundleClashes, findPodProblems, findReservedProblems, type OwnPod } from "./rules";
import type { ServiceOptions } from "./service";
import type { ServiceMonitorOptions } from "./service-monitor";

/** @throws Error that lists everything that is wrong with the props, with the construct's path */
export function refuseProblems(construct: Construct, props: AidboxProps, identity: Identity): void {
  refuseProps(construct.node.path, props, checks, () => [
    ...findAidboxProblems(props),
    ...findReservedProblems(props.secrets.table.mountPath, props.secrets.table.rows),
    ...(props.initBundle === undefined ? [] : initBundleProblems(props)),
    ...(props.database === undefined ? [] : findDatabaseProblems(props.secrets.table.secrets, props.environment)),
    ...findPodProblems(props.pod ?? {}, ownPodOf(props, identity)),
  ]);
}

/** What of the pods is Aidbox's own. */
export function ownPodOf({ secrets }: Pick<AidboxProps, "secrets">, { name, labels }: Identity): OwnPod {
  const { config, initBundle, databaseCa, temporary } = containerFolders;
  return {
    labels,
    containerNames: [waitingContainerName, keypairContainerName, name],
    readOnlyFolders: [secrets.table.mountPath, config, initBundle, databaseCa],
    writableFolders: [temporary],
  };
}

const checks = {
  name: optional(text),
  image: text,
  imagePull: optional(object),
  replicas: optional(wholeNumber),
  autoscaling: optional(shape<AutoscalingOptions>(autoscalingChecks)),
  disruptionBudget: optional(shape<DisruptionBudgetOptions>(disruptionBudgetChecks)),
  maxInstances: optional(wholeNumber),
  strategy: optional(object),
  placement: optional(object),
  resources: optional(object),
  probes: optional(object),
  environment: optional(object),
  database: optional(object),
  environmentFrom: optional(object),
  security: optional(object),
  pod: optional(object),
  annotations: optional(object),
  port: optional(wholeNumber),
  service: optional(shape<ServiceOptions>(serviceChecks)),
  ingress: optional(shape<IngressOptions>(ingressChecks)),
  gatewayRoute: optional(shape<GatewayRouteOptions>(gatewayRouteChecks)),
  metricsPort: optional(wholeNumber),
  serviceMonitor: optional(shape<ServiceMonitorOptions>(serviceMonitorChecks)),
  networkPolicy: optional(shape<NetworkPolicyOptions>(networkPolicyChecks)),
  secrets: object,
  serviceAccount: object,
  vaultConfig: object,
  initBundle: optional(object),
};

/** The bundle's own URL would be lost, or this one. */
function initBundleProblems({ environment = {}, secrets }: AidboxProps): Problem[] {
  return findInitBundleClashes(Object.keys(environment), secrets.table.secrets);
}
