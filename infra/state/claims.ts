import type { KubeApi } from "../cluster/kube-api";

/** Names of the volume claims in a namespace, of whomever, but for those that somebody has deleted already. */
export async function claimsIn(api: KubeApi, namespace: string): Promise<readonly string[]> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await core.listNamespacedPersistentVolumeClaim({ namespace });
  return items.flatMap(({ metadata }) => (metadata?.deletionTimestamp === undefined ? [metadata!.name!] : []));
}
