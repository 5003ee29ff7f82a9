import { each, oneOf, optional, shape } from "../check-props";
import { findResourceProblems, type IdentifiedResource, initBundle } from "../fhir";
import { identifiedResource } from "../fhir/resource-kind";
import type { SecretTable } from "../secrets";

/** What Aidbox makes at each start, before it serves. */
export interface InitResources {
  /** In the order in which they are made; `withSecrets` of `aidbox-secrets/fhir` makes their references. */
  readonly resources: readonly IdentifiedResource[];
  /**
   * What an entry that fails does: a `transaction` keeps Aidbox from starting, a `batch` is a warning in its log.
   * @default "transaction"
   */
  readonly type?: "transaction" | "batch";
}

/** What each part of them is. */
export const initResourcesChecks = {
  resources: each(identifiedResource),
  type: optional(oneOf("transaction", "batch")),
};
export const initResources = shape<InitResources>(initResourcesChecks);

/** Most that a ConfigMap can hold, in bytes, with room for its own fields (Kubernetes: 1 MiB for the whole object). */
const largestBytes = 1_000_000;

/** What is wrong with resources for an Init Bundle. */
export function findInitResourcesProblems(table: SecretTable, init: InitResources): string[] {
  const { resources } = init;
  const problems = resources.flatMap((resource) => findResourceProblems(table, resource));
  const names = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  problems.push(...twice.map((name) => `${name}: is there twice, and the last one would win: leave one out`));
  if (problems.length > 0) return problems;
  const size = Buffer.byteLength(bundleContent(init));
  if (size <= largestBytes) return [];
  return [`is of ${size} bytes, and a ConfigMap holds ${largestBytes}: load large resources by Aidbox's API instead`];
}

/** The JSON that `BOX_INIT_BUNDLE` leads to. */
export function bundleContent({ resources, type }: InitResources): string {
  // Pulumi hands a config over with its keys sorted, a file has them as written: both must make one content.
  return JSON.stringify(initBundle(resources, type === undefined ? {} : { type }), (_, value) => inOrder(value), 2);
}

/** An object with its keys sorted, as those are of which it is made. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
