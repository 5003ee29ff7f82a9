import type { KubeApi } from "./kube-api";

/** Kubernetes Secret of the key with which the CSI provider makes versions of what it has mounted; it makes it itself. */
const name = "vault-csi-provider-hmac-key";

/**
 * Has a CSI provider in another namespace go on with the key of the one before it. By a key of its own each mount would
 * show another version, and what has secrets as environment would be rolled for nothing.
 */
export async function takeVersionKeyAlong(api: KubeApi, from: string, to: string): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const [former, present] = await Promise.all(
    [from, to].map((namespace) => api.find(core.readNamespacedSecret({ namespace, name }))),
  );
  if (former?.data === undefined || present !== undefined) return;
  const body = Object.assign(new api.client.V1Secret(), { metadata: { name }, immutable: true, data: former.data });
  await core.createNamespacedSecret({ namespace: to, body });
}
