import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MissingSecretsError } from "../../constructs/platform/vault/external-secrets";
import { SecretTable } from "../../constructs/secrets";
import { shellCommand } from "../../constructs/shell-command";
import { KvMount, readPolicy, VaultClient, VaultPaths } from "../../constructs/stores/vault";
import { assertKvV2, requiresCheckAndSet } from "../../constructs/stores/vault/api/kv-version";
import { NotedSecret, writtenVersionNote } from "../../constructs/stores/vault/api/noted-secret";
import { fileContent } from "../../constructs/stores/vault/file-content";
import { clientCertificate } from "../../infra/certificates/client-certificate";
import { servedCertificate } from "../../infra/operate/stores/vault/served-certificate";
import { DevVault, freePort } from "./dev-vault";
import { strictListener } from "./strict-listener";

// What a real Vault decides of what people already have in theirs. It needs no cluster.
let vault: DevVault;

beforeAll(async () => {
  vault = await DevVault.start();
});

afterAll(() => {
  vault.stop();
});

async function enable(mount: string, body: object = { type: "kv", options: { version: "2" } }): Promise<void> {
  await vault.root.request("POST", `sys/mounts/${mount}`, { body });
}

describe("names as they are", () => {
  const rows = [
    { name: "one", path: "apps/user@example.com", key: "client secret" },
    { name: "two", path: "a:b/c,d/e=f/~g/h i", key: "/etc/x.crt" },
  ];

  test("are read by the policy alone, and nothing beside them is", async () => {
    await enable("Payments:Data");
    const paths = new VaultPaths({ kvMount: "Payments:Data" });
    const table = new SecretTable({ secrets: rows });
    const kv = new KvMount(vault.root, paths.kvMount);
    for (const { path, key } of rows) await kv.addMissing(path, [key], () => "hunter2");
    const pod = await vault.withPolicy(readPolicy(table, paths));
    for (const { path, key } of rows) {
      expect(await new KvMount(pod, paths.kvMount).values(path)).toEqual({ [key]: "hunter2" });
      await expect(new KvMount(pod, paths.kvMount).values(`${path}x`)).rejects.toMatchObject({ status: 403 });
    }
  });

  test("are written by the commands that are printed", async () => {
    for (const { path, key } of rows) {
      const write = shellCommand("kv", "patch", "-mount=Payments:Data", path, `${key}=-`);
      await vault.shell(`vault ${write}`, "hunter3");
      expect(await new KvMount(vault.root, "Payments:Data").values(path)).toEqual({ [key]: "hunter3" });
    }
  });
});

test("an auth mount that is there is told from one that is not, without any right", async () => {
  await vault.root.request("POST", "sys/auth/team/k8s", { body: { type: "kubernetes" } });
  await vault.root.request("POST", "sys/auth/tokens", { body: { type: "jwt" } });
  const anybody = vault.as("");
  const found = ["team/k8s", "tokens", "team", "other"].map((mount) => anybody.hasAuthMount(mount));
  expect(await Promise.all(found)).toEqual([true, true, false, false]);
});

test("a listener that asks who calls answers our own calls, where Vault's variables name a certificate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "strict-vault-"));
  const { address, ca, files, config } = await strictListener(folder, "127.0.0.1", await freePort());
  const strict = await DevVault.start(config);
  const connection = { address, caCert: ca };
  const known = clientCertificate({ VAULT_CLIENT_CERT: files.cert, VAULT_CLIENT_KEY: files.key });
  const client = new VaultClient({ ...connection, token: DevVault.rootToken, clientCertificate: known });
  await client.assertAnswersItself();
  expect(await new KvMount(client, "secret").addMissing("aidbox/client", ["key"], () => "hunter2")).toBeDefined();
  expect((await servedCertificate({ ...connection, clientCertificate: known })).subject).toBe("CN=gateway");
  const refused = new VaultClient({ ...connection, token: DevVault.rootToken }).health();
  await expect(refused).rejects.toThrow("fetch failed");
  strict.stop();
  rmSync(folder, { recursive: true });
});

