import { ApiObject } from "cdk8s";
import type { Construct } from "constructs";

/**
 * Lets a ServiceAccount list the namespace's pods and annotate them by way of their status, which lets it change no spec;
 * and roll one Deployment.
 *
 * @returns the role and its binding
 */
export function allowPublications(
  scope: Construct,
  serviceAccount: { readonly name: string; readonly namespace: string },
  deployment: string | undefined,
): ApiObject[] {
  const { name } = serviceAccount;
  const group = "rbac.authorization.k8s.io";
  const role = new ApiObject(scope, "role", {
    apiVersion: `${group}/v1`,
    kind: "Role",
    metadata: { name },
    rules: [
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
      { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
      ...(deployment === undefined
        ? []
        : [
            {
              apiGroups: ["secrets-store.csi.x-k8s.io"],
              resources: ["secretproviderclasspodstatuses"],
              verbs: ["list"],
            },
            { apiGroups: ["apps"], resources: ["deployments"], resourceNames: [deployment], verbs: ["get", "patch"] },
          ]),
    ],
  });
  const binding = new ApiObject(scope, "role-binding", {
    apiVersion: `${group}/v1`,
    kind: "RoleBinding",
    metadata: { name },
    roleRef: { apiGroup: group, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", ...serviceAccount }],
  });
  return [role, binding];
}
