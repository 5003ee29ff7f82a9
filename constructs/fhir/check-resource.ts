import type { SecretTable } from "../secrets";
import { findPlainSecrets } from "./plain-secrets";
import type { IdentifiedResource } from "./resource";
import type { SecretTarget } from "./secret-reference";
import { referenceUrl, secretReference } from "./secret-reference";

/**
 * What is wrong with how a resource uses secrets: a reference to a secret that the table has not, in a field that takes
 * none or out of the secret's scope, and a secret in plain text. It never shows a value.
 */
export function findResourceProblems(table: SecretTable, resource: IdentifiedResource): string[] {
  const { resourceType, id } = resource;
  const references = referencesIn({ ...resource }, []).flatMap(({ field, secret }) => {
    try {
      // Whether there are such a type and such a field is what is to be found out.
      secretReference(table, { resourceType, id, field } as SecretTarget, secret);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  return [...references, ...findPlainSecrets(resource)];
}

/** The references of a resource: the secret's name, and the field in the documentation's words. */
export function referencesIn(
  value: unknown,
  path: readonly string[] = [],
): { readonly field: string; readonly secret: string }[] {
  if (Array.isArray(value)) return value.flatMap((each) => referencesIn(each, path));
  if (typeof value !== "object" || value === null) return [];
  const element = value as Readonly<Record<string, unknown>>;
  const isParameter = path.at(-1) === "parameter" && typeof element.name === "string";
  return Object.entries(element).flatMap(([key, child]) => {
    const secret = key.startsWith("_") ? secretNamed(child) : undefined;
    if (secret === undefined) return referencesIn(child, [...path, key]);
    const name = isParameter ? String(element.name) : key.slice(1);
    return [{ field: [...path, name].join("."), secret }];
  });
}

function secretNamed(sibling: unknown): string | undefined {
  const { extension } = Object(sibling) as { extension?: unknown };
  const extensions = Array.isArray(extension) ? (extension as { url?: unknown; valueString?: unknown }[]) : [];
  const reference = extensions.find((each) => each.url === referenceUrl);
  return reference === undefined ? undefined : String(reference.valueString);
}
