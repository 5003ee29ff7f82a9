import { readFileSync } from "node:fs";
import type { ClientCertificate } from "../../constructs/stores/vault";

/**
 * The certificate by which this machine shows Vault who asks: the files of `VAULT_CLIENT_CERT` and `VAULT_CLIENT_KEY`, from
 * which Vault's command line and Pulumi's Vault provider take it too.
 *
 * @returns undefined where neither is set
 * @throws Error where one is missing, or cannot be read
 */
export function clientCertificate(variables: NodeJS.ProcessEnv = process.env): ClientCertificate | undefined {
  const { VAULT_CLIENT_CERT: cert = "", VAULT_CLIENT_KEY: key = "" } = variables;
  if (cert === "" && key === "") return undefined;
  if (cert === "" || key === "") {
    throw new Error(
      "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY name a certificate's file and its key's: set both, or none",
    );
  }
  return { cert: read("VAULT_CLIENT_CERT", cert), key: read("VAULT_CLIENT_KEY", key) };
}

function read(variable: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`the file of ${variable} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
