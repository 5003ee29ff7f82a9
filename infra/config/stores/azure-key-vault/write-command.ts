import type { Secret } from "../../../../constructs/secrets";
import { shellCommand } from "../../../../constructs/shell-command";
import { objectName } from "../../../../constructs/stores/azure-key-vault/names";
import { ownCommand } from "../../command-line";
import type { KeyVaultEnvironment } from "../../environment";

/** Command that brings a secret into the key vault which is not there. */
export function writeSecretCommand(environment: KeyVaultEnvironment, secret: Secret): string {
  if (secret.source !== "external") return ownCommand("up", environment);
  const { name: keyVault, objects } = environment.azureKeyVault;
  const { type = "secret" } = objects[secret.pair ?? secret.name] ?? {};
  if (type === "secret" && secret.pair === undefined) return ownCommand("write", environment, secret.name);
  const target = [
    "--vault-name",
    keyVault,
    "--name",
    objectName(secret),
    type === "key" ? "--pem-file" : "--file",
    "FILE",
  ];
  return shellCommand("az", "keyvault", type, type === "secret" ? "set" : "import", ...target);
}
