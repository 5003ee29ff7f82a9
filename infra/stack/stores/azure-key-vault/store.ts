import { passwordTable } from "../../../../constructs/kubernetes/index";
import { type KeyVaultLogin, type KeyVaultObjects, KeyVaultStore } from "../../../../constructs/stores/azure-key-vault";
import type { KeyVaultEnvironment } from "../../../config/environment";
import type { StoreYaml } from "../store-yaml";

/** Which key vault the environment's pods read, and as whom. */
export function keyVaultLogin({ azureKeyVault }: KeyVaultEnvironment): KeyVaultLogin {
  const { name, tenantId, identity, cloud } = azureKeyVault;
  return { keyVault: name, tenantId, identity, cloud };
}

/** Objects of the environment's secrets, by their names. */
export function keyVaultObjects({ azureKeyVault }: KeyVaultEnvironment): KeyVaultObjects {
  return azureKeyVault.objects;
}

/**
 * The key vault as pods of the environment read it.
 *
 * @param reader whose pods: a database's mount its password alone
 */
function keyVaultStore(environment: KeyVaultEnvironment, reader: "aidbox" | "postgres"): KeyVaultStore {
  const { table } = environment;
  const { rows } = reader === "aidbox" ? table : passwordTable(table);
  const objects = Object.fromEntries(
    Object.entries(keyVaultObjects(environment)).filter(([name]) => rows.some((row) => row.name === name)),
  );
  return new KeyVaultStore({ ...keyVaultLogin(environment), objects });
}

/** What an environment's YAML has of its key vault. */
export const keyVaultYaml: StoreYaml<KeyVaultEnvironment> = { store: keyVaultStore };
