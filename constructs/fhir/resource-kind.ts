import { type Check, object, propProblems, text } from "../check-props";
import type { IdentifiedResource } from "./resource";

/** Whether a value is a resource of FHIR, as far as the constructs look at it. */
export const identifiedResource: Check = (value) => {
  if (object(value) !== undefined) return object(value);
  const { resourceType, id } = value as IdentifiedResource;
  return propProblems({ resourceType, id }, { resourceType: text, id: text }, ".");
};
