import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { allPermitted } from "../permission-denied";
import type { Session } from "../session";
import type { Binding, RbacRule, Subject } from "./rbac";

/** What the cluster says of who may do what. */
export interface ClusterAccess {
  readonly bindings: readonly Binding[];
  readonly pods: readonly V1Pod[];
}

interface FoundRole {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly rules?: readonly RbacRule[] | null;
}

interface FoundBinding {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly Subject[] | null;
}

/** @throws PermissionDeniedError that names every right that is lacking */
export async function readClusterAccess({ api, permitted }: Session): Promise<ClusterAccess> {
  const rbac = api.config.makeApiClient(api.client.RbacAuthorizationV1Api);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const [roles, clusterRoles, roleBindings, clusterRoleBindings, pods] = await allPermitted([
    permitted(rbac.listRoleForAllNamespaces()),
    permitted(rbac.listClusterRole()),
    permitted(rbac.listRoleBindingForAllNamespaces()),
    permitted(rbac.listClusterRoleBinding()),
    permitted(core.listPodForAllNamespaces()),
  ]);
  return {
    bindings: bindingsOf(
      [...roles.items, ...clusterRoles.items],
      [...roleBindings.items, ...clusterRoleBindings.items],
    ),
    pods: pods.items,
  };
}

/** Each binding with the rules of its role; a role that is not there has none. */
export function bindingsOf(roles: readonly FoundRole[], bindings: readonly FoundBinding[]): Binding[] {
  const key = (namespace: string | undefined, name: string | undefined): string => `${namespace ?? ""}/${name ?? ""}`;
  const rules = new Map(roles.map(({ metadata, rules: found }) => [key(metadata?.namespace, metadata?.name), found]));
  return bindings.map(({ metadata, roleRef, subjects }) => {
    const { name = "", namespace, labels = {}, annotations = {} } = metadata ?? {};
    const ofRole = key(roleRef.kind === "Role" ? namespace : undefined, roleRef.name);
    return {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      role: { kind: roleRef.kind, name: roleRef.name },
      rules: rules.get(ofRole) ?? [],
      subjects: subjects ?? [],
      labels,
      annotations,
    };
  });
}
