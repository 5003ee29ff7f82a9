import { describeLoad } from "../../constructs/stores/azure-key-vault/load";
import type { Environment } from "../config/environment";
import { publicationsOf } from "../config/stores/azure-key-vault/publications";

/** What keeping the bound costs in calls to the store, where it counts them; undefined of Vault. */
export function loadOf({ azureKeyVault, table, aidbox, rotationBoundSeconds }: Environment): string | undefined {
  if (azureKeyVault === undefined) return undefined;
  const publications = publicationsOf(table.secrets.length, aidbox, rotationBoundSeconds);
  return describeLoad(publications, azureKeyVault.identity.type === "workload");
}
