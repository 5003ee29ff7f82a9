export * from "./client";
export * from "./kv-mount";
export { type LoginRole, type PodLogin, type SigningKeys } from "./login";
export { readPolicy } from "./policy";
export { type MissingKeys, MissingSecretsError } from "./external-secrets";
export type { ManagedValues } from "./secret-values";
export * from "./vault-access";
