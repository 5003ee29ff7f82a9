/**
 * What the operator's commands do, as functions: verify, rotate, status, access, explain and rights of an environment.
 *
 * @module aidbox-secrets-stack/operate
 */
export * from "./access";
export { checkEnvironment } from "../config/check-environment";
export { type EnvironmentFile, type Override, readEnvironment } from "../config/environment-file";
export { InvalidRequestError, LostSecretsError, NotServedError, UnreachableError } from "./errors";
export { type DueRotations, type DueRow, rotateDue, type WaitingRow } from "./due";
export type { WhyNotUnasked } from "./due-row";
export * from "./explain";
export { BrokenLinkError, type LinkReport } from "./link";
export { PermissionDeniedError } from "./permission-denied";
export { type Alphabet, alphabets, generateValue, largestValueBytes, readValue } from "./new-value";
export * from "./rights";
export type { RotateOptions, Rotation } from "./follow-change";
export { remake, rollBack, rotate, rotateKeypair } from "./rotate";
export type { Consumer } from "./consumers";
export type { PendingRoll } from "./pending-roll";
export * from "./status";
export * from "./verify";
export type { OpenOptions } from "./store-operator";
export type { SecretVersion } from "./secret-version";
export type { Environment } from "../config/environment";
export { ConfigError } from "../config/config-error";
