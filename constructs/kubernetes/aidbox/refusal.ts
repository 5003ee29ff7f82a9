import type { Construct } from "constructs";
import { refuseProps } from "../../check-props";
import type { Problem } from "../../secrets";
import { findDatabaseProblems } from "../database";
import { waitingContainerName } from "../wait-for-files";
import { keypairContainerName } from "../wait-for-keypairs";
import { aidboxChecks } from "./checks";
import { containerFolders } from "./container";
import type { Identity } from "./identity";
import type { AidboxProps } from "./props";
import { findAidboxProblems, findInitBundleClashes, findPodProblems, findReservedProblems, type OwnPod } from "./rules";

/** @throws Error that lists everything that is wrong with the props, with the construct's path */
export function refuseProblems(construct: Construct, props: AidboxProps, identity: Identity): void {
  refuseProps(construct.node.path, props, aidboxChecks, () => [
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

/** The bundle's own URL would be lost, or this one. */
function initBundleProblems({ environment = {}, secrets }: AidboxProps): Problem[] {
  return findInitBundleClashes(Object.keys(environment), secrets.table.secrets);
}
