/**
 * Who it is: somebody who looks, by `verify` and `status`; who changes secrets too, by `rotate`; who writes first values
 * too, by `write`; a scheduler, which rotates what is due by `rotate --due`, and no more; an auditor, who sees who can read
 * what, by `access`, and reads no value; or Pulumi itself, whose rights in the cluster are those of who makes namespaces, cluster roles and CRDs.
 */
export type OperatorRole = "viewer" | "rotator" | "writer" | "scheduler" | "auditor" | "stack";

export const operatorRoles: readonly OperatorRole[] = ["viewer", "rotator", "writer", "scheduler", "auditor", "stack"];

/** A rule of a role in the cluster. */
export interface KubernetesRule {
  /** @default that of Pods */
  readonly groups?: readonly string[];
  readonly resources: readonly string[];
  /** @default - all */
  readonly names?: readonly string[];
  readonly verbs: readonly string[];
}

/** What a role needs for the store. */
export interface StoreRights {
  /** In the store, in its own language: a policy, or a role's definition. */
  readonly policy: string;
  /** On the way to the store: rules by namespace. */
  readonly way: readonly {
    readonly suffix: string;
    readonly namespace: string;
    readonly rules: readonly KubernetesRule[];
  }[];
  /** Beside Aidbox's pods. */
  readonly besidePods: readonly KubernetesRule[];
}
