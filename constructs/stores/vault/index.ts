/**
 * Vault, or OpenBao, as a store of secrets: its paths, policies and guards, and a client of its API. No Pulumi.
 *
 * @module aidbox-secrets/vault
 */
export * from "./api";
export * from "./guards";
export { vaultCaCertPath, vaultClientCertificate, vaultServiceAddress } from "./names";
export type { VaultObject, VaultObjects } from "./object";
export * from "./paths";
export { type ParameterValue, type PolicyRule, policyText, readPolicy } from "./policy";
export type { VolumeSize } from "../../quantities";
export type { SnapshotCopies } from "./snapshot-copy";
export * from "./snapshots";
export * from "./store";
export * from "./token-refusal";
