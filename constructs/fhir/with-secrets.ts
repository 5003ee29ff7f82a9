import { type Check, each, refuseArguments, secretTable, text, valuesOf } from "../check-props";
import type { SecretTable } from "../secrets";
import type { Element } from "./element";
import { placeReferences } from "./placement";
import { refusePlainSecrets } from "./plain-secrets";
import type { SecretResource } from "./resource";
import { identifiedResource } from "./resource-kind";
import {
  checkSecretField,
  type RepeatingField,
  type SecretField,
  secretFields,
  type SecretResourceType,
} from "./secret-fields";
import { secretReference } from "./secret-reference";

const nameOrNames: Check = (value) => (Array.isArray(value) ? each(text)(value) : text(value));

/**
 * Names of the table's secrets by field, in the documentation's words: `{ "client.private-key": "okta-key" }`.
 *
 * `jwt.keys.k` takes a name for each key with `kty: "OCT"`, in their order; `parameter.header` one for each header that is
 * to be added. Every other field takes one name.
 */
export type SecretNames<T extends SecretResourceType> = {
  readonly [F in SecretField<T>]?: F extends RepeatingField ? string | readonly string[] : string;
};

/**
 * The resource with references to secrets of the table in place of their values.
 *
 * Elements keep their order, and references follow in the order of `secretFields`. A parameter of an
 * AidboxTopicDestination is added whole; every other field's parent is made where it is missing.
 *
 * @throws Error that lists all that is wrong with the arguments; Error where `secretReference` does
 * @throws Error where a field has a value or a reference already, or the number of names is not that of its places
 * @throws Error where another field holds a secret in plain text; it never shows the value
 * @example
 * ```ts
 * import { withSecrets } from "aidbox-secrets/fhir";
 * import { SecretTable } from "aidbox-secrets/secrets";
 *
 * const table = new SecretTable({
 *   secrets: [{ name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } }],
 * });
 * export const client = withSecrets(
 *   table,
 *   { resourceType: "Client", id: "basic", grant_types: ["basic"] },
 *   { secret: "client-secret" },
 * );
 * ```
 */
export function withSecrets<R extends SecretResource>(
  table: SecretTable,
  resource: R,
  secrets: SecretNames<R["resourceType"]>,
): R {
  const checks = { table: secretTable, resource: identifiedResource, secrets: valuesOf(nameOrNames) };
  refuseArguments("withSecrets", { table, resource, secrets }, checks);
  const given: SecretResource = resource;
  const { resourceType, id } = given;
  const at = `${resourceType}/${id}`;
  for (const field of Object.keys(secrets)) checkSecretField(at, resourceType, field);

  const named: Partial<Record<SecretField, string | readonly string[]>> = secrets;
  let element: Element = { ...given };
  for (const field of secretFields[resourceType]) {
    const names = named[field];
    if (names === undefined) continue;
    const references = [names].flat().map((name) => secretReference(table, { resourceType, id, field }, name));
    element = placeReferences(at, element, field, references);
  }
  const result = element as Element & R;
  refusePlainSecrets(result);
  return result;
}
