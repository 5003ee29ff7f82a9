import { missingAzurePackages } from "../../../constructs/stores/azure-key-vault/packages";
import type { KeyVaultEnvironment } from "../../config/environment";
import { keyVaultStations } from "./azure-key-vault";
import type { PlannedStore } from "./planned-store";

/** What a plan knows of a key vault. */
export const plannedKeyVault: PlannedStore<KeyVaultEnvironment> = {
  args: (environment, common) => ({
    ...common,
    environment,
    keyVault: () => {
      throw new Error("The program reached for the key vault in a plan");
    },
  }),
  stations: keyVaultStations,
  lacks: () => {
    const lack = missingAzurePackages();
    const login = {
      what: "a login at Azure that may read and write the key vault's secrets, unless there is one",
      howToGet: "`az login`, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of an app",
    };
    return [...(lack === undefined ? [] : [{ what: "Azure's SDK", howToGet: lack.message }]), login];
  },
};
