import type { KubeApi } from "../../../cluster/kube-api";

/** What tells a cluster from any other, for as long as it lives. */
export async function clusterId(api: KubeApi): Promise<string> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { metadata } = await core.readNamespace({ name: "kube-system" });
  return metadata?.uid ?? "";
}
