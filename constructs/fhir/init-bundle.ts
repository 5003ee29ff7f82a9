import { each, oneOf, optional, refuseArguments, shape } from "../check-props";
import { refusePlainSecrets } from "./plain-secrets";
import type { IdentifiedResource } from "./resource";
import { identifiedResource } from "./resource-kind";

/** How Aidbox makes a resource at its start. */
export type InitRequest =
  | {
      /** Updates the resource, and makes it where there is none. */
      readonly method: "PUT";
      /** Type and id, as `Client/basic`. */
      readonly url: string;
    }
  | {
      /** Makes the resource; it is never updated. */
      readonly method: "POST";
      /** The type. */
      readonly url: string;
      /** Search that finds the resource where it is there already, as `_id=events`. */
      readonly ifNoneExist: string;
    };

/** The Bundle whose URL `BOX_INIT_BUNDLE` takes. */
export interface InitBundle<R extends IdentifiedResource> {
  /** What FHIR calls it. */
  readonly resourceType: "Bundle";
  /** Whether an entry that fails keeps Aidbox from starting (`transaction`), or is a warning in its log (`batch`). */
  readonly type: "transaction" | "batch";
  /** The resources in the order in which Aidbox makes them. */
  readonly entry: readonly {
    /** What Aidbox does with the resource. */
    readonly request: InitRequest;
    /** As it was given, with references in place of secrets. */
    readonly resource: R;
  }[];
}

/** How Aidbox runs the bundle. */
export interface InitBundleOptions {
  /**
   * What an entry that fails does: a `transaction` keeps Aidbox from starting, a `batch` is a warning in its log.
   * @default "transaction"
   */
  readonly type?: "transaction" | "batch";
}

const bundleOptions = shape<InitBundleOptions>({ type: optional(oneOf("transaction", "batch")) });

/**
 * The resources as an Init Bundle, which Aidbox runs at each start: in their order, and the same result every time.
 *
 * An AidboxTopicDestination is made where there is none, and stays as it is where there is one: Aidbox cannot change it.
 * Delete it, and the next start makes it anew.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/init-bundle
 *
 * @throws Error that lists all that is wrong with the arguments; Error where a field that is always a secret holds it in plain text; it never shows the value
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { initBundle } from "aidbox-secrets/fhir";
 *
 * const bundle = initBundle([{ resourceType: "Organization", id: "clinic", name: "The clinic" }]);
 * writeFileSync("bundle.json", JSON.stringify(bundle));
 * ```
 */
export function initBundle<R extends IdentifiedResource>(
  resources: readonly R[],
  options: InitBundleOptions = {},
): InitBundle<R> {
  refuseArguments(
    "initBundle",
    { resources, options },
    { resources: each(identifiedResource), options: bundleOptions },
  );
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
