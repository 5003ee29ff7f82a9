import { inspect } from "node:util";
import { Duration } from "cdk8s";
import { wordsOf } from "../../../../../constructs/settle";
import { VaultClient, VaultError } from "../../../../../constructs/stores/vault";
import { issueCa, issueServer, type KeyPair } from "../../../../../infra/certificates/issue";
import { ConnectProxy } from "../../../../connect-proxy";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf, FakeVault, healthy, type Json, type JsonObject } from "../../../../mocks";
import { StoredVault } from "../../../../stored-vault";

hurryTimers();

const token = "hvs.the-token";

let vault: FakeVault;
let client: VaultClient;
beforeEach(async () => {
  vault = await FakeVault.start();
  client = new VaultClient({ address: vault.address, token });
});
afterEach(async () => {
  await vault.stop();
});

/** What was asked for, as `POST sys/unseal`, each with its body. */
function asked(): [string, JsonObject | undefined][] {
  return vault.requests.map(({ method, path, body }) => [`${method} ${path}`, body]);
}

const shamir = { type: "shamir", initialized: true, sealed: true, t: 3, n: 5, progress: 1, version: "2.0.4" };

describe("the status of a seal", () => {
  test.each<[what: string, answer: JsonObject, status: object]>([
    [
      "that waits for further shares",
      shamir,
      { initialized: true, sealed: true, progress: 1, threshold: 3, recoverySeal: false },
    ],
    [
      "that is open",
      { ...shamir, sealed: false, progress: 0 },
      { initialized: true, sealed: false, progress: 0, threshold: 3, recoverySeal: false },
    ],
    [
      "of a server that is not initialised",
      { ...shamir, initialized: false, t: 0, n: 0, progress: 0 },
      { initialized: false, sealed: true, progress: 0, threshold: 0, recoverySeal: false },
    ],
    [
      "that opens itself",
      { ...shamir, type: "transit", recovery_seal: true, recovery_seal_type: "shamir" },
      { initialized: true, sealed: true, progress: 1, threshold: 3, recoverySeal: true },
    ],
  ])("%s", async (_, body, status) => {
    vault.answerFirst({ status: 200, body });
    expect(await client.sealStatus()).toEqual(status);
    expect(asked()).toEqual([["GET sys/seal-status", undefined]]);
  });
});

