export * from "./client";
export { AzureLoginError, KeyVaultError, VersionConflictError } from "./errors";
export * from "./load";
export { type AzureCloud, objectName, vaultUrl } from "./names";
export * from "./object";
export { azurePackages, MissingPackagesError, type Transport } from "./packages";
export * from "./parameters";
export * from "./rules";
export * from "./values";
