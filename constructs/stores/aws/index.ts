/**
 * AWS Secrets Manager and Parameter Store as a store of secrets. No Pulumi.
 *
 * @module aidbox-secrets/aws
 */
export * from "./object";
export * from "./store";
