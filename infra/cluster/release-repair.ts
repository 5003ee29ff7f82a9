import * as pulumi from "@pulumi/pulumi";
import { releaseMarkName } from "../../constructs/platform/names";
import { type MarkedRelease, repairKey } from "../../constructs/platform/release-mark";
import type { InstalledObject } from "./helm-releases";
import type { KubeApi } from "./kube-api";
import { describeLost, lostObjects } from "./lost-objects";

/**
 * What to have Helm repair a release with. Pulumi compares a release with Helm's record alone, and so does not see that
 * somebody deleted what the release had installed.
 *
 * @returns the time of the last repair, which is now where one of its objects is gone; undefined where the release never
 * needed one, or is not installed
 */
export async function repairOf(api: KubeApi, release: MarkedRelease): Promise<string | undefined> {
  const { namespace, releaseName } = release;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const mark = await api.find(core.readNamespacedConfigMap({ namespace, name: releaseMarkName(releaseName) }));
  if (mark === undefined) return undefined;
  const lost = await lostObjects(api, release);
  if (lost === undefined || lost.length === 0) return mark.data?.[repairKey];
  await pulumi.log.warn(`${describeLost(release, lost)}: Helm puts back what is gone${refusedTokens(lost)}`);
  return new Date().toISOString();
}

/** A ServiceAccount that is made anew is another: kubelet keeps the pods' tokens of the former for up to an hour. */
function refusedTokens(lost: readonly InstalledObject[]): string {
  return lost.some(({ kind }) => kind === "ServiceAccount")
    ? "; restart the pods that run by that ServiceAccount, since the cluster refuses the tokens that they have"
    : "";
}
