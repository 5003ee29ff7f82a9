import { parse } from "yaml";
import { SecretTable } from "../../../../constructs/secrets";
import type { KeyVaultIdentity, KeyVaultObjects } from "../../../../constructs/stores/azure-key-vault";
import {
  identityWarning,
  keyVaultParameters,
  mountedObjectId,
  tokenAudiencesFor,
} from "../../../../constructs/stores/azure-key-vault/parameters";

const tenantId = "11111111-1111-1111-1111-111111111111";
const clientId = "22222222-2222-2222-2222-222222222222";
const login = { keyVault: "aidbox-test", tenantId, identity: { type: "workload", clientId } } as const;

const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "tls", path: "aidbox/tls", file: "kafka/tls.pem" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  ],
});

/** The provider's own way: a list of texts, each YAML. */
function objectsOf(objects?: KeyVaultObjects): unknown[] {
  const { array } = parse(keyVaultParameters(login, table.secrets, objects).objects!) as { array: string[] };
  return array.map((each) => parse(each) as unknown);
}

test("the parameters name the vault, the tenant and the workload's identity", () => {
  const { objects, ...rest } = keyVaultParameters(login, table.secrets);
  expect(rest).toEqual({ keyvaultName: "aidbox-test", tenantID: tenantId, clientID: clientId });
  expect(objects).toMatch(/^array:\n {2}- \|\n {4}objectName: aidbox-client\n/);
});

test("each secret is an object of its own, whose file has the table's name", () => {
  expect(objectsOf()).toEqual([
    { objectName: "aidbox-client", objectType: "secret", objectAlias: "client-secret" },
    { objectName: "aidbox-tls", objectType: "secret", objectAlias: "kafka/tls.pem" },
    { objectName: "aidbox-auth-keys-private", objectType: "secret", objectAlias: "auth-keys-private" },
    { objectName: "aidbox-auth-keys-public", objectType: "secret", objectAlias: "auth-keys-public" },
    { objectName: "aidbox-auth-keys-secret", objectType: "secret", objectAlias: "auth-keys-secret" },
  ]);
});

test("what an object says of itself reaches the provider", () => {
  const version = "0123456789abcdef0123456789abcdef";
  const tls = { format: "pfx", encoding: "base64", version, permission: "0444" } as const;
  expect(objectsOf({ tls, "client-secret": { type: "certificate" } }).slice(0, 2)).toEqual([
    { objectName: "aidbox-client", objectType: "cert", objectAlias: "client-secret" },
    {
      objectName: "aidbox-tls",
      objectType: "secret",
      objectAlias: "kafka/tls.pem",
      objectVersion: version,
      objectFormat: "pfx",
      objectEncoding: "base64",
      filePermission: "0444",
    },
  ]);
});

const unsafe = (secretName = ""): string =>
  secretName === "" ? "an identity of its node" : `the Kubernetes Secret ${secretName}`;

test.each<[KeyVaultIdentity, Record<string, string>, readonly string[], string | undefined]>([
  [{ type: "workload", clientId }, { clientID: clientId }, ["api://AzureADTokenExchange"], undefined],
  [{ type: "node" }, { useVMManagedIdentity: "true" }, [], unsafe()],
  [{ type: "node", clientId }, { useVMManagedIdentity: "true", userAssignedIdentityID: clientId }, [], unsafe()],
  [{ type: "service-principal", secretName: "azure-app" }, {}, [], unsafe("azure-app")],
])("identity %j", (identity, parameters, audiences, warning) => {
  const { objects, ...rest } = keyVaultParameters({ ...login, identity }, table.secrets);
  expect(rest).toEqual({ keyvaultName: "aidbox-test", tenantID: tenantId, ...parameters });
  expect(objects).toBe(keyVaultParameters(login, table.secrets).objects);
  expect(tokenAudiencesFor(identity)).toEqual(audiences);
  if (warning === undefined) expect(identityWarning(identity)).toBeUndefined();
  else expect(identityWarning(identity)).toContain(warning);
});

test("another cloud is named as the provider calls it", () => {
  expect(keyVaultParameters({ ...login, cloud: "china" }, table.secrets).cloudName).toBe("AzureChinaCloud");
  expect(keyVaultParameters({ ...login, cloud: "public" }, table.secrets)).not.toHaveProperty("cloudName");
});

test("a mount's status names an object by type and name", () => {
  const ids = table.secrets.map((secret) =>
    mountedObjectId(secret, secret.name === "tls" ? { type: "certificate" } : {}),
  );
  expect(ids.slice(0, 3)).toEqual(["secret/aidbox-client", "cert/aidbox-tls", "secret/aidbox-auth-keys-private"]);
});
