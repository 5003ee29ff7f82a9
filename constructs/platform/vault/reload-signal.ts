/**
 * Shell command that has Vault read its certificate and open its audit file anew. The eldest process of that name is the
 * server: a probe's `vault status`, which a signal would end, is younger.
 */
export const reloadVault = "kill -HUP $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)";
