import type { StateResource } from "./stack-state";

/** An object of the cluster that the state may have. */
export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whether the state has a Helm release, be it installed by this stack or adopted. */
export function hasRelease(
  state: readonly StateResource[],
  { namespace, releaseName }: { readonly namespace: string; readonly releaseName: string },
): boolean {
  return state.some(
    ({ type, inputs }) =>
      type === "kubernetes:helm.sh/v3:Release" && inputs.name === releaseName && inputs.namespace === namespace,
  );
}

/** Whether the state has an object of a namespace, be it made by this stack or adopted. */
export function hasObject(state: readonly StateResource[], { kind, namespace, name }: ObjectReference): boolean {
  return state.some(({ type, inputs }) => {
    const { metadata = {} } = inputs as { readonly metadata?: { readonly name?: string; readonly namespace?: string } };
    return type.endsWith(`:${kind}`) && metadata.name === name && metadata.namespace === namespace;
  });
}
