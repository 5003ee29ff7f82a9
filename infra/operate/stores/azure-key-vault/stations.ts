import type { Secret } from "../../../../constructs/secrets";
import { objectName } from "../../../../constructs/stores/azure-key-vault/names";
import { objectEntry, workloadIdentityAudience } from "../../../../constructs/stores/azure-key-vault/parameters";
import { keyVaultCommand } from "../../../../constructs/stores/azure-key-vault/permissions";
import type { KeyVaultEnvironment } from "../../../config/environment";
import type { Station } from "../../station";

/** A secret in the key vault, and as whom the pods read it. */
export function keyVaultStations(environment: KeyVaultEnvironment, secret: Secret): Station[] {
  const { name, tenantId, objects } = environment.azureKeyVault;
  const { type = "secret", version } = objects[secret.pair ?? secret.name] ?? {};
  return [
    {
      title: `Azure: key vault ${name}`,
      lines: [
        `${type} ${objectName(secret)}${version === undefined ? "" : `, version ${version} for good`}`,
        `source: ${secret.source}`,
        ...(type === "secret" ? [`to look at it: ${keyVaultCommand(name, objectName(secret), "show")}`] : []),
      ],
    },
    { title: `Entra ID: tenant ${tenantId}`, lines: identityLines(environment) },
  ];
}

function identityLines({ azureKeyVault: { identity }, namespaces, aidbox }: KeyVaultEnvironment): string[] {
  switch (identity.type) {
    case "workload":
      return [
        `client ${identity.clientId}`,
        `trusts ServiceAccount ${namespaces.aidbox}/${aidbox.name}, audience ${workloadIdentityAudience}`,
        "role Key Vault Secrets User",
      ];
    case "node":
      return [
        `UNSAFE: ${identity.clientId === undefined ? "the identity" : `client ${identity.clientId}`} of the node, which each of its pods has`,
        "role Key Vault Secrets User",
      ];
    case "service-principal":
      return [
        `UNSAFE: an app, by the password in Secret ${namespaces.aidbox}/${identity.secretName}`,
        "role Key Vault Secrets User",
      ];
  }
}

/** What the SecretProviderClass says of a secret. */
export function keyVaultClassLines({ azureKeyVault }: KeyVaultEnvironment, secret: Secret): string[] {
  const entry = objectEntry(secret, azureKeyVault.objects[secret.pair ?? secret.name]);
  return Object.entries(entry).map(([field, value]) => `${`${field}:`.padEnd(13)}${value}`);
}
