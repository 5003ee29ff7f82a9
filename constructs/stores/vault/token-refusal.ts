import { ApiObject } from "cdk8s";
import { Construct } from "constructs";
import { refuseProps, shape, text } from "../../check-props";

/** Who is refused. */
export interface TokenRefusalProps {
  /** Name of the cluster-wide policy. */
  readonly name: string;
  /** The account of the CSI provider's pods. */
  readonly serviceAccount: {
    /** Its name. */
    readonly name: string;
    /** Its namespace. */
    readonly namespace: string;
  };
}

/**
 * Refuses a ServiceAccount every token that it asks for, of any ServiceAccount: the chart of Vault's CSI provider lets the
 * provider make them all, and ours needs none, since the driver hands it those of the pods. Put it into a chart that has
 * no namespace of its own.
 */
export class TokenRefusal extends Construct {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: TokenRefusalProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks);
    const { name, serviceAccount } = props;
    const username = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
    new ApiObject(this, "policy", {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          resourceRules: [
            { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["serviceaccounts/token"] },
          ],
        },
        matchConditions: [{ name: "by-the-account", expression: `request.userInfo.username == "${username}"` }],
        validations: [{ expression: "false", message: "may make no token: the CSI driver hands it those of the pods" }],
      },
    });
    new ApiObject(this, "binding", {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"] },
    });
  }
}

const checks = {
  name: text,
  serviceAccount: shape<TokenRefusalProps["serviceAccount"]>({ name: text, namespace: text }),
};
