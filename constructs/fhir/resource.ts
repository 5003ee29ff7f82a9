import type { SecretResourceType } from "./secret-fields";

/** Any FHIR resource whose id is known; every further element is the caller's. */
export interface IdentifiedResource {
  /** FHIR resource type, as `Client`. */
  readonly resourceType: string;
  /** Id by which Aidbox updates the resource at the next start, in place of making a second one. */
  readonly id: string;
}

/** A resource that can refer to secrets. */
export interface SecretResource extends IdentifiedResource {
  /** One of the types that `secretFields` names. */
  readonly resourceType: SecretResourceType;
}
