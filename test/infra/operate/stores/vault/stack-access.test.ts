import { NotKvV2Error } from "../../../../../constructs/stores/vault";
import type { VaultEnvironment } from "../../../../../infra/config/environment";
import { NamesTakenError } from "../../../../../infra/operate/stores/vault/own-names";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { checkStackAccess, StackRightsError } from "../../../../../infra/operate/stores/vault/stack-access";
import { grantedPolicy, stackPolicy } from "../../../../../infra/operate/stores/vault/stack-policy";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf, type JsonObject } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { clusterUid, config, StoredSite } from "./stored-site";

hurryTimers();

let mockSite: StoredSite;

const token = "hvs.stack";
beforeEach(async () => {
  mockSite = await StoredSite.start();
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
  mockSite.vault.tokens.set(token, { policies: ["aidbox-stack"] });
  mockSite.vault.policies.set("aidbox-stack", grantedPolicy(mockSite.environment, clusterUid));
});
afterEach(async () => {
  expect(mockSite.vault.first.writes.filter((each) => !each.endsWith("capabilities-self"))).toEqual([]);
  delete process.env.KUBECONFIG;
  await mockSite.stop();
});

const check = async (
  environment: VaultEnvironment = mockSite.environment,
  given: string | undefined = token,
): Promise<void> => checkStackAccess(await VaultSession.open(environment, given), "aidbox-secrets/test");

test("a token with the rights of this config may go on", async () => {
  await check();
});

test("so may a root token, and rights that somebody wrote as `rights` prints them", async () => {
  mockSite.vault.tokens.set(token, { policies: ["root"] });
  mockSite.vault.policies.clear();
  await check();
  mockSite.vault.tokens.set(token, { policies: ["aidbox-stack"] });
  mockSite.vault.policies.set("aidbox-stack", stackPolicy(mockSite.environment));
  await check();
});

test("a changed table needs rights first, and how it gets them is told", async () => {
  const secrets = [...config.secrets, { name: "license", path: "aidbox/license" }];
  const error = await errorOf(check(checkVaultEnvironment("test", { ...config, secrets })));
  expect(error).toBeInstanceOf(StackRightsError);
  expect(error.message).toBe(
    "The stack's token may not do what this config needs in Vault: its policy aidbox-stack is of another config, or of " +
      "another version. Nothing was touched.\n" +
      "Key shares, as many as unseal Vault, bring it up to date; the stack's token stays the same one:\n" +
      "  npm run vault:grant -- --shares --no-tokens --env test",
  );
});

test("nor does it need those that verify alone uses, which came later", async () => {
  const granted = grantedPolicy(mockSite.environment, clusterUid);
  const rule = 'path "sys/audit" {\n  capabilities = ["read", "sudo"]\n}\n\n';
  expect(granted).toContain(rule);
  mockSite.vault.policies.set("aidbox-stack", granted.replace(rule, ""));
  await check();
});

test("what a former tenant left is no reason", async () => {
  const tenants = [{ name: "north", secrets: [{ name: "client-secret", path: "north/client" }] }];
  const former = grantedPolicy(checkVaultEnvironment("test", { ...config, tenants }), clusterUid);
  mockSite.vault.policies.set("aidbox-stack", grantedPolicy(mockSite.environment, clusterUid, former));
  await check();
});

test("an older version's token, which owns all of Vault, needs less first", async () => {
  mockSite.vault.intercept = ({ path }) =>
    path === "sys/policies/acl/aidbox-stack" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
  const error = await errorOf(check());
  expect(error.message).toContain("its policy aidbox-stack is of an older version, and gives it all of Vault");
});

test("a token that Vault does not know", async () => {
  const error = await errorOf(check(undefined, "hvs.ended"));
  expect(error).toBeInstanceOf(StackRightsError);
  expect(error.message).toContain("Vault refuses the stack's token: it has ended, or was revoked");
});

test("a token of somebody else's making is asked for each path", async () => {
  mockSite.vault.tokens.set(token, { policies: ["ops"] });
  mockSite.vault.intercept = ({ path, body }) => {
    if (path !== "sys/capabilities-self") return undefined;
    const all = ["create", "read", "update", "delete", "patch", "sudo"];
    const may = (each: string): string[] => (each === "sys/policies/acl/aidbox" ? ["read"] : all);
    return { status: 200, body: Object.fromEntries((body?.paths as string[]).map((each) => [each, may(each)])) };
  };
  const error = await errorOf(check());
  expect(error.message).toContain("it lacks create, update, delete on sys/policies/acl/aidbox");
});

test("a Vault that cannot be used yet is told of later, by up itself", async () => {
  for (const server of mockSite.vault.servers) server.sealed = true;
  await check();
});

