import type { KubeApi } from "../cluster/kube-api";
import type { Adoptable } from "./adoptable";

/**
 * Has nobody own the fields of the objects that are taken over: `kubectl apply` has written there that they are its own, and the
 * API server would refuse an `up` that changes them. Of the objects themselves nothing changes.
 */
export async function takeFields(api: KubeApi, adoptables: readonly Adoptable[]): Promise<void> {
  const objects = api.config.makeApiClient(api.client.KubernetesObjectApi);
  const references = adoptables.flatMap(({ resource: { type, inputs } }) => {
    const { apiVersion, kind, metadata } = inputs as Partial<ObjectReference>; // a Helm release has none of them
    const isObject = type.startsWith("kubernetes:") && apiVersion !== undefined && kind !== undefined;
    return isObject && metadata !== undefined
      ? [{ apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace } }]
      : [];
  });
  for (const { metadata, ...reference } of references) {
    const patch = { ...reference, metadata: { ...metadata, managedFields: [{}] } };
    const strategy = api.client.PatchStrategy.MergePatch;
    await objects.patch(patch, undefined, undefined, undefined, undefined, strategy);
  }
}

interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}
