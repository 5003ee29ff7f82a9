import type { SecretResourceType } from "./secret-fields";

/** Any FHIR resource whose id is known; every further element is the caller's. */
export interface IdentifiedResource {
  readonly resourceType: string;
  readonly id: string;
}

/** A resource that can refer to secrets. */
export interface SecretResource extends IdentifiedResource {
  readonly resourceType: SecretResourceType;
}
