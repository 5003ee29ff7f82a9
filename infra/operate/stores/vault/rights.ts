import { isMadeByStore, type SecretPath } from "../../../../constructs/secrets";
import { vaultSnapshotsName, vaultTlsNames } from "../../../../constructs/stores/vault/names";
import { type PolicyRule, policyText } from "../../../../constructs/stores/vault/policy";
import type { VaultEnvironment } from "../../../config/environment";
import { policyMark } from "../../../config/names";
import { loginMount, ownsAuthMount } from "../../../config/stores/vault/login";
import { isStored, vaultPaths } from "../../../config/stores/vault/server";
import { rotatedUnasked } from "../../due-row";
import type { KubernetesRule, OperatorRole, StoreRights } from "../../operator-role";
import { allRotated } from "../../rotated";
import { readableKinds } from "./access/vault-access";
import { rotationRight } from "./rotation-right";
import { generateRootRules, lookingRules, mountParameters, selfRules, stackPolicy } from "./stack-policy";

/** What a role needs in Vault, and on the way to it. */
export function vaultRights(environment: VaultEnvironment, role: OperatorRole): StoreRights {
  const rules = wayToVault(environment, role);
  return {
    policy: policyOf(environment, role),
    way: rules.length === 0 ? [] : [{ suffix: "vault", namespace: environment.namespaces.vault, rules }],
    besidePods: [],
  };
}

function policyOf(environment: VaultEnvironment, role: OperatorRole): string {
  switch (role) {
    case "stack":
      return stackPolicy(environment);
    case "scheduler":
      return schedulerPolicy(environment);
    case "auditor":
      return auditorPolicy(environment);
    case "viewer":
    case "rotator":
    case "writer":
      return operatorPolicy(environment, role);
  }
}

/** HCL of what `rotate --due` needs: to see the ages, and to rotate what it may rotate unasked. */
function schedulerPolicy(environment: VaultEnvironment): string {
  const aged = allRotated(environment).filter(({ maxAgeSeconds }) => maxAgeSeconds !== undefined);
  return policyText(
    joined([
      ...aged.map((each) => ({ path: vaultPaths(environment).metadata(each), capabilities: ["read"] as const })),
      ...rotatedUnasked(environment).flatMap((each): PolicyRule[] => {
        const { path, capability } = rotationRight(environment, each);
        return [
          ...(isMadeByStore(each)
            ? []
            : [{ path: `${vaultPaths(environment).kvMount}/subkeys/${each.path}`, capabilities: ["read"] as const }]),
          { path, capabilities: [capability] },
        ];
      }),
    ]),
  );
}

/** HCL of what `access` needs: to see all policies and all who get them, whose names nobody knows beforehand, and the ages. */
function auditorPolicy(environment: VaultEnvironment): string {
  const mounts = [`auth/${loginMount(environment)}`, "auth/+", "auth/+/+"];
  return policyText(
    joined([
      { path: "sys/policies/acl", capabilities: ["list"] },
      { path: "sys/policies/acl/+", capabilities: ["read"] },
      { path: "sys/auth", capabilities: ["read"] },
      ...mounts.flatMap((mount) =>
        readableKinds.flatMap((kind) => [
          { path: `${mount}/${kind}`, capabilities: ["list"] },
          { path: `${mount}/${kind}/+`, capabilities: ["read"] },
        ]),
      ),
      ...["entity", "group"].flatMap((kind) => [
        { path: `identity/${kind}/id`, capabilities: ["list"] },
        { path: `identity/${kind}/id/+`, capabilities: ["read"] },
      ]),
      ...environment.table.paths.map((each) => ({
        path: vaultPaths(environment).metadata(each),
        capabilities: ["read"],
      })),
    ]),
  );
}

/** What leads to a Vault in the cluster. */
function wayToVault({ vault }: VaultEnvironment, role: OperatorRole): KubernetesRule[] {
  return [
    ...(vault.mode === "external"
      ? []
      : [
          { resources: ["pods"], verbs: ["list"] },
          { resources: ["pods/portforward"], verbs: ["get", "create"] },
          { groups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
          // Vault's audit log, where a device writes it to the standard output.
          ...(role === "auditor" ? [{ resources: ["pods/log"], verbs: ["get"] }] : []),
        ]),
    ...(isStored(vault)
      ? [
          { resources: ["configmaps"], names: [vaultTlsNames(vault.release).ca], verbs: ["get"] },
          ...(role === "scheduler" || role === "auditor"
            ? []
            : [{ groups: ["apps"], resources: ["statefulsets"], names: [vault.release], verbs: ["get"] }]),
          // Servers say there which audit device fails.
          ...(role !== "scheduler" && vault.audit.enabled ? [{ resources: ["pods/log"], verbs: ["get"] }] : []),
          ...(role !== "scheduler" && role !== "auditor" && vault.snapshots !== undefined
            ? [
                {
                  groups: ["batch"],
                  resources: ["cronjobs"],
                  names: [vaultSnapshotsName(vault.release)],
                  verbs: ["get"],
                },
              ]
            : []),
        ]
      : []),
  ];
}

/** HCL of the policy of an operator's token. */
export function operatorPolicy(
  environment: VaultEnvironment,
  role: Exclude<OperatorRole, "stack" | "scheduler" | "auditor">,
): string {
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
  return [...readable.map((path): PolicyRule => ({ path, capabilities: ["read"] })), ...lookingRules(environment)];
}

/** Values are read with the pods' own login; the operator's token reads none. What is managed is not rotated by hand. */
function rotatorRules(environment: VaultEnvironment): PolicyRule[] {
  const rotated = environment.table.paths
    .filter(({ source }) => source !== "managed")
    .map((each) => rotationRight(environment, each));
  return rotated.map(({ path, capability }) => ({ path, capabilities: [capability] }));
}

/** The first value of what an operator writes, what brings back a value that somebody deleted, and what ends one that leaked. */
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
      ...["undelete", "destroy"].map((verb): PolicyRule => ({
        path: `${vaultPaths(environment).kvMount}/${verb}/${each.path}`,
        capabilities: ["update"],
      })),
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
