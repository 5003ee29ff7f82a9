import * as pulumi from "@pulumi/pulumi";
import type { VaultEnvironment } from "../../../config/environment";
import { projectName } from "../../../config/project";
import { isStored } from "../../../config/stores/vault/server";

/**
 * The token for the Vault that holds the key of a transit seal, secret: the first of those that there are.
 *
 * @param configured from the stack's config
 * @param variable from `VAULT_SEAL_TOKEN`
 * @param present the one that the cluster has
 * @throws Error where the environment needs one and there is none
 */
export function chooseSealToken(
  { vault }: VaultEnvironment,
  configured: pulumi.Output<string> | undefined,
  variable: string | undefined,
  present: string | undefined,
): pulumi.Output<string> {
  const token = configured ?? (variable || present);
  if (token === undefined && isStored(vault) && vault.seal?.type === "transit") {
    throw new Error(
      `No token for ${vault.seal.address}, which holds the key of Vault's seal: set VAULT_SEAL_TOKEN, or ` +
        `\`pulumi config set --secret ${projectName}:sealToken\``,
    );
  }
  return pulumi.secret(token ?? "");
}
