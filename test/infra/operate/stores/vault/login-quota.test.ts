import { grant } from "../../../../../infra/operate/stores/vault/grant";
import { loginQuotaLinks } from "../../../../../infra/operate/stores/vault/login-quota";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { stackPolicy } from "../../../../../infra/operate/stores/vault/stack-policy";
import { errorOf } from "../../../../mocks";
import { config, StoredSite } from "./stored-site";

let mockSite: StoredSite;

let told: string[];

async function start(vault: object = { ...config.vault, loginsPerSecond: 50 }): Promise<void> {
  told = [];
  mockSite = await StoredSite.start({}, vault);
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  process.env.VAULT_TOKEN = mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
}
afterEach(async () => {
  delete process.env.KUBECONFIG;
  delete process.env.VAULT_TOKEN;
  await mockSite.stop();
});

const run = (): Promise<unknown> =>
  grant(mockSite.environment, mockSite.vault.rootToken, {
    onToken: () => undefined,
    onCredentials: () => undefined,
    onProgress: (text) => told.push(text),
  });

async function check(): Promise<string> {
  process.env.VAULT_TOKEN = mockSite.vault.initialise();
  return loginQuotaLinks(await VaultSession.open(mockSite.environment))[0]!.check();
}

const grantAgain = "npm run vault:grant -- --shares --no-tokens --env test";

test("the quota counts the pods' logins, each address by itself, and verify sees it", async () => {
  await start();
  mockSite.vault.authMounts.set("kubernetes/", { type: "kubernetes" });
  await run();
  expect(Object.fromEntries(mockSite.vault.quotas)).toEqual({
    "aidbox-logins": { path: "auth/kubernetes/login", rate: 50, interval: "1s" },
  });
  expect(told).toEqual([]);
  expect(await check()).toBe("more of auth/kubernetes/login are answered 429");
});

test("before the first up has made the auth mount, vault:init says that it comes later, and ends well", async () => {
  await start();
  await run();
  expect(told).toEqual([`logins have no quota before up has made auth/kubernetes: then ${grantAgain}`]);
  expect(mockSite.vault.revoked).toHaveLength(1);
  expect(await errorOf(check())).toMatchObject({
    message: "Vault has no quota for auth/kubernetes/login",
    fix: grantAgain,
  });
});

test("another one than the config's is named", async () => {
  await start();
  mockSite.vault.quotas.set("aidbox-logins", { path: "auth/kubernetes/login", rate: 5 });
  expect((await errorOf(check())).message).toBe(
    "the quota for auth/kubernetes/login is 5 in 1 s, and should be 50 in 1 s for auth/kubernetes/login",
  );
});

test("the stack's own token may see it, and not lift it", async () => {
  await start();
  const rule = /path "sys\/quotas[^"]*" \{\n(.*)/.exec(stackPolicy(mockSite.environment));
  expect(rule![1]).toBe('  capabilities = ["read"]');
});

test("there is none where the config wants none", async () => {
  await start(config.vault);
  mockSite.vault.authMounts.set("kubernetes/", { type: "kubernetes" });
  await run();
  expect(mockSite.vault.quotas.size).toBe(0);
  expect(loginQuotaLinks(await VaultSession.open(mockSite.environment))).toEqual([]);
  expect(stackPolicy(mockSite.environment)).not.toContain("sys/quotas");
});
