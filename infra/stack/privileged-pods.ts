import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding";
import type * as pulumi from "@pulumi/pulumi";
import type { Environment } from "../config/environment";

/** Pods of a chart that uses host paths. */
export interface PrivilegedPods {
  readonly namespace: string;
  /** Name of the DaemonSet. */
  readonly name: string;
  /** Their ServiceAccount. @default - any of the namespace, which has nobody else's pods */
  readonly serviceAccount?: string;
}

/** Lets pods be privileged, where the platform assigns users: OpenShift asks for this role of its own. */
export function admitPrivileged(
  id: string,
  { assignsUsers }: Environment,
  { namespace, name, serviceAccount }: PrivilegedPods,
  opts: pulumi.CustomResourceOptions,
): void {
  if (!assignsUsers) return;
  const apiGroup = "rbac.authorization.k8s.io";
  new RoleBinding(
    `${id}-privileged`,
    {
      metadata: { name: `${name}-privileged`, namespace },
      roleRef: { apiGroup, kind: "ClusterRole", name: "system:openshift:scc:privileged" },
      subjects: [
        serviceAccount === undefined
          ? { kind: "Group", apiGroup, name: `system:serviceaccounts:${namespace}` }
          : { kind: "ServiceAccount", name: serviceAccount, namespace },
      ],
    },
    opts,
  );
}
