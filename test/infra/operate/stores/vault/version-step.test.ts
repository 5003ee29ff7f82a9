import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { assertNoDowngrade, DowngradeError } from "../../../../../infra/operate/stores/vault/version-step";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { config, pods, StoredSite } from "./stored-site";

hurryTimers();

let mockSite: StoredSite;

beforeEach(async () => {
  mockSite = await StoredSite.start(); // of version 2.0.4
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  mockSite.vault.initialise();
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  await mockSite.stop();
});

async function check(vault: object): Promise<void> {
  const environment = checkVaultEnvironment("test", {
    ...config,
    development: true,
    vault: { ...config.vault, ...vault },
  });
  await assertNoDowngrade(await VaultSession.open(environment));
}

test.each([
  ["hashicorp/vault:2.0.3", "2.0.3"],
  ["hashicorp/vault:1.21.1", "1.21.1"],
  ["registry.example:5000/vault-enterprise:1.99.99-ent", "1.99.99-ent"],
])("an earlier version is refused, also by a sealed Vault: %s", async (image, tag) => {
  const error = await errorOf(check({ image }));
  expect(error).toBeInstanceOf(DowngradeError);
  expect(error.message).toBe(
    `vault.image: "${tag}" is earlier than Vault 2.0.4, which runs, and may not be able to read what that one has stored: write ` +
      "2.0.4 or later. Nothing was touched. The way back is a snapshot of before (docs/upgrade.md)",
  );
  expect(mockSite.cluster.writes).toEqual([]);
});

test("so is one that the chart's values name", async () => {
  const error = await errorOf(check({ values: { server: { image: { tag: "2.0.0" } } } }));
  expect(error.message).toContain('vault.values.server.image.tag: "2.0.0" is earlier than Vault 2.0.4');
});

test.each([
  ["the same one, which is the default", {}],
  ["a later patch", { image: "hashicorp/vault:2.0.10" }],
  ["a later one, however far", { image: "hashicorp/vault:4.1.0" }],
  ["a tag that is no version", { image: "registry.example/vault:stable" }],
])("%s is taken", async (_, vault) => {
  await check(vault);
});

const earlier = { image: "hashicorp/vault:1.0.0" };
test.each<[what: string, before: () => void]>([
  [
    "was never initialised, so that it holds nothing",
    () => {
      mockSite.vault.keyShares = [];
    },
  ],
  [
    "has no server that runs",
    () => {
      for (const pod of pods) mockSite.cluster.delete("Pod", pod);
    },
  ],
  [
    "does not answer",
    () => {
      mockSite.vault.intercept = () => ({ status: 502, body: "" });
    },
  ],
])("a Vault that %s takes any version", async (_, before) => {
  before();
  await check(earlier);
});

test("a Vault of others is not looked at", async () => {
  const outside = {
    ...config,
    vault: { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } },
  };
  await assertNoDowngrade(await VaultSession.open(checkVaultEnvironment("test", outside)));
  expect(mockSite.cluster.requests).toEqual([]);
});
