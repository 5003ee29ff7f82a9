import { vaultPaths } from "../config/stores/vault/server";
import { clusterWideName, objectNames, secretsStoreDriver } from "../../constructs/kubernetes/names";
import type { VaultEnvironment } from "../config/environment";
import { csiDriverName } from "../../constructs/platform/names";
import { csiProviderName } from "../../constructs/stores/vault/names";
import { loginMount, ownsAuthMount } from "../config/stores/vault/login";
import { republishes } from "../config/rotation-bound";
import { isMadeByStore, type SecretPath } from "../../constructs/secrets";
import { policyText, type PolicyRule } from "../../constructs/stores/vault/policy";
import { csiProviderRelease, isStored } from "../config/stores/vault/server";
import { policyMark } from "../config/names";
import { whyNotUnasked } from "./due";
import { allRotated } from "./rotated";
import { rotationRight } from "./stores/vault/rotation-right";
import { generateRootRules, mountParameters, selfRules, stackPolicy } from "./stores/vault/stack-policy";
import { vaultTlsNames } from "../../constructs/stores/vault";

/** What the operator's commands need: objects to apply to the cluster, and a policy for Vault. */
export interface OperatorRights {
  readonly kubernetes: readonly object[];
  /** HCL. */
  readonly vaultPolicy: string;
}

/**
 * Who it is: somebody who looks, by `verify` and `status`; who changes secrets too, by `rotate`; who writes first values
 * too, by `write`; a scheduler, which rotates what is due by `rotate --due`, and no more; or Pulumi itself, whose rights in the cluster are those of who makes namespaces, cluster roles and CRDs.
 */
export type OperatorRole = "viewer" | "rotator" | "writer" | "scheduler" | "stack";

