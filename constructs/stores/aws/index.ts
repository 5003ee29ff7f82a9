/**
 * AWS Secrets Manager and Parameter Store as a store of secrets. No Pulumi.
 *
 * @module aidbox-secrets/aws
 */
export type { AwsIdentity, AwsObject, AwsObjects, AwsService } from "./object";
export * from "./store";
