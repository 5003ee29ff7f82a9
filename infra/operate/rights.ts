import { anyText, oneOf, refuseArguments } from "../../constructs/check-props";
import { clusterWideName, objectNames, secretsStoreDriver } from "../../constructs/kubernetes/names";
import { csiDriverName } from "../../constructs/platform/names";
import { checkedEnvironment } from "../config/checked-environment";
import type { Environment } from "../config/environment";
import { republishes } from "../config/rotation-bound";
import { storeOf } from "../stack/stores";
import { nodeLeaseNamespace } from "./clocks";
import { rotatedUnasked } from "./due-row";
import { type KubernetesRule, type OperatorRole, operatorRoles, type StoreRights } from "./operator-role";
import { operatedStore } from "./stores";

export type { OperatorRole } from "./operator-role";

/** What the operator's commands need: objects to apply to the cluster, and what to allow in the store. */
export interface OperatorRights {
  /** Roles and bindings, as `kubectl apply` takes them. */
  readonly kubernetes: readonly object[];
  /** In the store's own language: a policy of Vault in HCL, a role of Azure in JSON. */
  readonly store: string;
}

/**
 * The least rights for the operator's commands on an environment.
 *
 * @param group group of the operators, as the cluster's authentication names it
 */
export function operatorRights(environment: Environment, role: OperatorRole, group: string): OperatorRights {
  refuseArguments(
    "operatorRights",
    { environment, role, group },
    { environment: checkedEnvironment, role: oneOf(...operatorRoles), group: anyText },
  );
  const ofStore = operatedStore(environment).rights(environment, role);
  return { kubernetes: kubernetesRights(environment, role, group, ofStore), store: ofStore.policy };
}

function kubernetesRights(environment: Environment, role: OperatorRole, group: string, ofStore: StoreRights): object[] {
  if (role === "stack") return [];
  if (role === "scheduler") return schedulerRights(environment, group, ofStore);
  if (role === "auditor") return auditorRights(environment, group, ofStore);
  return personRights(environment, role, group, ofStore);
}