describe("names of others are refused:", () => {
  const other = "# aidbox-secrets: stack prod, logins at auth/kubernetes\n";
  test("a policy", async () => {
    mockSite.vault.policies.set("aidbox", `${other}path "x" {}`);
    const error = await errorOf(check());
    expect(error).toBeInstanceOf(NamesTakenError);
    expect(error.message).toContain('policy aidbox is that of "aidbox-secrets: stack prod');
  });

  test("a policy without a mark, where this stack's auth mount has no role of its name", async () => {
    mockSite.vault.policies.set("aidbox", 'path "x" {}');
    expect(await errorOf(check())).toBeInstanceOf(NamesTakenError);
    mockSite.vault.authEntries.set("auth/kubernetes/role/aidbox", {});
    await check(); // an older version of this stack made it
  });

  test("a stack of this name on another cluster", async () => {
    mockSite.vault.policies.set("aidbox-stack", grantedPolicy(mockSite.environment, "of-another"));
    const error = await errorOf(check());
    expect(error).toBeInstanceOf(NamesTakenError);
    expect(error.message).toContain("on another cluster");
  });

  test("a path that another stack has seeded", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "secret/metadata/aidbox/admin"
        ? { status: 200, body: { data: { custom_metadata: { "seeded-by": "aidbox-secrets/prod" } } } }
        : undefined;
    const error = await errorOf(check());
    expect(error.message).toContain("secret/metadata/aidbox/admin was seeded by the stack aidbox-secrets/prod");
  });

  test("keys on a managed path that the table has not, and so would lose; its own are no clash", async () => {
    const secrets = [...config.secrets, { name: "db-password", path: "aidbox/db", source: "managed" }];
    const environment = checkVaultEnvironment("test", { ...config, secrets });
    mockSite.vault.policies.set("aidbox-stack", grantedPolicy(environment, clusterUid));
    let subkeys: Record<string, null> = { "db-password": null };
    mockSite.vault.intercept = ({ path }) =>
      path === "secret/subkeys/aidbox/db"
        ? { status: 200, body: { data: { subkeys, metadata: { version: 1 } } } }
        : undefined;
    await check(environment);
    subkeys = { ...subkeys, theirs: null, "theirs too": null };
    expect(await errorOf(check(environment))).toEqual(
      new NamesTakenError([
        "secret/data/aidbox/db has keys that the table has not, which a managed path would lose: theirs, theirs too. " +
          "Write a row of source managed for each, or another path; or, where nobody needs them, have the version deleted: " +
          "vault kv delete -mount=secret aidbox/db",
      ]),
    );
  });
});

describe("the KV mount", () => {
  function answer(path: string, data: JsonObject): void {
    const before = mockSite.vault.intercept;
    mockSite.vault.intercept = (request, server) =>
      request.path === path ? { status: 200, body: { data } } : before?.(request, server);
  }

  test.each<[what: string, mount: JsonObject, message: string]>([
    ["of version 1", { path: "secret/", type: "kv", options: { version: "1" } }, "secret is of KV version 1"],
    ["that is none", { path: "secret/", type: "ssh", options: null }, "secret is a mount of type ssh, and no KV v2"],
  ])("%s is refused", async (_, mount, message) => {
    answer("sys/internal/ui/mounts/secret", mount);
    const error = await errorOf(check());
    expect(error).toBeInstanceOf(NotKvV2Error);
    expect(error.message).toContain(message);
  });

  test("with cas_required holds managed secrets where the config says so", async () => {
    answer("sys/internal/ui/mounts/secret", { path: "secret/", type: "kv", options: { version: "2" } });
    answer("secret/config", { cas_required: true });
    const secrets = [...config.secrets, { name: "smtp", path: "aidbox/smtp", source: "managed" }];
    const environment = checkVaultEnvironment("test", { ...config, secrets });
    const { message } = await errorOf(check(environment));
    expect(message).toBe(
      "secret takes no write without a version (cas_required), and aidbox/smtp of source managed would be written without one: " +
        "write vault.kvMount.casRequired: true. Nothing was touched.",
    );
    const vault = { ...config.vault, kvMount: { casRequired: true } };
    // Whether somebody else wrote a value is seen by the value alone.
    const named = await errorOf(check(checkVaultEnvironment("test", { ...config, secrets, vault })));
    expect(named).toBeInstanceOf(StackRightsError);
    const policy = stackPolicy(checkVaultEnvironment("test", { ...config, secrets, vault }));
    expect(policy).toMatch(
      /"secret\/data\/aidbox\/smtp" \{\n {2}capabilities = \["read", "create", "update", "patch"\]/,
    );
    await check(checkVaultEnvironment("test", config));
  });
});
