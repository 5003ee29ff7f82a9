import { optional, refuseProps, text, valuesOf } from "../../check-props";
import {
  findSourceProblems,
  type Problem,
  type Secret,
  type SecretSource,
  type SecretSpec,
  type SecretStore,
  type SecretTable,
  type StoreIdentity,
} from "../../secrets";
import { type AwsIdentity, awsIdentity, awsObject, type AwsObjects } from "./object";
import { awsObjectName, awsParameters } from "./parameters";
import { findAwsLoginProblems, findAwsObjectProblems, findAwsRowProblems } from "./rules";

/** Where, and as whom, the provider reads. */
export interface AwsStoreProps {
  /** @default - that of the node, by its label */
  readonly region?: string;
  /** Region that is asked where the first one fails. @default - none */
  readonly failoverRegion?: string;
  /** The pod's own, by IRSA or by EKS Pod Identity. */
  readonly identity: AwsIdentity;
  /** @default - all lie in Secrets Manager */
  readonly objects?: AwsObjects;
}

const checks = {
  region: optional(text),
  failoverRegion: optional(text),
  identity: awsIdentity,
  objects: optional(valuesOf(awsObject)),
};

/**
 * AWS Secrets Manager and Parameter Store, read by AWS's CSI provider. Nothing here writes to them.
 * @example
 * ```ts
 * import { AwsStore } from "aidbox-secrets/aws";
 *
 * export const store = new AwsStore({
 *   region: "eu-central-1",
 *   identity: { type: "irsa", roleArn: "arn:aws:iam::111122223333:role/aidbox" },
 * });
 * ```
 */
export class AwsStore implements SecretStore {
  public readonly provider = "aws";
  public readonly title = "AWS";
  /** Of Secrets Manager, that is: Parameter Store takes no keypair. */
  public readonly mountsPathsWhole = true;
  public readonly sources: readonly SecretSource[] = ["external"];
  public readonly tokenAudiences: readonly string[];
  public readonly identity: StoreIdentity;
  private readonly objects: AwsObjects;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(private readonly props: AwsStoreProps) {
    refuseProps("AwsStore", props, checks, () => findAwsLoginProblems(props));
    const { identity, objects = {} } = props;
    this.objects = objects;
    this.tokenAudiences = [identity.type === "irsa" ? "sts.amazonaws.com" : "pods.eks.amazonaws.com"];
    this.identity =
      identity.type === "irsa" ? { serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": identity.roleArn } } : {};
  }

  public validate(rows: readonly SecretSpec[]): readonly Problem[] {
    return [
      ...findSourceProblems(this, rows),
      ...findAwsRowProblems(rows, this.objects),
      ...findAwsObjectProblems("objects", this.objects, rows),
    ];
  }

  public locate(secret: Secret): string {
    const { service = "secretsmanager" } = this.objects[secret.pair ?? secret.name] ?? {};
    return service === "ssmparameter"
      ? `Parameter Store, ${awsObjectName(secret, { service })}`
      : `Secrets Manager, ${awsObjectName(secret)}, key ${secret.key}`;
  }

  public parameters({ secrets }: SecretTable): Record<string, string> {
    const { region, failoverRegion, identity } = this.props;
    return awsParameters(
      {
        ...(region === undefined ? {} : { region }),
        ...(failoverRegion === undefined ? {} : { failoverRegion }),
        usesPodIdentity: identity.type === "pod-identity",
        objects: this.objects,
      },
      secrets,
    );
  }

  /** The provider names what it has mounted by its file. */
  public objectId({ file }: Pick<Secret, "file">): string {
    return file;
  }
}
