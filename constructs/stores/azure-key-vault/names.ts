import type { Secret } from "../../secrets";

/** Name of the Helm release of Azure's CSI provider, and of its DaemonSet. */
export const csiProviderName = "azure-node";

/** What Key Vault takes as the name of a secret, a key or a certificate; it does not tell upper from lower case. */
export const objectNamePattern = /^[0-9a-zA-Z-]{1,127}$/;

/**
 * Name of a secret in Key Vault: its path, with `-` in place of each `/`. Key Vault has no keys inside a secret, so each part
 * of a keypair is a secret of its own, with the part's name behind.
 */
export function objectName({ path, key, pair }: Pick<Secret, "path" | "key" | "pair">): string {
  const name = path.replaceAll("/", "-");
  return pair === undefined ? name : `${name}-${key}`;
}

/** The clouds of Azure that have Key Vault. */
export type AzureCloud = "public" | "us-government" | "china";

interface CloudHosts {
  /** As the CSI provider calls the cloud. */
  readonly providersName: string;
  readonly vaultSuffix: string;
  readonly authority: string;
}

/** Source: https://github.com/Azure/go-autorest/blob/main/autorest/azure/environments.go, which the provider reads too. */
export const clouds: Readonly<Record<AzureCloud, CloudHosts>> = {
  public: {
    providersName: "AzurePublicCloud",
    vaultSuffix: "vault.azure.net",
    authority: "https://login.microsoftonline.com",
  },
  "us-government": {
    providersName: "AzureUSGovernmentCloud",
    vaultSuffix: "vault.usgovcloudapi.net",
    authority: "https://login.microsoftonline.us",
  },
  china: {
    providersName: "AzureChinaCloud",
    vaultSuffix: "vault.azure.cn",
    authority: "https://login.chinacloudapi.cn",
  },
};

/** URL of a key vault. */
export function vaultUrl(keyVault: string, cloud: AzureCloud = "public"): string {
  return `https://${keyVault}.${clouds[cloud].vaultSuffix}`;
}
