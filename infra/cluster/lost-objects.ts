import * as pulumi from "@pulumi/pulumi";
import { type MarkedRelease, repairKey } from "../../constructs/platform/release-mark";
import { releaseMarkName } from "../../constructs/platform/names";
import type { KubeApi } from "./kube-api";

/** A release, and what it must have. */
export interface ReleaseWorkloads extends MarkedRelease {
  readonly daemonSets: readonly string[];
  readonly statefulSets: readonly string[];
  /** @default - none that is looked for */
  readonly clusterRoleBindings?: readonly string[];
}

/**
 * What to have Helm repair a release with. Pulumi compares a release with Helm's record alone, and so does not see that
 * somebody deleted what the release had installed.
 *
 * @returns the time of the last repair, which is now where one of these objects is gone; undefined where the
 * release never needed one, or is not installed
 */
export async function repairOf(api: KubeApi, release: ReleaseWorkloads): Promise<string | undefined> {
  const { namespace, releaseName } = release;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const rbac = api.config.makeApiClient(api.client.RbacAuthorizationV1Api);
  const mark = await api.find(core.readNamespacedConfigMap({ namespace, name: releaseMarkName(releaseName) }));
  if (mark === undefined) return undefined;
  const found = await Promise.all([
    ...release.daemonSets.map((name) => api.find(apps.readNamespacedDaemonSet({ namespace, name }))),
    ...release.statefulSets.map((name) => api.find(apps.readNamespacedStatefulSet({ namespace, name }))),
    ...(release.clusterRoleBindings ?? []).map((name) => api.find(rbac.readClusterRoleBinding({ name }))),
  ]);
  if (found.every((object) => object !== undefined)) return mark.data?.[repairKey];
  await pulumi.log.warn(`Objects of the Helm release ${namespace}/${releaseName} are gone: Helm puts them back`);
  return new Date().toISOString();
}
