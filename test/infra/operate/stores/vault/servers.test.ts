import { InvalidRequestError } from "../../../../../infra/operate/errors";
import { PermissionDeniedError } from "../../../../../infra/operate/permission-denied";
import { openServers } from "../../../../../infra/operate/stores/vault/servers";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { errorOf } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { config, pods, StoredSite } from "./stored-site";

let mockSite: StoredSite;

beforeEach(async () => {
  mockSite = await StoredSite.start();
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  await mockSite.stop();
});

const open = async (environment = mockSite.environment): ReturnType<typeof openServers> =>
  openServers(await VaultSession.open(environment));

test("servers are there in the order of their names, each answering for itself", async () => {
  mockSite.cluster.delete("Pod", "store-0");
  mockSite.addPod("store-0", "Running"); // the last that the cluster lists
  const servers = await open();
  expect(servers.map(({ pod }) => pod)).toEqual(pods);
  mockSite.vault.initialise();
  mockSite.vault.servers[1]!.sealed = false;
  const states = await Promise.all(servers.map(({ client }) => client.sealStatus()));
  expect(states.map(({ sealed }) => sealed)).toEqual([true, false, true]);
});

test("servers that do not run are left out at once", async () => {
  mockSite.addPod("store-1", "Pending");
  expect((await open()).map(({ pod }) => pod)).toEqual(["store-0", "store-2"]);
});

test("where no server runs yet, it says so", async () => {
  for (const pod of pods) mockSite.cluster.delete("Pod", pod);
  const error = await errorOf(open());
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe("no server of Vault runs in namespace vault-servers yet");
});

test("a server of another CA is not talked to", async () => {
  mockSite.cluster.change("ConfigMap", "store-ca", { data: { "ca.crt": null } });
  const [first] = await open();
  expect((await errorOf(first!.client.sealStatus())).message).toBe("fetch failed");
  expect(mockSite.vault.first.fake.requests).toEqual([]);
});

test("with cert-manager the CA is the config's, and that of the cluster is not read", async () => {
  const vault = { ...config.vault, certManager: { issuer: "site", ca: mockSite.caCert } };
  const [first] = await open(checkVaultEnvironment("test", { ...config, vault }));
  expect(await first!.client.sealStatus()).toMatchObject({ sealed: true });
  expect(mockSite.cluster.requests.map(({ resource }) => resource)).not.toContain("configmaps");
});

test("who may not list pods is told which right lacks", async () => {
  mockSite.cluster.roles = [];
  const error = await errorOf(open());
  expect(error).toBeInstanceOf(PermissionDeniedError);
  expect(error.message).toContain('cannot list resource "pods"');
});

test.each([
  ["dev", { mode: "dev" }],
  ["external", { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } }],
])("mode %s has no servers to look after, and the cluster is not asked", async (mode, vault) => {
  const error = await errorOf(open(checkVaultEnvironment("test", { ...config, development: true, vault })));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    `the Vault of environment "test" is of mode ${mode}: only standalone and ha have servers of the stack's own to ` +
      "initialise and unseal",
  );
  expect(mockSite.cluster.requests).toEqual([]);
});
