import type { Claim } from "../config/claims";
import { claimsOf } from "../config/claims";
import type { Environment } from "../config/environment";
import { namespaceMarkName } from "../config/names";
import type { StackNamespace } from "../config/namespaces";
import type { StateResource } from "../state/stack-state";
import { hasObject } from "../state/state-objects";
import type { KubeApi } from "./kube-api";

/** What is wrong with a namespace that somebody else made for the stack; one line each. */
export async function givenNamespaceClashes(
  api: KubeApi,
  environment: Environment,
  namespace: StackNamespace,
  ownerLabel: string,
  owner: string,
  state: readonly StateResource[] = [],
): Promise<string[]> {
  const { name, key, optionsKey, needs } = namespace;
  const unfit = await unfitNamespace(api, { name, key, needs }, `or leave ${optionsKey}.create out`);
  if (unfit !== undefined) return [unfit];
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const mark = await api.find(core.readNamespacedConfigMap({ namespace: name, name: namespaceMarkName }));
  const stack = mark?.metadata?.labels?.[ownerLabel];
  if (stack === owner) return [];
  if (stack !== undefined) return [`Namespace ${name} is used by the stack ${stack}: set ${key} to another name`];
  return objectsOfOthers(api, environment, name, state);
}

/**
 * Why a namespace cannot be used that must be there.
 *
 * @param otherwise what else helps where it is not there
 */
export async function unfitNamespace(
  api: KubeApi,
  { name, key, needs }: Pick<StackNamespace, "name" | "key" | "needs">,
  otherwise = `or set ${key} to another name`,
): Promise<string | undefined> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const found = await api.find(core.readNamespace({ name }));
  if (found === undefined) return `Namespace ${name} is not there: have its owner make it, ${otherwise}`;
  if (found.metadata?.deletionTimestamp !== undefined) {
    return `Namespace ${name} is being deleted: wait until it is gone, and have its owner make it again`;
  }
  const level = found.metadata?.labels?.[levelLabel];
  if (needs !== "privileged" || level === undefined || level === needs) return undefined;
  return (
    `Namespace ${name} enforces the Pod Security level ${level}, and the driver and its providers need ${needs} for their ` +
    `host paths: have its owner set the label ${levelLabel}=${needs}, or set ${key} to another name`
  );
}

const levelLabel = "pod-security.kubernetes.io/enforce";

/** What lies in a namespace by a name that the stack would take, where it was never there: an `up` would take it over. */
async function objectsOfOthers(
  api: KubeApi,
  environment: Environment,
  namespace: string,
  state: readonly StateResource[],
): Promise<string[]> {
  const objects = api.config.makeApiClient(api.client.KubernetesObjectApi);
  const wanted = claimsOf(environment).filter(({ scope }) => scope === `namespace ${namespace}`);
  const unique = new Map(wanted.map((claim) => [`${claim.kind} ${claim.name}`, claim]));
  const clashes = await Promise.all(
    [...unique.values()].map(async ({ kind, name, from }: Claim) => {
      const apiVersion = apiVersions[kind];
      if (apiVersion === undefined || hasObject(state, { kind, namespace, name })) return [];
      const found = await api.find(objects.read({ apiVersion, kind, metadata: { name, namespace } }));
      return found === undefined ? [] : [`${kind} ${namespace}/${name} is somebody else's: ${from.fix} at ${from.key}`];
    }),
  );
  return clashes.flat();
}

/** API of each kind that a stack makes in a namespace. Helm refuses itself a release that is there. */
const apiVersions: Readonly<Record<string, string>> = {
  ConfigMap: "v1",
  PersistentVolumeClaim: "v1",
  Secret: "v1",
  Service: "v1",
  ServiceAccount: "v1",
  DaemonSet: "apps/v1",
  Deployment: "apps/v1",
  StatefulSet: "apps/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  PodDisruptionBudget: "policy/v1",
  Ingress: "networking.k8s.io/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  SecretProviderClass: "secrets-store.csi.x-k8s.io/v1",
  HTTPRoute: "gateway.networking.k8s.io/v1",
  ServiceMonitor: "monitoring.coreos.com/v1",
  Certificate: "cert-manager.io/v1",
};
