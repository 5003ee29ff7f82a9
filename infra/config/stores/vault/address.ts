import type { VaultEnvironment } from "../../environment";

/** URL of a Vault that is there already, as seen from where the commands run. */
export function addressFromHere(vault: VaultEnvironment["vault"] & { readonly mode: "external" }): string {
  return vault.addressFromHere ?? vault.address;
}
