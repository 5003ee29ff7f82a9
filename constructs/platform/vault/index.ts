export * from "./access";
export type { AuditLog, AuditVolume } from "./audit-log";
export type { AutoUnseal } from "./auto-unseal";
export * from "./csi-provider";
export {
  type MissingKeys,
  type MissingSecrets,
  MissingSecretsError,
  type MissingSecretsOptions,
  type UnusableKeypair,
} from "./external-secrets";
export { type LoginRole, type PodLogin, type SigningKeys } from "./login";
export * from "./release";
export * from "./snapshot-access";
export type { ManagedValues } from "./secret-values";
export type { DevServer, HaServer, StandaloneServer, VaultServer, VaultStorage } from "./server";
export type { VolumeSize } from "../../quantities";
export { type CertificateSource, type ServerNames, vaultServerNames, VaultTls, type VaultTlsArgs } from "./tls";
