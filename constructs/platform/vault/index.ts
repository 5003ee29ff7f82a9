export * from "./access";
export type { AutoUnseal } from "./auto-unseal";
export * from "./csi-provider";
export { type MissingKeys, type MissingSecrets, MissingSecretsError, type UnusableKeypair } from "./external-secrets";
export { type LoginRole, type PodLogin, type SigningKeys } from "./login";
export * from "./release";
export type { ManagedValues } from "./secret-values";
export * from "./server";
export * from "./tls";
