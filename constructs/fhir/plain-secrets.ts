import { childOf, childrenOf, type Element } from "./element";
import type { IdentifiedResource } from "./resource";
import { alwaysSecretFields, type SecretField } from "./secret-fields";

/**
 * Keeps what is always a secret out of a resource that is to be stored or published as it is.
 *
 * @throws Error that names the field, and never the value
 */
export function refusePlainSecrets(resource: IdentifiedResource): void {
  const at = `${resource.resourceType}/${resource.id}`;
  for (const field of alwaysSecretFields(resource.resourceType)) {
    if (hasValue(at, { ...resource }, field)) {
      throw new Error(
        `${at}: ${field} holds a secret in plain text. Leave it out, and name a secret of the table for it`,
      );
    }
  }
}

function hasValue(at: string, resource: Element, field: SecretField): boolean {
  const [parent, name] = field.split(".");
  if (field === "jwt.keys.k") {
    return childrenOf(at, childOf(at, resource, "jwt"), "keys").some((key) => key.k !== undefined);
  }
  if (parent === "parameter") {
    const parameters = childrenOf(at, resource, "parameter");
    return parameters.some((parameter) => parameter.name === name && parameter.valueString !== undefined);
  }
  return (name === undefined ? resource[field] : childOf(at, resource, parent!)[name]) !== undefined;
}
