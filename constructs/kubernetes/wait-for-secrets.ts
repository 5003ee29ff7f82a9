import type { Container, ContainerProps, Workload } from "cdk8s-plus-28";
import type { Secret } from "../secrets";
import type { SecretMount } from "./secret-provider-class";
import { waitForFiles } from "./wait-for-files";
import { keypairFiles, waitForKeypairs } from "./wait-for-keypairs";

/** Adds the init containers that hold a workload back until its secrets are there, whole. */
export function addWaiting(
  workload: Workload,
  { table, mountsPathsWhole }: SecretMount,
  common: Pick<ContainerProps, "image" | "imagePullPolicy" | "securityContext">,
): readonly Container[] {
  const filesOf = (secrets: readonly Secret[]): string[] => secrets.map((secret) => table.filePath(secret));
  const filled = filesOf(table.secrets.filter(({ mayBeEmpty }) => mayBeEmpty !== true));
  const others = filesOf(table.secrets.filter(({ mayBeEmpty }) => mayBeEmpty === true));
  const waiting = [workload.addInitContainer({ ...waitForFiles(common.image, filled, others), ...common })];
  const pairs = mountsPathsWhole === false ? keypairFiles(table) : [];
  if (pairs.length > 0) waiting.push(workload.addInitContainer({ ...waitForKeypairs(common.image, pairs), ...common }));
  return waiting;
}