describe("unsealing", () => {
  test("gives one share, and says how far the server is then", async () => {
    vault.answerFirst({ status: 200, body: { ...shamir, progress: 2 } });
    expect(await client.unseal("one share")).toMatchObject({ sealed: true, progress: 2, threshold: 3 });
    expect(asked()).toEqual([["POST sys/unseal", { key: "one share" }]]);
  });

  test("fails in Vault's words, without the share", async () => {
    vault.answerFirst({ status: 400, body: { errors: ["Unseal failed, invalid key"] } });
    const error = await errorOf(client.unseal("one share"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe("Vault answered POST sys/unseal with 400: Unseal failed, invalid key");
  });
});

describe("whether there is an active server", () => {
  const active = { ha_enabled: true, is_self: true, leader_address: "https://10.0.0.1:8200" };
  test.each<[what: string, answer: JsonObject, has: boolean]>([
    ["it is this one", active, true],
    ["it is another one", { ...active, is_self: false }, true],
    ["none is known", { ...active, is_self: false, leader_address: "" }, false],
    ["Vault says nothing of it", { ha_enabled: true, is_self: false }, false],
    ["there is one server alone", { ha_enabled: false, is_self: false, leader_address: "" }, true],
  ])("where %s", async (_, body, has) => {
    vault.answerFirst({ status: 200, body });
    expect(await client.hasLeader()).toBe(has);
    expect(asked()).toEqual([["GET sys/leader", undefined]]);
  });

  test("cannot be asked of a sealed server", async () => {
    vault.answerFirst({ status: 503, body: { errors: ["Vault is sealed"] } });
    expect(await errorOf(client.hasLeader())).toMatchObject({ status: 503, errors: ["Vault is sealed"] });
  });
});

describe("initialising", () => {
  const made: Record<string, Json> = {
    keys: ["6f6e65", "74776f"],
    keys_base64: ["b25l", "dHdv"],
    root_token: "hvs.root",
  };
  const recovery = { ...made, keys: [], keys_base64: [], recovery_keys_base64: ["cmVjb3Zlcnk="] };

  test("makes key shares in base64, and the root token", async () => {
    vault.answerFirst({ status: 200, body: made });
    expect(await client.initialise({ shares: 2, threshold: 2, recoverySeal: false, pgpKeys: [] })).toEqual({
      keyShares: ["b25l", "dHdv"],
      rootToken: "hvs.root",
    });
    expect(asked()).toEqual([["PUT sys/init", { secret_shares: 2, secret_threshold: 2 }]]);
  });

  test("of a Vault that unseals itself makes shares of its recovery key", async () => {
    vault.answerFirst({ status: 200, body: recovery });
    expect(await client.initialise({ shares: 1, threshold: 1, recoverySeal: true, pgpKeys: [] })).toEqual({
      keyShares: ["cmVjb3Zlcnk="],
      rootToken: "hvs.root",
    });
    expect(asked()).toEqual([["PUT sys/init", { recovery_shares: 1, recovery_threshold: 1 }]]);
  });

  test.each([
    [false, "pgp_keys"],
    [true, "recovery_pgp_keys"],
  ])("gives Vault the holders' PGP keys (a seal that opens itself: %s)", async (recoverySeal, key) => {
    vault.answerFirst({ status: 200, body: recoverySeal ? recovery : made });
    await client.initialise({ shares: 2, threshold: 2, recoverySeal, pgpKeys: ["a2V5", "a2V6"] });
    expect(vault.requests[0]!.body).toMatchObject({ [key]: ["a2V5", "a2V6"] });
  });

  test("fails in Vault's words where that was done before", async () => {
    vault.answerFirst({ status: 400, body: { errors: ["Vault is already initialized"] } });
    const error = await errorOf(client.initialise({ shares: 5, threshold: 3, recoverySeal: false, pgpKeys: [] }));
    expect(error.message).toBe("Vault answered PUT sys/init with 400: Vault is already initialized");
  });
});

test("a token is renewed by itself", async () => {
  vault.answerFirst({ status: 200, body: { auth: { client_token: token } } });
  await client.renewSelf();
  expect(asked()).toEqual([["POST auth/token/renew-self", {}]]);
  expect(vault.requests[0]!.headers).toMatchObject({ "x-vault-token": token });
});

test("a token that cannot be renewed says so", async () => {
  vault.answerFirst({ status: 400, body: { errors: ["lease is not renewable"] } });
  expect(await errorOf(client.renewSelf())).toMatchObject({ status: 400, errors: ["lease is not renewable"] });
});

test("a Vault is initialised and unsealed by these calls alone", async () => {
  const stored = await StoredVault.start();
  const server = stored.pods()[0]!.client;
  expect(await server.sealStatus()).toMatchObject({ initialized: false, sealed: true });
  const { keyShares } = await server.initialise({ shares: 3, threshold: 2, recoverySeal: false, pgpKeys: [] });
  expect(await server.unseal(keyShares[2]!)).toMatchObject({ sealed: true, progress: 1, threshold: 2 });
  expect(await errorOf(server.hasLeader())).toMatchObject({ status: 503 });
  expect(await server.unseal(keyShares[0]!)).toMatchObject({ sealed: false });
  expect(await server.hasLeader()).toBe(true);
  await stored.stop();
});

describe("a Vault with TLS", () => {
  const names = { dns: ["vault.secrets"], ip: ["127.0.0.1"] };

  let ca: KeyPair;
  let secure: FakeVault;
  beforeAll(async () => {
    ca = await issueCa("vault.secrets CA");
    secure = await FakeVault.start(0, await issueServer(ca, names));
  });
  afterAll(() => secure.stop());

  test("is reached by who trusts its CA, with token, namespace and body", async () => {
    const trusting = new VaultClient({ address: secure.address, token, caCert: ca.cert, vaultNamespace: "admin" });
    expect(await trusting.health()).toMatchObject({ version: healthy.version, clusterId: healthy.cluster_id });
    secure.answerFirst({ status: 200, body: { capabilities: ["read"] } });
    expect(await trusting.capabilities("secret/data/one")).toEqual(["read"]);
    expect(secure.requests.at(-1)).toMatchObject({
      method: "POST",
      headers: { "x-vault-token": token, "x-vault-namespace": "admin" },
      body: { paths: ["secret/data/one"] },
    });
  });

  test("says no in its own words there too", async () => {
    const trusting = new VaultClient({ address: secure.address, token, caCert: ca.cert });
    secure.answerFirst({ status: 403, body: { errors: ["permission denied"] } });
    expect((await errorOf(trusting.renewSelf())).message).toBe(
      "Vault answered POST auth/token/renew-self with 403: permission denied",
    );
  });

  test("a login keeps the CA", async () => {
    const trusting = new VaultClient({ address: secure.address, token: "", caCert: ca.cert });
    secure.answerFirst({ status: 200, body: { auth: { client_token: "hvs.login" } } });
    const loggedIn = await trusting.login("kubernetes", "aidbox", "a pod's token");
    secure.answerFirst();
    await loggedIn.health();
    expect(secure.requests.at(-1)!.headers).toMatchObject({ "x-vault-token": "hvs.login" });
  });

  test("is refused by who trusts Node's CAs alone, before anything of the request is said", async () => {
    const before = secure.requests.length;
    const error = await errorOf(new VaultClient({ address: secure.address, token }).health());
    expect(error.message).toBe("fetch failed");
    expect((error.cause as Error).message).toMatch(/unable to verify the first certificate|self-signed certificate/);
    expect(secure.requests).toHaveLength(before);
  });

  test("is refused by who trusts another CA of the same name", async () => {
    const { cert } = await issueCa("vault.secrets CA");
    const error = await errorOf(new VaultClient({ address: secure.address, token, caCert: cert }).health());
    expect(error.message).toBe("fetch failed");
    expect((error.cause as Error).message).toMatch(/certificate signature failure|unable to verify/);
  });

  test("is refused where its certificate is for other names", async () => {
    const elsewhere = await FakeVault.start(0, await issueServer(ca, { dns: ["vault.secrets"], ip: [] }));
    const error = await errorOf(new VaultClient({ address: elsewhere.address, token, caCert: ca.cert }).health());
    expect((error.cause as Error).message).toMatch(/does not match certificate's altnames/);
    await elsewhere.stop();
  });

  test("is reached by another address than its certificate names, by who knows the name", async () => {
    const elsewhere = await FakeVault.start(0, await issueServer(ca, { dns: ["vault.secrets"], ip: [] }));
    const known = { address: elsewhere.address, token, caCert: ca.cert, tlsServerName: "vault.secrets" };
    expect(await new VaultClient(known).health()).toMatchObject({ version: healthy.version });
    await elsewhere.stop();
  });

  describe("behind a proxy", () => {
    const gateway = "https://vault.secrets:8200";
    let proxy: ConnectProxy;
    beforeEach(async () => {
      proxy = await ConnectProxy.start(() => secure.port);
    });
    afterEach(async () => {
      for (const each of ["HTTPS_PROXY", "NO_PROXY"]) Reflect.deleteProperty(process.env, each);
      await proxy.stop();
    });

    test("is reached by it, with the proxy's own login, and trusted by its own name", async () => {
      proxy.authorization = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;
      process.env.HTTPS_PROXY = proxy.address.replace("http://", "http://user:p%40ss@");
      const by = new VaultClient({ address: gateway, token, caCert: ca.cert });
      expect(await by.health()).toMatchObject({ version: healthy.version });
      expect(new Set(proxy.asked)).toEqual(new Set(["vault.secrets:8200"]));
      expect(secure.requests.at(-1)!.headers).not.toHaveProperty("proxy-authorization");
    });

    test("is not reached where the proxy refuses, and no error has its password", async () => {
      proxy.authorization = "Basic other";
      process.env.HTTPS_PROXY = proxy.address.replace("http://", "http://user:hunter2@");
      const error = await errorOf(new VaultClient({ address: gateway, token, caCert: ca.cert }).health());
      expect(wordsOf(error)).toBe("fetch failed: Proxy response (407) !== 200 when HTTP Tunneling");
      expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|dXNlcjpodW50ZXIy/);
    });

    test("is reached without it where it is on this machine, as by a port-forward, and where NO_PROXY says so", async () => {
      process.env.HTTPS_PROXY = proxy.address;
      await new VaultClient({ address: secure.address, token, caCert: ca.cert }).health();
      process.env.NO_PROXY = ".secrets";
      const error = await errorOf(new VaultClient({ address: gateway, token, caCert: ca.cert }).health());
      expect((error.cause as NodeJS.ErrnoException).code).toMatch(/ENOTFOUND|EAI_AGAIN/);
      expect(proxy.asked).toEqual([]);
    });

    test("is not waited for where the variable is no URL", async () => {
      process.env.HTTPS_PROXY = "http://proxy example";
      const error = await errorOf(new VaultClient({ address: gateway, token }).waitUntilUsable());
      expect(error.message).toBe("HTTPS_PROXY is no URL of a proxy: write http://host:port");
    });
  });

  describe("that asks who calls", () => {
    let strict: FakeVault;
    let clients: KeyPair;
    beforeAll(async () => {
      clients = await issueCa("clients CA");
      const server = await issueServer(ca, names);
      strict = await FakeVault.start(0, { ...server, ca: clients.cert, requestCert: true, rejectUnauthorized: true });
    });
    afterAll(() => strict.stop());

    test("answers who has a certificate of its clients' CA, and a login keeps it", async () => {
      const clientCertificate = await issueServer(clients, { dns: ["aidbox"], ip: [] });
      const known = new VaultClient({ address: strict.address, token: "", caCert: ca.cert, clientCertificate });
      expect(await known.health()).toMatchObject({ version: healthy.version });
      strict.answerFirst({ status: 200, body: { auth: { client_token: "hvs.login" } } });
      const loggedIn = await known.login("kubernetes", "aidbox", "a pod's token");
      strict.answerFirst();
      await loggedIn.health();
      expect(strict.requests.at(-1)!.headers).toMatchObject({ "x-vault-token": "hvs.login" });
    });

    test("refuses who has none, or one of another CA, and no error has a key", async () => {
      const other = await issueServer(ca, { dns: ["aidbox"], ip: [] });
      for (const clientCertificate of [undefined, other]) {
        const client = new VaultClient({ address: strict.address, token, caCert: ca.cert, clientCertificate });
        const error = await errorOf(client.health());
        expect(error.message).toBe("fetch failed");
        expect(inspect(error, { depth: 9 })).not.toContain("PRIVATE KEY");
      }
      expect(strict.requests.filter(({ headers }) => headers["x-vault-token"] === token)).toEqual([]);
    });
  });

  test("says why it is not reached, once there was time enough", async () => {
    const error = await errorOf(
      new VaultClient({ address: secure.address, token }).waitUntilUsable(Duration.seconds(1)),
    );
    expect(error.message).toMatch(
      /^Vault did not answer at https:\/\/127\.0\.0\.1:\d+ for 1 s: fetch failed: (unable to verify|self-signed)/,
    );
  });
});
