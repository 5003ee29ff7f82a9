import { ApiObject, JsonPatch } from "cdk8s";
import type { Deployment, k8s } from "cdk8s-plus-28";

/** Sets fields of the pods' spec that cdk8s-plus has no props for, as far as they are defined. */
export function setPodFields(deployment: Deployment, fields: Partial<k8s.PodSpec>): void {
  const defined = Object.entries<unknown>({ ...fields }).filter(([, value]) => value !== undefined);
  ApiObject.of(deployment).addJsonPatch(
    ...defined.map(([field, value]) => JsonPatch.add(`/spec/template/spec/${field}`, value)),
  );
}
