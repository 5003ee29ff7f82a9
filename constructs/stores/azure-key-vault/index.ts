export * from "./load";
export { type AzureCloud, objectName, vaultUrl } from "./names";
export * from "./object";
export * from "./parameters";
export * from "./rules";
