import { type Secret, SecretTable } from "../../../../../constructs/secrets";
import {
  type KeyVaultIdentity,
  type KeyVaultObjects,
  VersionConflictError,
} from "../../../../../constructs/stores/azure-key-vault";
import { KeyVaultClients } from "../../../../../infra/operate/stores/azure-key-vault/clients";
import { KeyVaultOperator } from "../../../../../infra/operate/stores/azure-key-vault/operator";
import {
  clientId,
  clientSecret,
  issuer,
  serviceAccountToken,
  strangerId,
  subject,
  tenantId,
} from "../../../../azure/fixtures";
import { type KeyVault, roles } from "../../../../azure/key-vault";
import { AzureStandIn } from "../../../../azure/stand-in";
import { actAs } from "./operator-login";

const { secrets } = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "keystore", path: "aidbox/keystore" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec" },
  ],
});
const named = (name: string): Secret => secrets.find((each) => each.name === name)!;
const clientSecretRow = named("client-secret");

let azure: AzureStandIn;
let vault: KeyVault;
let restore: () => void;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId, tenantId, federated: [{ issuer, subject }] });
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  vault.grant(clientId, roles.secretsUser);
  vault.grant(strangerId, ["secrets/readMetadata", "secrets/setSecret"]);
  restore = actAs(strangerId);
});
afterEach(async () => {
  restore();
  await azure.stop();
});

function operator(
  objects: KeyVaultObjects = {},
  identity: KeyVaultIdentity = { type: "workload", clientId },
): KeyVaultOperator {
  const pod = { token: () => Promise.resolve(serviceAccountToken()), secret: () => Promise.resolve({}) };
  const login = { keyVault: "aidbox-test", tenantId, identity };
  return new KeyVaultOperator(new KeyVaultClients(login, pod, { agent: azure.agent() }), objects);
}

test("a secret's standing is that of the version that pods read, and no value is read for it", async () => {
  const first = vault.set("aidbox-client", "first");
  const second = vault.set("aidbox-client", "second");
  expect(await operator().standing(clientSecretRow)).toMatchObject({
    version: second,
    rotatedAt: expect.any(Date) as Date,
  });
  expect(await operator({ "client-secret": { version: first } }).standing(clientSecretRow)).toMatchObject({
    version: first,
  });
  vault.enable("aidbox-client", false);
  expect((await operator().standing(clientSecretRow)).version).toBeUndefined();
  expect((await operator().standing(named("keystore"))).versions).toEqual([]);
});

test("a value is read as the pod does, although the operator may not read any", async () => {
  const first = vault.set("aidbox-client", "first");
  vault.set("aidbox-client", "second");
  expect(await operator().read(clientSecretRow)).toBe("second");
  expect(await operator().read(clientSecretRow, first)).toBe("first");
  vault.set("aidbox-keystore", Buffer.from("bytes").toString("base64"));
  expect(await operator({ keystore: { encoding: "base64" } }).read(named("keystore"))).toBe("bytes");
});

test("what is not there, or disabled, has no value", async () => {
  expect(await operator().read(clientSecretRow)).toBeUndefined();
  vault.set("aidbox-client", "value");
  vault.enable("aidbox-client", false);
  expect(await operator().read(clientSecretRow)).toBeUndefined();
});

test("where the identity is the node's, the operator reads, with the operator's own roles", async () => {
  vault.set("aidbox-client", "value");
  const byNode = operator({}, { type: "node", clientId });
  await expect(byNode.read(clientSecretRow)).rejects.toThrow("403 ForbiddenByRbac");
  vault.grant(strangerId, roles.secretsUser);
  expect(await byNode.read(clientSecretRow)).toBe("value");
});

test("a write tells the versions, and that Key Vault keeps nobody out", async () => {
  const first = vault.set("aidbox-client", "first");
  const written = await operator().write(
    [clientSecretRow],
    new Map([["client-secret", "second"]]),
    new Map([["client-secret", [first]]]),
  );
  expect(vault.current("aidbox-client")).toMatchObject({
    value: "second",
    version: written.versions.get("client-secret"),
  });
  expect(written.notes).toEqual([
    "Key Vault has no check-and-set: nobody else's write was seen at the same time, but one could not have been kept out.",
  ]);
});

test("a write of somebody else's at the same time is named", async () => {
  const first = vault.set("aidbox-client", "first");
  let theirs = "";
  azure.beforeAnswer = ({ method }) => {
    if (method === "PUT") theirs = vault.set("aidbox-client", "theirs");
  };
  const { notes } = await operator().write(
    [clientSecretRow],
    new Map([["client-secret", "ours"]]),
    new Map([["client-secret", [first]]]),
  );
  expect(notes).toEqual([
    `Somebody else wrote at the same time: aidbox-client, version ${theirs}. Key Vault has no check-and-set, so see which value is to stay.`,
  ]);
});

test("a write since the secret was looked at is kept", async () => {
  const first = vault.set("aidbox-client", "first");
  vault.set("aidbox-client", "theirs");
  const writing = operator().write(
    [clientSecretRow],
    new Map([["client-secret", "ours"]]),
    new Map([["client-secret", [first]]]),
  );
  await expect(writing).rejects.toThrow(VersionConflictError);
  expect(vault.current("aidbox-client")?.value).toBe("theirs");
});

test("the parts of a keypair are written one after the other", async () => {
  const parts = secrets.filter(({ pair }) => pair === "auth-keys");
  const values = new Map(parts.map(({ name }) => [name, `new ${name}`]));
  const { versions } = await operator().write(parts, values, new Map());
  expect([...versions.keys()]).toEqual(parts.map(({ name }) => name));
  expect(vault.current("aidbox-auth-keys-public")?.value).toBe("new auth-keys-public");
});

test.each<[string, KeyVaultObjects, string, string]>([
  [
    "a certificate",
    { "client-secret": { type: "certificate" } },
    "x",
    "client-secret is a certificate, which is made in Key Vault itself",
  ],
  [
    "a pinned secret",
    { "client-secret": { version: "0".repeat(32) } },
    "x",
    `client-secret is pinned to version ${"0".repeat(32)}: a new one would reach no pod`,
  ],
  [
    "25 KiB and one byte",
    {},
    "x".repeat(25 * 1024 + 1),
    "client-secret: the new value has 25601 bytes, and Key Vault takes up to 25 KiB",
  ],
  [
    "no base64",
    { "client-secret": { encoding: "base64" } },
    "not base64!",
    "client-secret: the new value is no base64, as which its file is read",
  ],
])("%s is not written", async (_, objects, value, message) => {
  const writing = operator(objects).write([clientSecretRow], new Map([["client-secret", value]]), new Map());
  await expect(writing).rejects.toThrow(message);
  expect(azure.calls.filter(({ method }) => method === "PUT")).toEqual([]);
});

test("who may not write is told what is lacking", async () => {
  vault.revoke(strangerId);
  vault.grant(strangerId, ["secrets/readMetadata"]);
  const writing = operator().write([clientSecretRow], new Map([["client-secret", "x"]]), new Map());
  await expect(writing).rejects.toThrow("403 ForbiddenByRbac: Caller is not authorized to perform action on resource.");
});