function personRights(
  environment: Environment,
  role: Exclude<OperatorRole, "stack" | "scheduler" | "auditor">,
  group: string,
  { way, besidePods }: StoreRights,
): object[] {
  const { namespaces, csiDriver, aidbox, table } = environment;
  const names = objectNames(aidbox.name, storeOf(environment).provider);
  const rotates = role !== "viewer";
  const prefix = `${aidbox.name}-secrets-${role}`;
  const shared = clusterWideName(namespaces.aidbox, prefix); // beside those of other Aidboxes
  const deployments = [aidbox.name, ...(republishes(environment) ? [names.republisher] : [])];
  const aidboxRules: KubernetesRule[] = [
    {
      groups: ["secrets-store.csi.x-k8s.io"],
      resources: ["secretproviderclasses"],
      names: [names.secretProviderClass],
      verbs: ["get"],
    },
    {
      resources: ["configmaps"],
      names: [names.vaultConfig, ...(environment.initBundle === undefined ? [] : [names.initBundle])],
      verbs: ["get"],
    },
    { groups: ["apps"], resources: ["deployments"], names: deployments, verbs: ["get"] },
    { resources: ["pods"], verbs: ["list"] },
    // Why a pod does not start.
    { resources: ["events"], verbs: ["list"] },
    // A websocket opens with a GET; Kubernetes 1.35 and later ask for "create" too.
    { resources: ["pods/exec"], verbs: ["get", "create"] },
    { resources: ["serviceaccounts/token"], names: [aidbox.name], verbs: ["create"] },
    ...(table.synced.length > 0 ? [{ resources: ["secrets"], names: [names.syncedSecret], verbs: ["get"] }] : []),
    ...(rotates ? [{ resources: ["pods/status"], verbs: ["patch"] }] : []),
    ...(rotates && table.synced.length > 0
      ? [
          { groups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets"], verbs: ["list"] },
          { groups: ["apps"], resources: ["deployments"], names: [aidbox.name], verbs: ["get", "patch"] },
        ]
      : []),
    ...besidePods,
  ];
  const driverRules: KubernetesRule[] = [
    {
      groups: ["apps"],
      resources: ["daemonsets"],
      names: [csiDriverName(csiDriver.release)],
      verbs: ["get"],
    },
    { resources: ["pods"], verbs: ["list"] },
    { resources: ["pods/proxy"], verbs: ["get"] },
  ];
  const { daemonSet: provider } = operatedStore(environment).csiProvider(environment);
  const providerRules = (name: string): KubernetesRule[] => [
    { groups: ["apps"], resources: ["daemonsets"], names: [name], verbs: ["get"] },
  ];
  const clusterRules: KubernetesRule[] = [
    {
      groups: ["storage.k8s.io"],
      resources: ["csidrivers"],
      names: [secretsStoreDriver],
      verbs: ["get"],
    },
    { groups: ["storage.k8s.io"], resources: ["csinodes"], verbs: ["list"] },
    // The taints of Aidbox's nodes.
    { resources: ["nodes"], verbs: ["get"] },
    // Where another stack installed them, their namespace is not known.
    ...(csiDriver.install && provider !== undefined
      ? []
      : [{ groups: ["apps"], resources: ["daemonsets"], verbs: ["list"] }]),
  ];
  // By what it renews there a node shows its clock.
  const leaseRules: KubernetesRule[] = [{ groups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"] }];
  return [
    ...bound("ClusterRole", shared, undefined, clusterRules, group),
    ...bound("Role", `${shared}-nodes`, nodeLeaseNamespace, leaseRules, group),
    ...bound("Role", prefix, namespaces.aidbox, aidboxRules, group),
    ...(csiDriver.install ? bound("Role", `${shared}-driver`, csiDriver.namespace, driverRules, group) : []),
    ...(provider === undefined
      ? []
      : bound("Role", `${shared}-provider`, provider.namespace, providerRules(provider.name), group)),
    ...way.flatMap(({ suffix, namespace, rules }) => bound("Role", `${shared}-${suffix}`, namespace, rules, group)),
  ];
}

/** What `rotate --due` needs: to see the ages, and to rotate what it may rotate unasked. */
function schedulerRights(environment: Environment, group: string, { way, besidePods }: StoreRights): object[] {
  const { namespaces, aidbox } = environment;
  const rotated = rotatedUnasked(environment);
  const isSynced = rotated.some(({ secrets }) => secrets.some((secret) => secret.environment !== undefined));
  const prefix = `${aidbox.name}-secrets-scheduler`;
  const aidboxRules: KubernetesRule[] = [
    { resources: ["pods"], verbs: ["list"] },
    { resources: ["pods/exec"], verbs: ["get", "create"] },
    { resources: ["pods/status"], verbs: ["patch"] },
    { resources: ["serviceaccounts/token"], names: [aidbox.name], verbs: ["create"] },
    ...(isSynced
      ? [
          { resources: ["secrets"], names: [objectNames(aidbox.name).syncedSecret], verbs: ["get"] },
          { groups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets"], verbs: ["list"] },
        ]
      : []),
    ...besidePods,
  ];
  return [
    ...(rotated.length > 0 ? bound("Role", prefix, namespaces.aidbox, aidboxRules, group) : []),
    ...way.flatMap(({ suffix, namespace, rules }) =>
      bound("Role", `${clusterWideName(namespaces.aidbox, prefix)}-${suffix}`, namespace, rules, group),
    ),
  ];
}

/** What `access` needs: to list who may do what in the cluster, and its pods. */
function auditorRights(environment: Environment, group: string, { way }: StoreRights): object[] {
  const { namespaces, aidbox } = environment;
  const shared = clusterWideName(namespaces.aidbox, `${aidbox.name}-secrets-auditor`);
  const rules: KubernetesRule[] = [
    {
      groups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
      verbs: ["list"],
    },
    { resources: ["pods"], verbs: ["list"] },
  ];
  return [
    ...bound("ClusterRole", shared, undefined, rules, group),
    ...way.flatMap((each) => bound("Role", `${shared}-${each.suffix}`, each.namespace, each.rules, group)),
  ];
}

/** A role and its binding to the group. */
function bound(
  kind: "Role" | "ClusterRole",
  name: string,
  namespace: string | undefined,
  rules: readonly KubernetesRule[],
  group: string,
): object[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return [
    {
      apiVersion,
      kind,
      metadata,
      rules: rules.map(({ groups = [""], resources, names, verbs }) => ({
        apiGroups: groups,
        resources,
        ...(names === undefined ? {} : { resourceNames: names }),
        verbs,
      })),
    },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group }],
    },
  ];
}
