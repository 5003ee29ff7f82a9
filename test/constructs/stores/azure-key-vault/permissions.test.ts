import {
  assignRole,
  keyVaultCommand,
  type KeyVaultRole,
  roleDefinition,
  secretScope,
} from "../../../../constructs/stores/azure-key-vault/permissions";

const vaultId = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/aidbox-test";

test.each<[KeyVaultRole, readonly string[]]>([
  ["pod", ["getSecret"]],
  ["viewer", ["readMetadata"]],
  ["rotator", ["readMetadata", "setSecret"]],
  ["writer", ["readMetadata", "setSecret", "recover"]],
  ["stack", ["readMetadata", "getSecret", "setSecret", "recover"]],
])("a %s may do just what it needs, and purge nothing", (role, actions) => {
  const { DataActions, Actions, AssignableScopes } = roleDefinition(role, `aidbox-${role}`, "s");
  expect(DataActions).toEqual(actions.map((each) => `Microsoft.KeyVault/vaults/secrets/${each}/action`));
  expect(Actions).toEqual([]);
  expect(AssignableScopes).toEqual(["/subscriptions/s"]);
});

test("a role is given for one secret", () => {
  expect(assignRole("aidbox-pod", "p", vaultId, "aidbox-client")).toBe(
    `az role assignment create --role aidbox-pod --assignee-object-id p --scope ${vaultId}/secrets/aidbox-client`,
  );
  expect(() => secretScope(vaultId, "../x")).toThrow('"../x" is no name of a secret in Key Vault');
});

test("commands for an operator show no value", () => {
  expect(keyVaultCommand("v", "aidbox-client", "recover")).toBe(
    "az keyvault secret recover --vault-name v --name aidbox-client",
  );
  expect(keyVaultCommand("v", "aidbox-client", "enable")).toBe(
    "az keyvault secret set-attributes --vault-name v --name aidbox-client --enabled true",
  );
  expect(keyVaultCommand("v", "aidbox-client", "show")).toBe(
    "az keyvault secret show --vault-name v --name aidbox-client --query attributes",
  );
});
