import { shellCommand } from "../../shell-command";
import { objectNamePattern } from "./names";

/** Who it is, from who may do least: a pod reads values; a viewer sees that they are there, and the others write them too. */
export type KeyVaultRole = "pod" | "viewer" | "rotator" | "writer" | "stack";

/**
 * What each may do with secrets.
 *
 * Source: https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault
 */
const actions: Readonly<Record<KeyVaultRole, readonly string[]>> = {
  pod: ["getSecret"],
  viewer: ["readMetadata"],
  rotator: ["readMetadata", "setSecret"],
  writer: ["readMetadata", "setSecret", "recover"],
  // It compares what is managed, and makes what is seeded.
  stack: ["readMetadata", "getSecret", "setSecret", "recover"],
};

/** A role of Azure's that has just what is needed; for `az role definition create --role-definition @FILE`. */
export interface RoleDefinition {
  readonly Name: string;
  readonly Description: string;
  readonly IsCustom: true;
  readonly Actions: readonly string[];
  readonly DataActions: readonly string[];
  readonly AssignableScopes: readonly string[];
}

/**
 * The role of somebody.
 *
 * @param name of the role in Azure, where it is one of the whole tenant
 * @param subscription id of the key vault's subscription
 */
export function roleDefinition(role: KeyVaultRole, name: string, subscription: string): RoleDefinition {
  return {
    Name: name,
    Description: `What a ${role} of Aidbox's secrets needs in Key Vault, and nothing else`,
    IsCustom: true,
    Actions: [],
    DataActions: actions[role].map((action) => `Microsoft.KeyVault/vaults/secrets/${action}/action`),
    AssignableScopes: [`/subscriptions/${subscription}`],
  };
}

/** Scope of one secret in Azure's roles: an assignment there reaches no other secret of the vault. */
export function secretScope(vaultId: string, object: string): string {
  if (!objectNamePattern.test(object)) throw new Error(`"${object}" is no name of a secret in Key Vault`);
  return `${vaultId}/secrets/${object}`;
}

/** Command that gives somebody a role for one secret. */
export function assignRole(role: string, principalId: string, vaultId: string, object: string): string {
  const scope = secretScope(vaultId, object);
  return shellCommand(
    "az",
    "role",
    "assignment",
    "create",
    "--role",
    role,
    "--assignee-object-id",
    principalId,
    "--scope",
    scope,
  );
}

/** Command of Azure's that an operator runs on one secret. */
export function keyVaultCommand(keyVault: string, object: string, what: "show" | "recover" | "enable"): string {
  const target = ["--vault-name", keyVault, "--name", object];
  if (what === "enable")
    return shellCommand("az", "keyvault", "secret", "set-attributes", ...target, "--enabled", "true");
  // The answer of `show` has the value, which belongs on nobody's screen.
  const query = what === "show" ? ["--query", "attributes"] : [];
  return shellCommand("az", "keyvault", "secret", what, ...target, ...query);
}
