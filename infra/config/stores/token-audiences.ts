import { tokenAudiencesFor } from "../../../constructs/stores/azure-key-vault/parameters";
import type { Environment } from "../environment";

/** Audiences of the pod tokens that the driver must hand to the store's CSI provider. */
export function tokenAudiencesOf(environment: Environment): readonly string[] {
  return environment.vault === undefined
    ? tokenAudiencesFor(environment.azureKeyVault.identity)
    : [environment.vault.audience];
}
