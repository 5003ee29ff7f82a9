import { objectNames } from "../../constructs/kubernetes/names";
import { PermissionDeniedError } from "./permission-denied";
import type { Rotated } from "./rotated";
import type { Session } from "./session";
import type { OpenStore } from "./store-operator";

interface KubernetesRight {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
}

/**
 * Makes sure, before anything is written, that a rotation can be carried to its end.
 *
 * @throws PermissionDeniedError that names all rights that are lacking
 */
export async function assertMayRotate(
  { session, store }: OpenStore,
  rotated: Rotated,
  restarts: boolean,
): Promise<void> {
  const synced = rotated.secrets.some(({ environment }) => environment !== undefined);
  const rights: KubernetesRight[] = [
    { verb: "list", resource: "pods" },
    { verb: "get", resource: "pods", subresource: "exec" },
    { verb: "patch", resource: "pods", subresource: "status" },
    ...(synced
      ? [{ verb: "get", resource: "secrets", name: objectNames(session.environment.aidbox.name).syncedSecret }]
      : []),
    ...(synced
      ? ["deployments", "statefulsets", "daemonsets"].map((resource) => ({ verb: "list", group: "apps", resource }))
      : []),
    ...(synced && restarts
      ? ["get", "patch"].map((verb) => ({
          verb,
          group: "apps",
          resource: "deployments",
          name: session.environment.aidbox.name,
        }))
      : []),
  ];
  const [kubernetes, ofStore] = await Promise.all([
    Promise.all(rights.map((right) => lackOf(session, right))),
    store.findMissingPermissions(rotated),
  ]);
  const lacks = [...kubernetes.flat(), ...ofStore];
  if (lacks.length > 0) throw new PermissionDeniedError(lacks.join("; "));
}

async function lackOf({ api, environment, permitted }: Session, right: KubernetesRight): Promise<string[]> {
  const { verb, group = "", resource, subresource, name } = right;
  const namespace = environment.namespaces.aidbox;
  const { V1SelfSubjectAccessReview, V1SelfSubjectAccessReviewSpec, V1ResourceAttributes } = api.client;
  const resourceAttributes = Object.assign(new V1ResourceAttributes(), {
    namespace,
    verb,
    group,
    resource,
    subresource,
    name,
  });
  const spec = Object.assign(new V1SelfSubjectAccessReviewSpec(), { resourceAttributes });
  const body = Object.assign(new V1SelfSubjectAccessReview(), { spec });
  const authorization = api.config.makeApiClient(api.client.AuthorizationV1Api);
  const { status } = await permitted(authorization.createSelfSubjectAccessReview({ body }));
  if (status?.allowed === true) return [];
  return [`"${verb}" on ${[resource, subresource].filter(Boolean).join("/")} in namespace ${namespace}`];
}
