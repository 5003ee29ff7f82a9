import { type KeyVaultRole, roleDefinition } from "../../../../constructs/stores/azure-key-vault/permissions";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { InvalidRequestError } from "../../errors";
import type { OperatorRole, StoreRights } from "../../operator-role";

const rolesOfStore: Readonly<Record<Exclude<OperatorRole, "auditor">, KeyVaultRole>> = {
  viewer: "viewer",
  rotator: "rotator",
  writer: "writer",
  scheduler: "rotator",
  stack: "stack",
};

/**
 * What a role needs in the key vault, as a role of Azure's, and beside the pods to read as they do.
 *
 * @throws InvalidRequestError for an auditor
 */
export function keyVaultRights(environment: KeyVaultEnvironment, role: OperatorRole): StoreRights {
  if (role === "auditor")
    throw new InvalidRequestError("`access`, which an auditor runs, is not for Azure Key Vault yet");
  const { name, identity } = environment.azureKeyVault;
  const definition = roleDefinition(rolesOfStore[role], `Aidbox secrets ${role} of ${name}`, "SUBSCRIPTION");
  // Nobody but the node has its identity, so an operator reads with a login of their own.
  const reads = identity.type === "node" && !definition.DataActions.some((action) => action.includes("getSecret"));
  const actions = [...definition.DataActions, ...(reads ? ["Microsoft.KeyVault/vaults/secrets/getSecret/action"] : [])];
  return {
    policy: JSON.stringify({ ...definition, DataActions: actions }, undefined, 2),
    way: [],
    besidePods:
      identity.type === "service-principal"
        ? [{ resources: ["secrets"], names: [identity.secretName], verbs: ["get"] }]
        : [],
  };
}
