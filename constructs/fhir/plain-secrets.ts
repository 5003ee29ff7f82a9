import { childOf, childrenOf, type Element } from "./element";
import type { IdentifiedResource } from "./resource";
import { alwaysSecretFields, type SecretField, secretFields } from "./secret-fields";

/**
 * Keeps a secret in plain text out of a resource that is to be stored or published as it is.
 *
 * @throws Error that names the field, and never the value
 */
export function refusePlainSecrets(resource: IdentifiedResource): void {
  const [first] = findPlainSecrets(resource);
  if (first !== undefined) throw new Error(first);
}

/**
 * What a resource holds in plain text that is a secret: what is one always, what looks like a credential in a field that
 * may hold other text too, and what any resource has under a secret's name. It never shows a value.
 */
export function findPlainSecrets(resource: IdentifiedResource): string[] {
  const at = `${resource.resourceType}/${resource.id}`;
  const fields = new Set<string>(
    alwaysSecretFields(resource.resourceType).filter((field) => hasValue(at, { ...resource }, field)),
  );
  for (const each of strings({ ...resource }, [])) if (isSecret(each)) fields.add(each.field);
  const takesReference = Object.entries(secretFields).find(([type]) => type === resource.resourceType)?.[1] ?? [];
  return [...fields].map((field) => {
    const fix = takesReference.some((each) => each === field)
      ? "Leave it out, and name a secret of the table for it"
      : "Leave it out: Aidbox takes no reference there, so set it by its API";
    return `${at}: ${field} holds a secret in plain text. ${fix}`;
  });
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

interface Text {
  /** As the documentation names fields: without numbers, a parameter by its name. */
  readonly field: string;
  readonly name: string;
  readonly text: string;
}

/** Every text of a resource. */
function strings(value: unknown, path: readonly string[]): Text[] {
  if (typeof value === "string") return [{ field: path.join("."), name: path.at(-1) ?? "", text: value }];
  if (Array.isArray(value)) return value.flatMap((each) => strings(each, path));
  if (typeof value !== "object" || value === null) return [];
  const { name } = value as Element;
  const isParameter = path.at(-1) === "parameter" && typeof name === "string";
  return Object.entries(value).flatMap(([key, child]) =>
    strings(child, [...path, isParameter && key.startsWith("value") ? name : key]),
  );
}

const secretName =
  /^(client[-_]?)?secret$|^pass(word|wd)$|^private[-_]?key$|^api[-_]?key$|^(access|refresh)[-_]?token$/i;
const credentialHeader = /^\s*((proxy-)?authorization|cookie|x-api-key|api-key|x-auth-token)\s*:/i;

function isSecret({ field, name, text }: Text): boolean {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return true;
  if (field === "parameter.header") return credentialHeader.test(text);
  if (field === "parameter.saslJaasConfig") return /password\s*=/i.test(text);
  return secretName.test(name) && text !== "";
}
