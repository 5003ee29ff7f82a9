import type { Construct } from "constructs";
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
  const problems = [
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
  ];
  if (problems.length === 0) return;
  throw new Error(
    [
      `The props of ${construct.node.path} are not valid:`,
      ...problems.map(({ key, message }) => `  ${key}: ${message}`),
    ].join("\n"),
  );
}

/** The bundle's own URL would be lost, or this one. */
function initBundleProblems({ environment = {}, secrets }: AidboxProps): Problem[] {
  return findInitBundleClashes(Object.keys(environment), secrets.table.secrets);
}
