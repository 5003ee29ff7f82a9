/**
 * Azure Key Vault as a store of secrets, and a client of it. No Pulumi; the client alone needs Azure's SDK.
 *
 * @module aidbox-secrets/azure
 */
export {
  KeyVaultClient,
  type KeyVaultConnection,
  type KeyVaultCredential,
  type KeyVaultSecretState,
  type KeyVaultValue,
  type KeyVaultWrite,
  type SecretVersion,
} from "./client";
export { AzureLoginError, KeyVaultError } from "./errors";
export type { AzureCloud } from "./names";
export type { KeyVaultObject, KeyVaultObjects, ObjectType } from "./object";
export { MissingPackagesError, type Transport } from "./packages";
export type { KeyVaultIdentity, KeyVaultLogin } from "./parameters";
export * from "./store";
