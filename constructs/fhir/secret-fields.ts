/**
 * The fields of Aidbox's resources that take a secret reference, by resource type.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/secret-files, "Supported resources"; `parameter.header`
 * is there since May 2026 (docs/configuration/secret-files.md of HealthSamurai/aidbox-docs, c7c43f0), and
 * `parameter.serviceAccountKey` in the vendor's tutorial for destinations of kind `bigquery` alone, not in that list.
 */
export const secretFields = {
  /** An OAuth client's own secret. */
  Client: ["secret"],
  /** What Aidbox proves itself with to an identity provider. */
  IdentityProvider: ["client.secret", "client.private-key", "client.certificate"],
  /** The keys by which Aidbox checks others' tokens, and its login where it asks for each. */
  TokenIntrospector: ["jwt.secret", "jwt.keys.k", "introspection_endpoint.authorization"],
  /** Credentials for Kafka, BigQuery or a webhook. */
  AidboxTopicDestination: [
    "parameter.saslJaasConfig",
    "parameter.sslKeystoreKey",
    "parameter.serviceAccountKey",
    "parameter.header",
  ],
} as const;

/** A resource type with fields that take a secret reference. */
export type SecretResourceType = keyof typeof secretFields;

/** A field of the resource type that takes a secret reference, in the documentation's words; by default of any type. */
export type SecretField<T extends SecretResourceType = SecretResourceType> = (typeof secretFields)[T][number];

/** A field that a resource can have more than once: a TokenIntrospector has many keys, a webhook many headers. */
export type RepeatingField = "jwt.keys.k" | "parameter.header";

/** What may be published as well as kept: a certificate, a JAAS config for AWS IAM, a `User-Agent` header. */
const publishable: readonly SecretField[] = ["client.certificate", "parameter.saslJaasConfig", "parameter.header"];

/** A resource type's fields whose value is always a secret; none for a type that has no fields for one. */
export function alwaysSecretFields(resourceType: string): readonly SecretField[] {
  const fields = Object.entries(secretFields).find(([type]) => type === resourceType)?.[1] ?? [];
  return fields.filter((field) => !publishable.includes(field));
}

/** @throws Error that lists every field that takes a reference, where this one does not */
export function checkSecretField(at: string, resourceType: string, field: string): void {
  const supported = Object.entries(secretFields).flatMap(([type, fields]) => fields.map((name) => `${type}.${name}`));
  if (!supported.includes(`${resourceType}.${field}`)) {
    throw new Error(
      `${at}: ${resourceType}.${field} takes no secret reference. Fields that do: ${supported.join(", ")}`,
    );
  }
}
