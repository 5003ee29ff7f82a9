import type { Construct } from "constructs";
import { object, optional, refuseProps, text, wholeNumber } from "../../check-props";
import type { Problem } from "../../secrets";
import { findDatabaseProblems } from "../database";
import { waitingContainerName } from "../wait-for-files";
import { keypairContainerName } from "../wait-for-keypairs";
import { containerFolders } from "./container";
import type { Identity } from "./identity";
import type { AidboxProps } from "./props";
import { findAidboxProblems, findInitBundleClashes, findPodProblems, findReservedProblems } from "./rules";

/** @throws Error that lists everything that is wrong with the props, with the construct's path */
export function refuseProblems(construct: Construct, props: AidboxProps, { name, labels }: Identity): void {
  refuseProps(construct.node.path, props, checks, () => [
    ...findAidboxProblems(props),
    ...findReservedProblems(props.secrets.table.mountPath, props.secrets.table.rows),
    ...(props.initBundle === undefined ? [] : initBundleProblems(props)),
    ...(props.database === undefined ? [] : findDatabaseProblems(props.secrets.table.secrets, props.environment)),
    ...findPodProblems(props.pod ?? {}, {
      labels,
      containerNames: [waitingContainerName, keypairContainerName, name],
      readOnlyFolders: [
        props.secrets.table.mountPath,
        containerFolders.config,
        containerFolders.initBundle,
        containerFolders.databaseCa,
      ],
      writableFolders: [containerFolders.temporary],
    }),
  ]);
}

const checks = {
  name: optional(text),
  image: text,
  imagePull: optional(object),
  replicas: optional(wholeNumber),
  autoscaling: optional(object),
  disruptionBudget: optional(object),
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
  service: optional(object),
  ingress: optional(object),
  gatewayRoute: optional(object),
  metricsPort: optional(wholeNumber),
  serviceMonitor: optional(object),
  networkPolicy: optional(object),
  secrets: object,
  serviceAccount: object,
  vaultConfig: object,
  initBundle: optional(object),
};

/** The bundle's own URL would be lost, or this one. */
function initBundleProblems({ environment = {}, secrets }: AidboxProps): Problem[] {
  return findInitBundleClashes(Object.keys(environment), secrets.table.secrets);
}
