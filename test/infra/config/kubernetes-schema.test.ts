import type { V1Affinity, V1Toleration } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type * as z from "zod";
import type { affinity, toleration } from "../../../infra/config/kubernetes-schema";

/** The keys of a type, and of what is below it. */
type Keys<T> = T extends readonly (infer Item)[]
  ? Keys<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Keys<NonNullable<T[Key]>> }
    : "value";

type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;

test("what is handed through has the keys of Kubernetes' API, no more and no fewer", () => {
  // The compiler checks it, against the types that Kubernetes' own client has from its OpenAPI.
  const sameAffinity: Same<Keys<z.infer<typeof affinity>>, Keys<V1Affinity>> = true;
  const sameToleration: Same<Keys<z.infer<typeof toleration>>, Keys<V1Toleration>> = true;
  expect([sameAffinity, sameToleration]).toEqual([true, true]);
});
