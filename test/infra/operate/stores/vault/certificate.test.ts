import { issueCa, issueServer, lifeDays } from "../../../../../infra/certificates/issue";
import type { Link } from "../../../../../infra/operate/link";
import { certificateLinks } from "../../../../../infra/operate/stores/vault/certificate-link";
import { servedCertificate } from "../../../../../infra/operate/stores/vault/served-certificate";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { ConnectProxy } from "../../../../connect-proxy";
import { errorOf, FakeVault } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { config, StoredSite } from "./stored-site";

let mockSite: StoredSite;

const day = 24 * 3600 * 1000;

let clock: jest.SpyInstance | undefined;
beforeEach(async () => {
  mockSite = await StoredSite.start();
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
});
afterEach(async () => {
  clock?.mockRestore();
  delete process.env.KUBECONFIG;
  await mockSite.stop();
});

async function links(vault: object = config.vault): Promise<Link[]> {
  const development = "mode" in vault && vault.mode === "dev";
  return certificateLinks(
    await VaultSession.open(
      checkVaultEnvironment("test", { ...config, allowPlaintext: ["vault.address"], development, vault }),
    ),
  );
}

async function check(vault?: object): Promise<string> {
  const [link] = await links(vault);
  return link!.check();
}

function inDays(days: number): string {
  return new Date(Date.now() + days * day).toISOString().slice(0, 10);
}

/** Lets time pass for this project's code; OpenSSL keeps its own. */
function pass(days: number): void {
  const now = Date.now() + days * day;
  clock = jest.spyOn(Date, "now").mockImplementation(() => now);
}

test("certificates of all servers that are trusted and last are in order", async () => {
  expect(await check()).toBe(`trusted, until ${inDays(lifeDays.server)}`);
});

test.each([[31], [30]])("one that lives for %i days more is in order", async (days) => {
  pass(lifeDays.server - days - 0.5);
  expect(await check()).toContain("trusted, until");
});

test("one that lives for less than 30 days more is to be renewed by up", async () => {
  const end = inDays(lifeDays.server);
  pass(lifeDays.server - 29.5);
  expect(await errorOf(check())).toMatchObject({
    message: `the certificate of store-0 lives for 29 days more, until ${end}`,
    fix: "npm run up -- --env test",
  });
});

test("one of cert-manager's is its to renew", async () => {
  pass(lifeDays.server - 29.5);
  expect(await errorOf(check({ ...config.vault, certManager: { issuer: "site", ca: mockSite.caCert } }))).toMatchObject(
    { fix: "kubectl --context somewhere -n vault-servers describe certificate store-tls" },
  );
});

test("one of another CA is refused", async () => {
  const { cert } = await issueCa("another");
  mockSite.cluster.change("ConfigMap", "store-ca", { data: { "ca.crt": cert } });
  const error = await errorOf(check());
  expect(error.message).toMatch(/^the certificate of store-\d is refused: unable to (get|verify)/);
});

test("a Vault outside is looked at by its address", async () => {
  const address = `https://localhost:${mockSite.vault.first.fake.port}`;
  const login = { method: "kubernetes" };
  const outside = { mode: "external", address: "https://from-pods:8200", addressFromHere: address, login };
  expect(await check({ ...outside, ca: mockSite.caCert })).toBe(`trusted, until ${inDays(lifeDays.server)}`);
  expect(await errorOf(check(outside))).toMatchObject({ fix: `curl -v ${address}/v1/sys/health` });
});

test("a Vault behind a proxy is looked at by it, by the name in its certificate and as who may ask", async () => {
  const clients = await issueCa("clients CA");
  const server = await issueServer(clients, { dns: ["vault.internal"], ip: [] });
  const tls = { ...server, ca: clients.cert, requestCert: true, rejectUnauthorized: true };
  const strict = await FakeVault.start(0, tls);
  const proxy = await ConnectProxy.start(() => strict.port);
  proxy.authorization = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;
  process.env.HTTPS_PROXY = proxy.address.replace("http://", "http://user:p%40ss@");
  const connection = { address: "https://gateway.example", caCert: clients.cert, tlsServerName: "vault.internal" };
  const { validTo } = await servedCertificate({ ...connection, clientCertificate: server });
  expect(new Date(validTo).getTime()).toBeGreaterThan(Date.now());
  expect(proxy.asked).toEqual(["gateway.example:443"]);
  proxy.authorization = "other";
  expect((await errorOf(servedCertificate(connection))).message).toBe(
    "the proxy answers 407 to CONNECT gateway.example:443",
  );
  delete process.env.HTTPS_PROXY;
  await Promise.all([proxy.stop(), strict.stop()]);
});

test.each([
  ["in dev mode", { mode: "dev" }],
  ["outside without TLS", { mode: "external", address: "http://vault.example", login: { method: "kubernetes" } }],
])("a Vault %s has none to look at", async (_, vault) => {
  expect(await links(vault)).toEqual([]);
});
