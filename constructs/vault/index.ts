export * from "./client";
export { NoAnswerError, UnknownOutcomeError } from "../settle";
export * from "./kv-mount";
export * from "./static-role";
export { type LoginRole, type PodLogin, type SigningKeys } from "./login";
export { type ParameterValue, type PolicyRule, policyText, readPolicy } from "./policy";
export { type MissingKeys, type MissingSecrets, MissingSecretsError, type UnusableKeypair } from "./external-secrets";
export type { ManagedValues } from "./secret-values";
export * from "./vault-access";
