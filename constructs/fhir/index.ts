/**
 * FHIR resources that refer to the table's secrets, and the Init Bundle of them. No Pulumi, no cdk8s.
 *
 * @module aidbox-secrets/fhir
 */
export { findResourceProblems } from "./check-resource";
export * from "./init-bundle";
export * from "./resource";
export { type RepeatingField, type SecretField, secretFields, type SecretResourceType } from "./secret-fields";
export * from "./secret-reference";
export * from "./with-secrets";
