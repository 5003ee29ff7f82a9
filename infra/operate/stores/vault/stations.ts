import { isMadeByStore, type Secret, SecretTable } from "../../../../constructs/secrets";
import { readPolicy } from "../../../../constructs/stores/vault/policy";
import type { VaultEnvironment } from "../../../config/environment";
import { loginMount, podLogin } from "../../../config/stores/vault/login";
import { vaultPaths } from "../../../config/stores/vault/server";
import type { Station } from "../../station";

/** A secret in Vault, and who may read it there. */
export function vaultStations(environment: VaultEnvironment, secret: Secret): Station[] {
  const { table, vault, namespaces, aidbox } = environment;
  const { path, source } = secret;
  const alone = new SecretTable({ mountPath: table.mountPath, secrets: [{ name: "one", path, source }] });
  return [
    {
      title: isMadeByStore(secret) ? "Vault: database engine" : "Vault: KV v2",
      lines: [`${vaultPaths(environment).operator(secret)}, key ${secret.key}`, `source: ${secret.source}`],
    },
    { title: `Vault: policy ${vault.role}`, lines: readPolicy(alone, vaultPaths(environment)).trimEnd().split("\n") },
    {
      title: `Vault: role ${vault.role} of auth/${loginMount(environment)} (${podLogin(environment).method})`,
      lines: [
        `ServiceAccount ${namespaces.aidbox}/${aidbox.name}`,
        `audience ${vault.audience}, tokens live ${vault.tokenTtl}`,
      ],
    },
  ];
}

/** What the SecretProviderClass says of a secret. */
export function vaultClassLines(environment: VaultEnvironment, secret: Secret): string[] {
  return [
    `objectName: ${secret.file}`,
    `secretPath: ${vaultPaths(environment).data(secret)}`,
    `secretKey:  ${secret.key}`,
  ];
}