interface Rule {
  readonly groups?: readonly string[];
  readonly resources: readonly string[];
  readonly names?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * The least rights for the operator's commands on an environment.
 *
 * @param group group of the operators, as the cluster's authentication names it
 */
export function operatorRights(environment: VaultEnvironment, role: OperatorRole, group: string): OperatorRights {
  if (role === "stack") return { kubernetes: [], vaultPolicy: stackPolicy(environment) };
  if (role === "scheduler") return schedulerRights(environment, group);
  return { kubernetes: kubernetesRights(environment, role, group), vaultPolicy: operatorPolicy(environment, role) };
}

type PersonRole = Exclude<OperatorRole, "stack" | "scheduler">;

function kubernetesRights(environment: VaultEnvironment, role: PersonRole, group: string): object[] {
  const { namespaces, csiDriver, vault, aidbox, table } = environment;
  const names = objectNames(aidbox.name);
  const rotates = role !== "viewer";
  const prefix = `${aidbox.name}-secrets-${role}`;
  const shared = clusterWideName(namespaces.aidbox, prefix); // beside those of other Aidboxes
  const deployments = [aidbox.name, ...(republishes(environment) ? [names.republisher] : [])];
  const aidboxRules: Rule[] = [
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
  ];
  const driverRules: Rule[] = [
    {
      groups: ["apps"],
      resources: ["daemonsets"],
      names: [csiDriverName(csiDriver.release)],
      verbs: ["get"],
    },
    { resources: ["pods"], verbs: ["list"] },
    { resources: ["pods/proxy"], verbs: ["get"] },
  ];
  const provider = csiProviderRelease(environment);
  const providerRules: Rule[] = [
    {
      groups: ["apps"],
      resources: ["daemonsets"],
      names: [csiProviderName(provider.releaseName)],
      verbs: ["get"],
    },
  ];
  const vaultRules = wayToVault(environment);
  const clusterRules: Rule[] = [
    {
      groups: ["storage.k8s.io"],
      resources: ["csidrivers"],
      names: [secretsStoreDriver],
      verbs: ["get"],
    },
    { groups: ["storage.k8s.io"], resources: ["csinodes"], verbs: ["list"] },
    // Where another stack installed them, their namespace is not known.
    ...(csiDriver.install && vault.csiProvider
      ? []
      : [{ groups: ["apps"], resources: ["daemonsets"], verbs: ["list"] }]),
  ];
  return [
    ...bound("ClusterRole", shared, undefined, clusterRules, group),
    ...bound("Role", prefix, namespaces.aidbox, aidboxRules, group),
    ...(csiDriver.install ? bound("Role", `${shared}-driver`, csiDriver.namespace, driverRules, group) : []),
    ...(vault.csiProvider ? bound("Role", `${shared}-provider`, provider.namespace, providerRules, group) : []),
    ...(vaultRules.length > 0 ? bound("Role", `${shared}-vault`, namespaces.vault, vaultRules, group) : []),
  ];
}

/** What leads to a Vault in the cluster. */
function wayToVault({ vault }: VaultEnvironment): Rule[] {
  return [
    ...(vault.mode === "external"
      ? []
      : [
          { resources: ["pods"], verbs: ["list"] },
          { resources: ["pods/portforward"], verbs: ["get", "create"] },
          { groups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
        ]),
    ...(isStored(vault)
      ? [{ resources: ["configmaps"], names: [vaultTlsNames(vault.release).ca], verbs: ["get"] }]
      : []),
  ];
}

/** What `rotate --due` needs: to see the ages, and to rotate what it may rotate unasked. */
function schedulerRights(environment: VaultEnvironment, group: string): OperatorRights {
  const { namespaces, aidbox } = environment;
  const aged = allRotated(environment).filter(({ maxAgeSeconds }) => maxAgeSeconds !== undefined);
  const rotated = aged.filter((each) => whyNotUnasked(environment, each) === undefined);
  const isSynced = rotated.some(({ secrets }) => secrets.some((secret) => secret.environment !== undefined));
  const prefix = `${aidbox.name}-secrets-scheduler`;
  const aidboxRules: Rule[] = [
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
  ];
  const vaultRules = wayToVault(environment);
  const policy: PolicyRule[] = [
    ...aged.map((each) => ({ path: vaultPaths(environment).metadata(each), capabilities: ["read"] as const })),
    ...rotated.flatMap((each): PolicyRule[] => {
      const { path, capability } = rotationRight(environment, each);
      return [
        ...(isMadeByStore(each)
          ? []
          : [{ path: `${vaultPaths(environment).kvMount}/subkeys/${each.path}`, capabilities: ["read"] as const }]),
        { path, capabilities: [capability] },
      ];
    }),
  ];
  return {
    kubernetes: [
      ...(rotated.length > 0 ? bound("Role", prefix, namespaces.aidbox, aidboxRules, group) : []),
      ...(vaultRules.length > 0
        ? bound("Role", `${clusterWideName(namespaces.aidbox, prefix)}-vault`, namespaces.vault, vaultRules, group)
        : []),
    ],
    vaultPolicy: policyText(joined(policy)),
  };
}

/** A role and its binding to the group. */
function bound(
  kind: "Role" | "ClusterRole",
  name: string,
  namespace: string | undefined,
  rules: readonly Rule[],
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

/** HCL of the policy of an operator's token. */
export function operatorPolicy(environment: VaultEnvironment, role: PersonRole): string {
  const text = policyText(
    joined([
      ...viewerRules(environment),
      ...(role === "viewer" ? [] : rotatorRules(environment)),
      ...(role === "writer" ? writerRules(environment) : []),
    ]),
  );
  return role === "writer" ? `# ${policyMark(environment)}\n${text}` : text;
}

/** One rule for each path, with all that is allowed there. */
function joined(rules: readonly PolicyRule[]): PolicyRule[] {
  const byPath = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { capabilities = [] } = byPath.get(rule.path) ?? {};
    byPath.set(rule.path, { ...rule, capabilities: [...new Set([...capabilities, ...rule.capabilities])] });
  }
  return [...byPath.values()];
}

function viewerRules(environment: VaultEnvironment): PolicyRule[] {
  const { table, vault } = environment;
  const mount = loginMount(environment);
  const readable = [
    ...(ownsAuthMount(environment) ? [`auth/${mount}/config`] : []),
    `auth/${mount}/role/${vault.role}`,
    `sys/policies/acl/${vault.role}`,
    ...table.paths.flatMap((each) => [
      vaultPaths(environment).metadata(each),
      ...(isMadeByStore(each) ? [] : [`${vaultPaths(environment).kvMount}/subkeys/${each.path}`]),
    ]),
  ];
  return readable.map((path) => ({ path, capabilities: ["read"] }));
}

/** Values are read with the pods' own login; the operator's token reads none. What is managed is not rotated by hand. */
function rotatorRules(environment: VaultEnvironment): PolicyRule[] {
  const rotated = environment.table.paths
    .filter(({ source }) => source !== "managed")
    .map((each) => rotationRight(environment, each));
  return rotated.map(({ path, capability }) => ({ path, capabilities: [capability] }));
}

/** The first value of what an operator writes, and what brings back a value that somebody deleted. */
function writerRules(environment: VaultEnvironment): PolicyRule[] {
  const { table, vault } = environment;
  const stored = table.paths.filter(({ source }) => source === "external" || source === "seeded");
  const roles = table.paths.filter(isMadeByStore);
  return [
    ...selfRules,
    ...(isStored(vault) ? generateRootRules : []),
    ...stored.flatMap((each): PolicyRule[] => [
      ...(each.source === "external"
        ? [{ path: vaultPaths(environment).data(each), capabilities: ["create", "update"] }]
        : []),
      { path: `${vaultPaths(environment).kvMount}/undelete/${each.path}`, capabilities: ["update"] },
    ]),
    // In a Vault of others its administrators set the engine up: it reaches databases that are not this stack's.
    ...(isStored(vault) && roles.length > 0 ? databaseEngineRules(environment, roles) : []),
  ];
}

function databaseEngineRules(environment: VaultEnvironment, roles: readonly SecretPath[]): PolicyRule[] {
  return [
    {
      path: `sys/mounts/${vaultPaths(environment).databaseMount}`,
      capabilities: ["create", "update"],
      parameters: { ...mountParameters("database") },
    },
    { path: `${vaultPaths(environment).databaseMount}/config/+`, capabilities: ["create", "read", "update"] },
    ...roles.map((each) => ({
      path: vaultPaths(environment).metadata(each),
      capabilities: ["create", "update", "delete"],
    })),
  ];
}
