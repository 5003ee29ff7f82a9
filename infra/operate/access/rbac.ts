/** A rule of a Role or ClusterRole. */
export interface RbacRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Whom a binding names. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A RoleBinding with its rules, or a ClusterRoleBinding. */
export interface Binding {
  readonly name: string;
  /** Where it counts. @default - in the whole cluster */
  readonly namespace?: string;
  readonly role: { readonly kind: string; readonly name: string };
  readonly rules: readonly RbacRule[];
  readonly subjects: readonly Subject[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What somebody may ask of the API server. */
export interface Request {
  readonly verb: string;
  readonly group?: string;
  /** With its subresource: `pods/exec`. */
  readonly resource: string;
  /**
   * Names of which one is enough. Of some verbs, as `create`, the API server knows no name: then a rule with names allows nothing.
   * @default - it has no name
   */
  readonly names?: readonly string[] | "any";
}

/** Whether a rule allows a request, as the API server decides it. @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export function allows(rule: RbacRule, { verb, group = "", resource, names }: Request): boolean {
  const has = (list: readonly string[] | undefined, wanted: string): boolean =>
    list?.some((each) => each === "*" || each === wanted) === true;
  const [, subresource] = resource.split("/");
  const hasResource =
    has(rule.resources, resource) ||
    (subresource !== undefined && rule.resources?.includes(`*/${subresource}`) === true);
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group) || !hasResource) return false;
  const { resourceNames = [] } = rule;
  if (resourceNames.length === 0 || names === "any") return true;
  return names !== undefined && resourceNames.some((each) => names.includes(each));
}

/** Who it is, as people write it; two subjects with one text are one. */
export function subjectText({ kind, name, namespace }: Subject): string {
  return kind === "ServiceAccount" ? `ServiceAccount ${namespace ?? ""}/${name}` : `${kind} ${name}`;
}

/** Where somebody has a right from, as people write it. */
export function bindingText({ name, namespace, role }: Binding): string {
  return namespace === undefined
    ? `ClusterRoleBinding ${name}, ClusterRole ${role.name}`
    : `RoleBinding ${namespace}/${name}, ${role.kind} ${role.name}`;
}
