import * as pulumi from "@pulumi/pulumi";
import type { DaemonSetReference } from "../../constructs/platform/index";
import type { Cluster } from "../cluster/cluster";

/** What resolves once a DaemonSet is ready on every node, where there is one, after it was installed. */
export function whenReady(
  cluster: Cluster,
  daemonSet: DaemonSetReference | undefined,
  installed: pulumi.Output<unknown> | undefined,
): pulumi.Output<unknown>[] {
  if (daemonSet === undefined || installed === undefined) return [];
  return [installed.apply(() => (pulumi.runtime.isDryRun() ? undefined : cluster.daemonSetReady(daemonSet)))];
}
