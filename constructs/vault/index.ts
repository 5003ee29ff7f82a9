export * from "./client";
export { type LoginRole, type PodLogin, type SigningKeys } from "./login";
export { readPolicy } from "./policy";
export { type ManagedValues, type MissingSecret, MissingSecretsError } from "./secret-values";
export * from "./vault-access";
