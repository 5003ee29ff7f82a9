import { isDeepStrictEqual } from "node:util";
import { objectNames } from "../../../constructs/kubernetes/names";
import type { Environment } from "../../config/environment";
import type { OperatorRole } from "../operator-role";
import { ownReleases } from "../own-releases";
import { operatorRights } from "../rights";
import type { Origin } from "./origin";
import type { Binding, RbacRule, Subject } from "./rbac";

const roles: readonly OperatorRole[] = ["viewer", "rotator", "writer", "scheduler", "auditor"];

/** Tells whose a binding's right is, for one of its subjects. */
export function bindingOrigins(environment: Environment): (binding: Binding, subject: Subject) => Origin {
  const printed = printedRoles(environment);
  const releases = ownReleases(environment);
  const republishers = [environment, ...environment.tenants].map(({ namespaces, aidbox }) => ({
    namespace: namespaces.aidbox,
    name: objectNames(aidbox.name).republisher,
  }));
  return (binding, subject) => {
    if (isOfKubernetes(binding, subject)) return "kubernetes";
    const inHelm = releases.some(
      ({ namespace, releaseName }) =>
        binding.labels["app.kubernetes.io/managed-by"] === "Helm" &&
        binding.annotations["meta.helm.sh/release-name"] === releaseName &&
        binding.annotations["meta.helm.sh/release-namespace"] === namespace &&
        subject.kind === "ServiceAccount" &&
        subject.namespace === namespace,
    );
    const isRepublisher = republishers.some(
      ({ namespace, name }) =>
        [binding.namespace, subject.namespace].every((each) => each === namespace) &&
        [binding.name, subject.name].every((each) => each === name),
    );
    if (inHelm || isRepublisher) return "stack";
    const rules = printed.get(roleKey(binding.role.kind, binding.namespace, binding.role.name));
    return rules !== undefined && rules.some((each) => isDeepStrictEqual(plain(each), plain(binding.rules)))
      ? "rights"
      : "others";
  };
}

/** What the API server makes itself, for its own parts and for its administrators; it mends them when it starts. */
function isOfKubernetes({ labels, role }: Binding, { kind, name, namespace }: Subject): boolean {
  if (labels["kubernetes.io/bootstrapping"] !== "rbac-defaults") return false;
  if (!role.name.startsWith("system:") && role.name !== "cluster-admin") return false;
  if (kind === "ServiceAccount") return namespace === "kube-system";
  // Everybody is in one of these: what they may do is nobody's own.
  return name.startsWith("system:") && !/^system:(un)?authenticated$|^system:serviceaccounts/.test(name);
}

/** The roles that `rights` prints, each with the rules that it has there. */
function printedRoles(environment: Environment): ReadonlyMap<string, readonly (readonly RbacRule[])[]> {
  const found = new Map<string, (readonly RbacRule[])[]>();
  for (const each of [environment, ...environment.tenants]) {
    for (const role of roles) {
      for (const object of operatorRights(each, role, "").kubernetes as readonly PrintedObject[]) {
        if (object.rules === undefined) continue;
        const key = roleKey(object.kind, object.metadata.namespace, object.metadata.name);
        found.set(key, [...(found.get(key) ?? []), object.rules]);
      }
    }
  }
  return found;
}

interface PrintedObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly RbacRule[];
}

function roleKey(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${kind === "Role" ? `${namespace ?? ""}/` : ""}${name}`;
}

/** Without the classes of the Kubernetes client. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
