import { refuseArguments, secretTable, text } from "../check-props";
import type { Secret, SecretScope, SecretTable } from "../secrets";
import { identifiedResource } from "./resource-kind";
import { checkSecretField, type SecretField, type SecretResourceType } from "./secret-fields";

/** URL of the extension that names a secret. */
export const referenceUrl = "http://health-samurai.io/fhir/secret-reference";

/**
 * What stands in place of a secret's value: the value is masked, and Aidbox reads it from the named secret's file.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/secret-files, "Extension pattern"
 */
export interface SecretReference {
  /** FHIR's mark that the value is withheld, and Aidbox's name of the secret. */
  readonly extension: readonly [
    {
      /** FHIR's own extension for a value that is not there. */
      readonly url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
      /** FHIR's code for a value that is withheld for its secrecy. */
      readonly valueCode: "masked";
    },
    {
      /** Aidbox's extension. */
      readonly url: typeof referenceUrl;
      /** Name of the secret in vault-config.json. */
      readonly valueString: string;
    },
  ];
}

/** The field that is to refer to a secret. */
export interface SecretTarget<T extends SecretResourceType = SecretResourceType> {
  /** Type of the resource, which Aidbox compares with the secret's scope. */
  readonly resourceType: T;
  /** Id of the resource, which Aidbox compares with the secret's scope. */
  readonly id: string;
  /** Field in the documentation's words, as `client.private-key`. */
  readonly field: SecretField<T>;
}

/**
 * A field's reference to a secret of the table: the content of `_secret` beside where `secret` would be.
 *
 * @throws Error that lists all that is wrong with the arguments; Error where the field takes no reference, with the fields that do
 * @throws Error where the table has no such secret, with those that it has
 * @throws Error where the secret's scope does not allow the resource, or is missing, with the scope to write
 */
export function secretReference<T extends SecretResourceType>(
  table: SecretTable,
  target: SecretTarget<T>,
  secretName: string,
): SecretReference {
  const checks = { table: secretTable, target: identifiedResource, secretName: text };
  refuseArguments("secretReference", { table, target, secretName }, checks);
  const at = `${target.resourceType}/${target.id}`;
  checkSecretField(at, target.resourceType, target.field);
  const secret = table.secrets.find(({ name }) => name === secretName);
  if (secret === undefined) {
    const names = table.secrets.map(({ name }) => name).join(", ");
    throw new Error(`${at}: the table has no secret "${secretName}". It has: ${names}`);
  }
  checkScope(at, target, secret);
  return {
    extension: [
      { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
      { url: referenceUrl, valueString: secret.name },
    ],
  };
}

/** Aidbox refuses a resource out of scope only when it needs the secret, so it is refused here before it gets there. */
function checkScope(at: string, target: Required<SecretScope>, { name, scope }: Secret): void {
  const { resourceType, id } = target;
  const needed = `scope: { resourceType: "${resourceType}", id: "${id}" }`;
  if (scope === undefined) {
    throw new Error(
      `${at}: the secret "${name}" has no scope, so vault-config.json does not name it. Give its row ${needed}`,
    );
  }
  const allowed = scope.id === undefined ? `every ${scope.resourceType}` : `${scope.resourceType}/${scope.id}`;
  if (scope.resourceType !== resourceType) {
    throw new Error(
      `${at}: the scope of the secret "${name}" is ${allowed}. Write ${needed}, ` +
        `or add a row with that scope if ${scope.resourceType} needs the secret too`,
    );
  }
  if (scope.id !== undefined && scope.id !== id) {
    throw new Error(
      `${at}: the scope of the secret "${name}" is ${allowed}. Write ${needed}, or leave out its id for every ${resourceType}`,
    );
  }
}
