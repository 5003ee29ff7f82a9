import { refusePlainSecrets } from "./plain-secrets";
import type { IdentifiedResource } from "./resource";

/** How Aidbox makes a resource at its start. */
export type InitRequest =
  | { readonly method: "PUT"; readonly url: string }
  | { readonly method: "POST"; readonly url: string; readonly ifNoneExist: string };

/** The Bundle whose URL `BOX_INIT_BUNDLE` takes. */
export interface InitBundle<R extends IdentifiedResource> {
  readonly resourceType: "Bundle";
  readonly type: "transaction" | "batch";
  readonly entry: readonly { readonly request: InitRequest; readonly resource: R }[];
}

export interface InitBundleOptions {
  /**
   * What an entry that fails does: a `transaction` keeps Aidbox from starting, a `batch` is a warning in its log.
   * @default "transaction"
   */
  readonly type?: "transaction" | "batch";
}

/**
 * The resources as an Init Bundle, which Aidbox runs at each start: in their order, and the same result every time.
 *
 * An AidboxTopicDestination is made where there is none, and stays as it is where there is one: Aidbox cannot change it.
 * Delete it, and the next start makes it anew.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/init-bundle
 *
 * @throws Error where a field that is always a secret holds it in plain text; it never shows the value
 */
export function initBundle<R extends IdentifiedResource>(
  resources: readonly R[],
  options: InitBundleOptions = {},
): InitBundle<R> {
  for (const resource of resources) refusePlainSecrets(resource);
  return {
    resourceType: "Bundle",
    type: options.type ?? "transaction",
    entry: resources.map((resource) => ({ request: requestFor(resource), resource })),
  };
}

function requestFor({ resourceType, id }: IdentifiedResource): InitRequest {
  // Aidbox answers a PUT of this type with 405, also inside a bundle.
  if (resourceType === "AidboxTopicDestination") {
    return { method: "POST", url: resourceType, ifNoneExist: `_id=${id}` };
  }
  return { method: "PUT", url: `${resourceType}/${id}` };
}
