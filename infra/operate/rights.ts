import { clusterWideName, objectNames } from "../../constructs/kubernetes/names";
import type { Environment } from "../config/environment";
import { csiDriverName, csiProviderName } from "../../constructs/platform/names";
import { loginMount } from "../config/login";
import { postgresRole } from "../database";
import { republishes } from "../config/rotation-bound";
import { isStored, ownsKvMount } from "../config/vault-server";
import { rotationRight } from "./rotation-right";
import { vaultTlsNames } from "../../constructs/kubernetes";

/** What the operator's commands need: objects to apply to the cluster, and a policy for Vault. */
export interface OperatorRights {
  readonly kubernetes: readonly object[];
  /** HCL. */
  readonly vaultPolicy: string;
}

/**
 * Who it is: somebody who looks, by `verify` and `status`; who changes secrets too, by `rotate`; or Pulumi itself, whose
 * rights in the cluster are those of who makes namespaces, cluster roles and CRDs.
 */
export type OperatorRole = "viewer" | "rotator" | "stack";

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
export function operatorRights(environment: Environment, role: OperatorRole, group: string): OperatorRights {
  if (role === "stack") return { kubernetes: [], vaultPolicy: stackPolicy(environment) };
  return { kubernetes: kubernetesRights(environment, role, group), vaultPolicy: vaultRights(environment, role) };
}

function kubernetesRights(environment: Environment, role: OperatorRole, group: string): object[] {
  const { namespaces, csiDriver, vault, aidbox, table } = environment;
  const names = objectNames(aidbox.name);
  const rotates = role === "rotator";
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
  const vaultRules: Rule[] = [
    ...(vault.csiProvider
      ? [{ groups: ["apps"], resources: ["daemonsets"], names: [csiProviderName(vault.release)], verbs: ["get"] }]
      : []),
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
  const clusterRules: Rule[] = [
    {
      groups: ["storage.k8s.io"],
      resources: ["csidrivers"],
      names: ["secrets-store.csi.k8s.io"],
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
    ...(vaultRules.length > 0 ? bound("Role", `${shared}-vault`, namespaces.vault, vaultRules, group) : []),
  ];
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

/**
 * HCL of the policy of Pulumi's own token: what the stack makes in Vault, and nothing beside it. Whoever may write a policy
 * can write what it allows, so this token is worth as much as what it guards.
 */
export function stackPolicy(environment: Environment): string {
  const mount = loginMount(environment);
  const all = [environment, ...environment.tenants];
  const kv = environment.table.kvMount;
  const roles = all.flatMap((each) => [
    each.vault.role,
    ...(each.database?.mode === "development" ? [postgresRole(each)] : []),
  ]);
  const write = ["create", "read", "update", "delete"];
  const paths = all.flatMap(({ table }) => table.paths);
  const rules: [path: string, capabilities: string[]][] = [
    ["sys/auth", ["read"]],
    [`sys/auth/${mount}`, [...write, "sudo"]],
    [`sys/mounts/auth/${mount}`, ["read"]],
    [`sys/mounts/auth/${mount}/tune`, ["read", "update"]],
    [`auth/${mount}/config`, write],
    ...roles.flatMap((role): [string, string[]][] => [
      [`auth/${mount}/role/${role}`, write],
      [`sys/policies/acl/${role}`, write],
    ]),
    ...(ownsKvMount(environment)
      ? ([
          ["sys/mounts", ["read"]],
          [`sys/mounts/${kv}`, write],
          [`sys/mounts/${kv}/tune`, ["read", "update"]],
        ] as [string, string[]][])
      : []),
    ...paths.flatMap((each): [string, string[]][] => {
      const subkeys = `${kv}/subkeys/${each.path}`;
      switch (each.source) {
        case "database":
          return [[environment.table.metadataPath(each), ["read"]]];
        case "external":
          return [
            [subkeys, ["read"]],
            // Whether its halves match cannot be told without them.
            ...(each.keypair === undefined ? [] : [[environment.table.dataPath(each), ["read"]] as [string, string[]]]),
          ];
        case "managed":
        case "seeded":
          return [
            [subkeys, ["read"]],
            [environment.table.metadataPath(each), write],
            [environment.table.dataPath(each), ["create", "update", "patch"]],
          ];
      }
    }),
  ];
  return rules.map(([path, capabilities]) => rule(path, capabilities)).join("\n");
}

function rule(path: string, capabilities: readonly string[]): string {
  return `path "${path}" {\n  capabilities = [${capabilities.map((each) => `"${each}"`).join(", ")}]\n}\n`;
}

function vaultRights(environment: Environment, role: OperatorRole): string {
  const { table, vault } = environment;
  const mount = loginMount(environment);
  const readable = [
    `auth/${mount}/config`,
    `auth/${mount}/role/${vault.role}`,
    `sys/policies/acl/${vault.role}`,
    ...table.paths.flatMap((each) => [
      table.metadataPath(each),
      ...(each.source === "database" ? [] : [`${table.kvMount}/subkeys/${each.path}`]),
    ]),
  ];
  // Values are read with the pods' own login; the operator's token reads none. What is managed is not rotated by hand.
  const rotated = table.paths.filter(({ source }) => source !== "managed").map((each) => rotationRight(table, each));
  return [
    ...readable.map((path) => rule(path, ["read"])),
    ...(role === "rotator" ? rotated.map(({ path, capability }) => rule(path, [capability])) : []),
  ].join("\n");
}
