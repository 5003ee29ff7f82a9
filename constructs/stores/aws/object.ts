import { oneOf, optional, shape, text, variant } from "../../check-props";

/** Which of AWS's two stores has a secret. */
export type AwsService = "secretsmanager" | "ssmparameter";

/** How one secret of the table stands at AWS, where that is not as the store's default. */
export interface AwsObject {
  /** @default "secretsmanager" */
  readonly service?: AwsService;
  /**
   * Mode of the file, octal.
   * @default "0644"
   */
  readonly permission?: string;
  /**
   * Label of the version that counts.
   * @default - of Secrets Manager `AWSCURRENT`, of Parameter Store the newest
   */
  readonly versionLabel?: string;
}

/** What each part of one is. */
export const awsObject = shape<AwsObject>({
  service: optional(oneOf("secretsmanager", "ssmparameter")),
  permission: optional(text),
  versionLabel: optional(text),
});

/** Objects by the name of the table's secret. */
export type AwsObjects = Readonly<Record<string, AwsObject>>;

/** As whom the CSI provider reads. */
export type AwsIdentity =
  | {
      /** The pod's own, by an IAM role that trusts its ServiceAccount (IRSA). */
      readonly type: "irsa";
      /** ARN of the IAM role, as `arn:aws:iam::111122223333:role/aidbox`. */
      readonly roleArn: string;
    }
  | {
      /** The pod's own, by an association of EKS between an IAM role and its ServiceAccount; EKS alone knows the role. */
      readonly type: "pod-identity";
    };

/** What each identity has. */
export const awsIdentity = variant<AwsIdentity, "type">("type", { irsa: { roleArn: text }, "pod-identity": {} });
