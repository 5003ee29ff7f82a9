import { identityWarning } from "../../../constructs/stores/azure-key-vault/parameters";
import type { Environment } from "../environment";

/** Who beside Aidbox can read its secrets, a sentence each. */
export function storeWarnings({ azureKeyVault }: Environment): string[] {
  const warning = azureKeyVault === undefined ? undefined : identityWarning(azureKeyVault.identity);
  return warning === undefined ? [] : [warning];
}
