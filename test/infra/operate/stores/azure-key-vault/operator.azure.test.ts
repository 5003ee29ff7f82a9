import { type Secret, VersionConflictError } from "../../../../../constructs/secrets";
import type { KeyVaultIdentity, KeyVaultObjects } from "../../../../../constructs/stores/azure-key-vault";
import { InvalidRequestError, UnreachableError } from "../../../../../infra/operate/errors";
import { type Rotated, rotatedNamed } from "../../../../../infra/operate/rotated";
import { KeyVaultClients, PodIdentityError } from "../../../../../infra/operate/stores/azure-key-vault/clients";
import { KeyVaultOperator } from "../../../../../infra/operate/stores/azure-key-vault/operator";
import { keyVaultLogin } from "../../../../../infra/stack/stores/azure-key-vault/store";
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
import { checkKeyVaultEnvironment } from "../../../key-vault-environment";
import { actAs } from "./operator-login";

const secrets = [
  { name: "client-secret", path: "aidbox/client" },
  { name: "keystore", path: "aidbox/keystore" },
  { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec" },
];
const environmentOf = (objects: KeyVaultObjects = {}, identity: KeyVaultIdentity = { type: "workload", clientId }) =>
  checkKeyVaultEnvironment({ secrets, azureKeyVault: { name: "aidbox-test", tenantId, identity, objects } });
const usual = environmentOf();
const named = (name: string): Secret => usual.table.secrets.find((each) => each.name === name)!;
const row = (name: string): Rotated => rotatedNamed(usual, name);
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

function operator(objects?: KeyVaultObjects, identity?: KeyVaultIdentity): KeyVaultOperator {
  const environment = environmentOf(objects, identity);
  const pod = { token: () => Promise.resolve(serviceAccountToken()), secret: () => Promise.resolve({}) };
  return new KeyVaultOperator(
    environment,
    new KeyVaultClients(keyVaultLogin(environment), pod, { agent: azure.agent() }),
  );
}

const read = (from: KeyVaultOperator, secret: Secret, version?: string) =>
  from.asPod((readAsPod) => readAsPod(secret, version));

/** Changes a secret as `rotate` does: `between` is what others do once its versions are known. */
async function rotate(
  from: KeyVaultOperator,
  name: string,
  values: Record<string, string>,
  between = (): void => undefined,
) {
  const known = await from.knownVersions(row(name));
  between();
  return from.write(row(name), new Map(Object.entries(values)), known);
}

test("a secret's state is that of the version that pods read, and no value is read for it", async () => {
  const first = vault.set("aidbox-client", "first");
  const second = vault.set("aidbox-client", "second");
  expect(await operator().state(clientSecretRow)).toMatchObject({
    version: second,
    versions: [second, first],
    rotatedAt: expect.any(Date) as Date,
  });
  expect(await operator({ "client-secret": { version: first } }).state(clientSecretRow)).toMatchObject({
    version: first,
  });
  vault.enable("aidbox-client", false);
  expect((await operator().state(clientSecretRow)).version).toBeUndefined();
  expect((await operator().state(named("keystore"))).versions).toEqual([]);
});

test.each(["key", "certificate"] as const)("a %s has no value that its file could be compared with", async (type) => {
  const state = await operator({ "client-secret": { type } }).state(clientSecretRow);
  expect(state.incomparable).toBe(`a ${type}, whose file is not compared`);
});

test("a value is read as the pod does, although the operator may not read any", async () => {
  const first = vault.set("aidbox-client", "first");
  vault.set("aidbox-client", "second");
  expect(await read(operator(), clientSecretRow)).toBe("second");
  expect(await read(operator(), clientSecretRow, first)).toBe("first");
  const bytes = Buffer.from([0, 255, 13, 10]);
  vault.set("aidbox-keystore", bytes.toString("base64"));
  expect(await read(operator({ keystore: { encoding: "base64" } }), named("keystore"))).toEqual(bytes);
});

test("what is not there, or disabled, has no value", async () => {
  expect(await read(operator(), clientSecretRow)).toBeUndefined();
  vault.set("aidbox-client", "value");
  vault.enable("aidbox-client", false);
  expect(await read(operator(), clientSecretRow)).toBeUndefined();
});

test("pods that may not read are told of, with the command that says why", async () => {
  vault.set("aidbox-client", "value");
  vault.revoke(clientId);
  const reading = read(operator(), clientSecretRow);
  await expect(reading).rejects.toBeInstanceOf(UnreachableError);
  await expect(reading).rejects.toThrow(/403 ForbiddenByRbac.*; see npm run verify -- --env azure$/);
});

test("where the identity is the node's, the operator reads, with the operator's own roles, and is told so", async () => {
  vault.set("aidbox-client", "value");
  const byNode = operator({}, { type: "node", clientId });
  await expect(read(byNode, clientSecretRow)).rejects.toThrow("403 ForbiddenByRbac");
  vault.grant(strangerId, roles.secretsUser);
  expect(await read(byNode, clientSecretRow)).toBe("value");
  expect(await byNode.warnings()).toEqual([
    "the pods read by an identity of their node, which nobody has elsewhere: the values here are read by your login",
  ]);
});

test("a write tells the versions, and that Key Vault keeps nobody out", async () => {
  const first = vault.set("aidbox-client", "first");
  const written = await rotate(operator(), "client-secret", { "client-secret": "second" });
  expect(vault.current("aidbox-client")).toMatchObject({ value: "second", version: written.version });
  expect(written.previousVersion).toBe(first);
  expect(written.notes).toEqual([
    "Key Vault has no check-and-set: nobody else's write was seen at the same time, but one could not have been kept out.",
  ]);
});

test("bytes are written as Key Vault holds them, and the files have them decoded", async () => {
  vault.set("aidbox-keystore", "AA==");
  const { contents } = await rotate(operator({ keystore: { encoding: "base64" } }), "keystore", { keystore: "AP8=" });
  expect(vault.current("aidbox-keystore")?.value).toBe("AP8=");
  expect(contents.get("keystore")).toEqual(Buffer.from([0, 255]));
});

test("a write of somebody else's at the same time is named", async () => {
  vault.set("aidbox-client", "first");
  let theirs = "";
  azure.beforeAnswer = ({ method }) => {
    if (method === "PUT") theirs = vault.set("aidbox-client", "theirs");
  };
  const { notes } = await rotate(operator(), "client-secret", { "client-secret": "ours" });
  expect(notes).toEqual([
    `Somebody else wrote at the same time: aidbox-client, version ${theirs}. Key Vault has no check-and-set, so see which value is to stay.`,
  ]);
});

test("a write since the secret was looked at is kept", async () => {
  vault.set("aidbox-client", "first");
  const writing = rotate(operator(), "client-secret", { "client-secret": "ours" }, () => {
    vault.set("aidbox-client", "theirs");
  });
  await expect(writing).rejects.toThrow(VersionConflictError);
  expect(vault.current("aidbox-client")?.value).toBe("theirs");
});

const parts = ["private", "public", "secret"].map((part) => `auth-keys-${part}`);

test("the parts of a keypair are written one after the other", async () => {
  for (const part of parts) vault.set(`aidbox-${part}`, "old");
  const { version } = await rotate(
    operator(),
    "auth-keys",
    Object.fromEntries(parts.map((part) => [part, `new ${part}`])),
  );
  expect(parts.map((part) => vault.current(`aidbox-${part}`)?.value)).toEqual(parts.map((part) => `new ${part}`));
  expect(version).toBe(vault.current("aidbox-auth-keys-private")?.version);
});

test("a pair that somebody else changes between its parts is told to be written again, whole", async () => {
  for (const part of parts) vault.set(`aidbox-${part}`, "old");
  const writing = rotate(operator(), "auth-keys", Object.fromEntries(parts.map((part) => [part, "new"])), () => {
    vault.set("aidbox-auth-keys-public", "theirs");
  });
  await expect(writing).rejects.toThrow(VersionConflictError);
  await expect(writing).rejects.toThrow(
    /Nothing was written of it, but auth-keys-private has a new version: run it again$/,
  );
});

test.each<[string, () => void, string]>([
  [
    "not there",
    () => undefined,
    "aidbox-test/aidbox-client is not there to be rotated: see npm run verify -- --env azure",
  ],
  [
    "deleted",
    () => {
      vault.set("aidbox-client", "first");
      vault.delete("aidbox-client");
    },
    "aidbox-client is deleted, and its name cannot be written to. Recover it: az keyvault secret recover --vault-name aidbox-test --name aidbox-client",
  ],
  [
    "disabled",
    () => {
      vault.set("aidbox-client", "first");
      vault.enable("aidbox-client", false);
    },
    "aidbox-client is disabled: az keyvault secret set-attributes --vault-name aidbox-test --name aidbox-client --enabled true",
  ],
])("what is %s cannot be rotated, and nothing is written", async (_, plant, message) => {
  plant();
  vault.grant(strangerId, ["secrets/recover"]);
  const looking = operator().knownVersions(row("client-secret"));
  await expect(looking).rejects.toBeInstanceOf(InvalidRequestError);
  await expect(looking).rejects.toThrow(message);
});

test("an earlier version's value is there to go back to; a pair has none, since each part has its own", async () => {
  const first = vault.set("aidbox-client", "first");
  vault.set("aidbox-client", "second");
  expect([...(await operator().formerValues(row("client-secret"), first))]).toEqual([["client-secret", "first"]]);
  expect((await operator().formerValues(row("client-secret"), "0".repeat(32))).size).toBe(0);
  await expect(operator().formerValues(row("client-secret"), "1")).rejects.toThrow(
    "there is no version 1: Key Vault's have 32 hexadecimal digits",
  );
  await expect(operator().formerValues(row("auth-keys"), first)).rejects.toThrow(
    "the parts of auth-keys have versions of their own in Key Vault, so it cannot go back to one: give the former private " +
      "key: npm run rotate -- auth-keys --stdin --env azure",
  );
});

describe("a first value", () => {
  const write = (value = "first"): Promise<void> =>
    operator().writeFirst(clientSecretRow, () => Promise.resolve(value));

  test("is written where there is none", async () => {
    await write();
    expect(vault.current("aidbox-client")).toMatchObject({ value: "first", versions: 1 });
  });

  test("is not written over another, nor asked for", async () => {
    vault.set("aidbox-client", "theirs");
    const value = jest.fn(() => Promise.resolve("ours"));
    await expect(operator().writeFirst(clientSecretRow, value)).rejects.toThrow(
      "client-secret has a value: to change it: npm run rotate -- client-secret --stdin --env azure",
    );
    expect(value).not.toHaveBeenCalled();
  });

  test("is not written where a deleted secret has the name, also where that may not be looked at", async () => {
    vault.set("aidbox-client", "old");
    vault.delete("aidbox-client");
    await expect(write()).rejects.toThrow(
      /^aidbox-client is deleted, and its name cannot be written to\. Recover it: az /,
    );
    vault.grant(strangerId, ["secrets/recover"]);
    await expect(write()).rejects.toThrow(/^aidbox-client is deleted/);
  });

  test("is not written over a disabled one", async () => {
    vault.set("aidbox-client", "old");
    vault.enable("aidbox-client", false);
    await expect(write()).rejects.toThrow(/^aidbox-client is disabled: az /);
  });
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
  vault.set("aidbox-client", "old");
  await expect(rotate(operator(objects), "client-secret", { "client-secret": value })).rejects.toThrow(message);
  expect(azure.calls.filter(({ method }) => method === "PUT")).toEqual([]);
});

test("who may not write is told what is lacking", async () => {
  vault.set("aidbox-client", "old");
  vault.revoke(strangerId);
  vault.grant(strangerId, ["secrets/readMetadata"]);
  await expect(rotate(operator(), "client-secret", { "client-secret": "x" })).rejects.toThrow(
    "403 ForbiddenByRbac: Caller is not authorized to perform action on resource.",
  );
});

test("a key vault that does not answer is said to be unreachable", async () => {
  const asked = operator();
  azure.removeVault("aidbox-test");
  await expect(asked.assertReachable()).rejects.toThrow(
    "key vault aidbox-test does not answer; to see why: npm run verify -- --env azure",
  );
});

test("which of two versions of one second is the newest is not told where the pods' ServiceAccount is gone", async () => {
  for (const value of ["first", "second"]) vault.set("aidbox-client", value);
  const gone = (): Promise<never> => Promise.reject(new PodIdentityError("ServiceAccount aidbox/aidbox is gone"));
  const pod = { token: gone, secret: () => Promise.resolve({}) };
  const clients = new KeyVaultClients(keyVaultLogin(usual), pod, { agent: azure.agent() });
  const refused = new KeyVaultOperator(usual, clients).state(clientSecretRow);
  await expect(refused).rejects.toBeInstanceOf(UnreachableError);
  await expect(refused).rejects.toThrow(
    "cannot read key vault aidbox-test (ServiceAccount aidbox/aidbox is gone); see",
  );
});

test("nor does an identity of the node keep anybody from seeing where a secret stands", async () => {
  for (const value of ["first", "second"]) vault.set("aidbox-client", value);
  const { versions } = await operator({}, { type: "node" }).state(clientSecretRow);
  expect(versions).toHaveLength(2);
});
