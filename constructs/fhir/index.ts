export { findResourceProblems, referencesIn } from "./check-resource";
export * from "./init-bundle";
export * from "./resource";
export { type SecretField, secretFields, type SecretResourceType } from "./secret-fields";
export * from "./secret-reference";
export * from "./with-secrets";