describe("KV mounts other than assumed", () => {
  const write = (mount: string) => new KvMount(vault.root, mount).addMissing("aidbox/client", ["key"], () => "hunter2");

  test("a KV v1 mount is refused by name, and nothing is written to it", async () => {
    await enable("team/v1", { type: "kv", options: { version: "1" } });
    await expect(write("team/v1")).rejects.toThrow("team/v1 is of KV version 1, which keeps no versions");
    await expect(vault.shell("vault kv list -mount=team/v1 /")).rejects.toThrow("No value found");
    // Also by a token that may read one path of it alone.
    const policy = 'path "team/v1/subkeys/aidbox/client" { capabilities = ["read"] }';
    await expect(assertKvV2(await vault.withPolicy(policy), "team/v1", "aidbox/client")).rejects.toThrow(
      "KV version 1",
    );
  });

  test("a mount that is absent, or of another type, is said to be so", async () => {
    await expect(write("payments")).rejects.toThrow("nothing is mounted at payments");
    const policy = 'path "payments/subkeys/aidbox/client" { capabilities = ["read"] }';
    await expect(assertKvV2(await vault.withPolicy(policy), "payments", "aidbox/client")).rejects.toThrow("nothing is");
    await expect(write("team/v1/deeper")).rejects.toThrow("team/v1/deeper lies in the mount team/v1/");
    await enable("transit", { type: "transit" });
    await expect(write("transit")).rejects.toThrow("transit is a mount of type transit, and no KV v2");
  });

  test("of a mount with cas_required, writes and the printed commands carry the version", async () => {
    await enable("cas");
    await vault.shell("vault write cas/config cas_required=true");
    expect(await requiresCheckAndSet(vault.root, "cas")).toBe(true);
    await write("cas");
    expect(await new KvMount(vault.root, "cas").patch("aidbox/client", 1, { key: "hunter3" })).toBe(2);

    // A value of the config, which this program alone writes, and notes.
    const kv = new KvMount(vault.root, "cas");
    const managed = (pin: string): NotedSecret => new NotedSecret(kv, "aidbox/pin", { pin });
    for (const pin of ["1111", "1111", "2222"]) await managed(pin).write();
    await kv.note("aidbox/pin", { theirs: "a note" });
    expect(await kv.history("aidbox/pin")).toMatchObject({
      current: 2,
      notes: { [writtenVersionNote]: "2", theirs: "a note" },
    });
    await vault.shell("vault kv patch -cas=2 -mount=cas aidbox/pin pin=-", "by hand");
    await managed("2222").write();
    await expect(managed("3333").write()).rejects.toThrow("version 3 is somebody else's");
    expect(await kv.values("aidbox/pin")).toEqual({ pin: "by hand" });
    await vault.shell(`vault kv metadata patch -mount=cas -custom-metadata=${writtenVersionNote}=3 aidbox/pin`);
    await managed("3333").write();
    expect(await kv.values("aidbox/pin")).toEqual({ pin: "3333" });
    await vault.shell("vault kv delete -mount=cas aidbox/pin");
    await managed("3333").write();
    expect(await kv.history("aidbox/pin")).toMatchObject({ current: 5, notes: { theirs: "a note" } });

    const paths = new VaultPaths({ kvMount: "cas" });
    const keys = [
      { path: "aidbox/other", keys: ["one", "two"], names: ["one", "two"], hasOtherKeys: false, version: 0 },
    ];
    const { message } = new MissingSecretsError(
      paths,
      { keys, keypairs: [], staticRoles: [], hasNoEngine: false },
      "vault",
    );
    for (const [command] of message.matchAll(/vault kv .*/g)) await vault.shell(command, "hunter2");
    expect(await new KvMount(vault.root, "cas").values("aidbox/other")).toEqual({ one: "hunter2", two: "hunter2" });
  });
});

describe("JSON values", () => {
  const first = '{"account":{"uri":"https://x.example/?a=1&b=2","old":1.0},"10":12345678901234567890,"9":true}';
  const second = '{"account":{"uri":"https://y.example/","new":[null]}}';

  test("are told as the CSI provider writes them, and rolled back as objects", async () => {
    const put = (value: string) =>
      vault.shell(`vault ${shellCommand("kv", "put", "-mount=secret", "json", "-")}`, `{"value":${value},"other":"x"}`);
    await put(first);
    await put(second);
    const kv = new KvMount(vault.root, "secret");
    const [former, now] = [await kv.values("json", 1), await kv.values("json", 2)];
    // As Go writes it: by key, with the numbers as KV v2 keeps them, and without what HTML reads.
    const file = String.raw`{"10":12345678901234567000,"9":true,"account":{"old":1,"uri":"https://x.example/?a=1\u0026b=2"}}`;
    expect(fileContent(former!.value)).toBe(file);
    expect(await kv.patch("json", 2, { value: former!.value }, undefined, now)).toBe(3);
    const restored = await kv.values("json");
    expect(fileContent(restored!.value)).toBe(file);
    expect(restored!.other).toBe("x");
  });
});

test("60 paths are read by a Vault whose quota is 20 requests a second", async () => {
  await enable("many");
  await vault.root.request("POST", "sys/quotas/rate-limit/many", { body: { path: "many", rate: 20 } });
  const kv = new KvMount(vault.root, "many");
  const paths = Array.from({ length: 60 }, (_, index) => `aidbox/${index}`);
  const found = await Promise.all(paths.map((path) => kv.keys(path)));
  expect(found).toEqual(paths.map(() => ({ keys: [], version: 0 })));
});
