/**
 * The table of secrets, and what a store of them is. No Pulumi.
 *
 * @module aidbox-secrets/secrets
 */
export * from "./expand-row";
export { type Keypair, type KeypairPart, partsOf, signsTokens } from "./keypair";
export * from "./keypair-kind";
export { isSecretByForm, isSensitiveName } from "./plain-secret";
export { overlap, type Problem, relativePath, type TextRule, textProblems } from "./problem";
export * from "./secret";
export {
  defaultMountPath,
  SecretTable,
  type SecretPath,
  type SecretTableProps,
  type SyncedSecret,
} from "./secret-table";
export { isMadeByStore, type SecretSource } from "./source";
export * from "./store";
export * from "./store-error";
export * from "./version-conflict";
