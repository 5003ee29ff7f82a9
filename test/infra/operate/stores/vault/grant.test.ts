import { stackPolicyName } from "../../../../../infra/config/names";
import { InvalidRequestError } from "../../../../../infra/operate/errors";
import {
  grant,
  grantByShares,
  type GrantOptions,
  type Revocation,
} from "../../../../../infra/operate/stores/vault/grant";
import type { OperatorCredentials } from "../../../../../infra/operate/stores/vault/operators";
import { NamesTakenError } from "../../../../../infra/operate/stores/vault/own-names";
import { operatorPolicy } from "../../../../../infra/operate/stores/vault/rights";
import { grantedPolicy, stackPolicy } from "../../../../../infra/operate/stores/vault/stack-policy";
import { errorOf, type VaultAnswer } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { clusterUid, config, StoredSite } from "./stored-site";

let mockSite: StoredSite;

let rootToken: string;
/** What the test's grant hands over. */
let tokens: string[];
let credentials: OperatorCredentials[];
const options = (): GrantOptions => ({
  onToken: (made) => tokens.push(made),
  onCredentials: (made) => credentials.push(made),
});
const run = (token = rootToken): Promise<Revocation> => grant(mockSite.environment, token, options());

beforeEach(() => start());
async function start(vault?: object): Promise<void> {
  tokens = [];
  credentials = [];
  mockSite = await StoredSite.start({}, vault);
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  rootToken = mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
}
afterEach(stop);
async function stop(): Promise<void> {
  delete process.env.KUBECONFIG;
  delete process.env.VAULT_TOKEN;
  await mockSite.stop();
}

test("policies are written, tokens made, and the root token revoked, in that order", async () => {
  await run();
  expect(mockSite.vault.first.writes).toEqual([
    "PUT sys/audit/stdout",
    "PUT sys/audit/file",
    "PUT sys/policies/acl/aidbox-stack",
    "PUT sys/policies/acl/aidbox-writer",
    "POST auth/token/create-orphan",
    "POST auth/token/create-orphan",
    "POST auth/token/revoke-self",
  ]);
  expect(mockSite.vault.revoked).toEqual([rootToken]);
});

test("the policies are those which `rights` prints, the stack's with its cluster", async () => {
  await run();
  const { environment } = mockSite;
  expect([...mockSite.vault.policies]).toEqual([
    ["aidbox-stack", grantedPolicy(environment, clusterUid)],
    ["aidbox-writer", operatorPolicy(environment, "writer")],
  ]);
  const [mark, cluster, ...rules] = mockSite.vault.policies.get("aidbox-stack")!.split("\n");
  expect(cluster).toBe(`# cluster ${clusterUid}`);
  expect([mark, ...rules].join("\n")).toBe(stackPolicy(environment));
});

test("the stack's token is periodic, without a parent, and has its policy alone", async () => {
  await run();
  expect(mockSite.vault.tokens.get(tokens[0]!)).toEqual({
    policies: ["aidbox-stack"],
    no_default_policy: true,
    period: "768h",
    display_name: "aidbox-secrets-stack",
  });
});

test("an operator's way to write is there from the first day: a token of the writers, where the config names no other", async () => {
  await run();
  const [made] = credentials as Extract<OperatorCredentials, { method: "token" }>[];
  expect(mockSite.vault.tokens.get(made!.token)).toEqual({
    policies: ["aidbox-writer"],
    no_default_policy: true,
    period: "768h",
    display_name: "aidbox-secrets-writer",
  });
  expect([...mockSite.vault.tokens.keys()].sort()).toEqual([made!.token, ...tokens].sort());
});

test("without tokens the policies alone are brought up to date", async () => {
  await grant(mockSite.environment, rootToken, { ...options(), tokens: false });
  expect([...mockSite.vault.policies.keys()]).toEqual(["aidbox-stack", "aidbox-writer"]);
  expect([...tokens, ...credentials, ...mockSite.vault.tokens.keys()]).toEqual([]);
});

test("the policy's name follows the role's, so that stacks of one Vault have their own", () => {
  const vault = { ...config.vault, role: "fhir" };
  expect(stackPolicyName(checkVaultEnvironment("test", { ...config, vault }))).toBe("fhir-stack");
});

test("the root token is the one that is given, not that of the environment", async () => {
  process.env.VAULT_TOKEN = "hvs.somebody";
  await run();
  const sent = mockSite.vault.first.fake.requests.map(({ headers }) => headers["x-vault-token"]);
  expect(new Set(sent)).toEqual(new Set([rootToken]));
});

test("a root token that Vault refuses changes nothing, and is not shown", async () => {
  const error = await errorOf(run("hvs.wrong"));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    "Vault refuses the root token: make one from key shares: npm run vault:grant -- --shares --env test",
  );
  expect(mockSite.vault.policies.size).toBe(0);
  expect([...mockSite.vault.tokens.keys()]).toEqual([rootToken]);
});

test("a token that may write policies and make no tokens is not revoked", async () => {
  mockSite.vault.intercept = ({ path }) =>
    path === "auth/token/create-orphan" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
  const error = await errorOf(run());
  expect(error.message).toBe("Vault answered POST auth/token/create-orphan with 403: permission denied");
  expect(mockSite.vault.revoked).toEqual([]);
});

test("a sealed Vault says so in its own words", async () => {
  mockSite.vault.first.sealed = true;
  const error = await errorOf(run());
  expect(error.message).toBe("Vault answered GET sys/audit with 503: Vault is sealed");
});

describe("the stack's token is handed over", () => {
  test("before the root token is revoked, so that nothing that comes after can lose it", async () => {
    let handedOverBefore: readonly string[] | undefined;
    mockSite.vault.intercept = ({ path }) => {
      if (path === "auth/token/revoke-self") handedOverBefore = [...tokens];
      return undefined;
    };
    expect(await run()).toEqual({ rootTokenRevoked: true });
    expect(handedOverBefore).toEqual([expect.stringMatching(/^hvs\.made-/)]);
  });

  test("though a signal asks the process to end while it is made", async () => {
    const before = process.listenerCount("SIGTERM");
    let held = 0;
    mockSite.vault.intercept = ({ path }) => {
      if (path === "auth/token/create-orphan") held = process.listenerCount("SIGTERM") - before;
      return undefined;
    };
    await run();
    expect([held, process.listenerCount("SIGTERM") - before]).toEqual([1, 0]);
  });
});

describe("what became of the root token is told:", () => {
  const answerRevocation = (answer: () => VaultAnswer): void => {
    mockSite.vault.intercept = ({ path }) => (path === "auth/token/revoke-self" ? answer() : undefined);
  };

  test("it lives on, and the stack's token is there", async () => {
    answerRevocation(() => ({ status: 500, body: { errors: ["no"] } }));
    const reason = "Vault answered POST auth/token/revoke-self with 500: no";
    expect(await run()).toEqual({ rootTokenRevoked: false, reason });
    expect(tokens).toHaveLength(1);
  });

  test("it is revoked, and only the answer was lost", async () => {
    answerRevocation(() => {
      mockSite.vault.tokens.delete(rootToken);
      return { status: 502, body: "" };
    });
    expect(await run()).toEqual({ rootTokenRevoked: true });
  });
});

describe("audit devices", () => {
  const mark = "aidbox-secrets: stack test, logins at auth/kubernetes";
  const device = (path: string) => ({ type: "file", description: mark, options: { file_path: path } });
  const stdout = { "stdout/": device("stdout") };
  const file = { "file/": device("/vault/audit/audit.log") };
  let told: string[];
  const grantTelling = async (): Promise<object> => {
    told = [];
    await grant(mockSite.environment, rootToken, { ...options(), onProgress: (text) => told.push(text) });
    return Object.fromEntries(mockSite.vault.audit);
  };

  test("are enabled before the root token asks for anything else, so that all of it is written", async () => {
    expect(await grantTelling()).toEqual({ ...stdout, ...file });
    const asked = mockSite.vault.first.fake.requests.map(({ method, path }) => `${method} ${path}`);
    expect(asked.slice(0, 3)).toEqual(["GET sys/audit", "PUT sys/audit/stdout", "PUT sys/audit/file"]);
    expect(told).toEqual([]);
  });

  test("that are there stay as they are", async () => {
    mockSite.vault.audit.set("others/", device("/vault/audit/audit.log"));
    await grantTelling();
    expect([...mockSite.vault.audit.keys()]).toEqual(["others/", "stdout/"]);
  });

  test("write to the servers' storage where these have no volume for it", async () => {
    mockSite.cluster.change("StatefulSet", "store", {
      spec: { volumeClaimTemplates: [{ metadata: { name: "data" } }] },
    });
    expect(await grantTelling()).toEqual({ ...stdout, "file/": device("/vault/data/audit.log") });
  });

  const grantAgain = "npm run vault:grant -- --shares --no-tokens --env test";
  test.each<[what: string, before: () => void, told: string]>([
    [
      "servers that an earlier version made rotate no file",
      () => {
        mockSite.addPod("store-1", "Running", "store-before");
      },
      `store-1 rotate no file yet: npm run vault:roll -- --env test, then ${grantAgain}`,
    ],
    [
      "no up has brought what rotates it",
      () => mockSite.cluster.change("StatefulSet", "store", { spec: { template: { spec: { containers: [] } } } }),
      `nothing rotates its file yet: npm run up -- --env test, npm run vault:roll -- --env test, then ${grantAgain}`,
    ],
    [
      "Vault cannot write it",
      () => {
        mockSite.vault.intercept = ({ path }) =>
          path === "sys/audit/file" ? { status: 400, body: { errors: ["no space left on device"] } } : undefined;
      },
      "no space left on device",
    ],
    [
      "somebody else has its name",
      () => mockSite.vault.audit.set("file/", device("/tmp/x")),
      "one of that name writes to /tmp/x: disable it by `vault audit disable file`",
    ],
  ])("are standard output alone where %s, which is told", async (_, before, reason) => {
    before();
    expect(await grantTelling()).toMatchObject(stdout);
    expect(told).toEqual([`the audit device file is not enabled: ${reason}`]);
    expect([...mockSite.vault.audit.values()]).not.toContainEqual(file["file/"]);
  });

  test("none of which can be enabled end it before anything else is written", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path.startsWith("sys/audit/") ? { status: 400, body: { errors: ["no"] } } : undefined;
    const error = await errorOf(run());
    expect(error.message).toBe("the audit device stdout is not enabled: no; the audit device file is not enabled: no");
    expect(mockSite.vault.policies.size).toBe(0);
  });

  test("are not the stack's where the config wants none", async () => {
    await stop();
    await start({ ...config.vault, audit: { enabled: false } });
    expect(await grantTelling()).toEqual({});
  });

  test("are out of reach of the stack's own token, which may see them alone", async () => {
    await run();
    const rules = [...mockSite.vault.policies.get("aidbox-stack")!.matchAll(/path "([^"]+)" \{\n {2}(.*)/g)];
    const ofAudit = rules.filter(([, path]) => "sys/audit/file".startsWith(path!.replace(/[*+].*$/, "")));
    expect(ofAudit.map(([, path, capabilities]) => [path, capabilities])).toEqual([
      ["sys/audit", 'capabilities = ["read", "sudo"]'],
    ]);
  });
});

describe("operators of their own auth method", () => {
  const startWith = async (operators: object): Promise<void> => {
    await stop();
    await start({ ...config.vault, operators });
  };
  const tokenFields = {
    token_policies: ["aidbox-writer"],
    token_no_default_policy: true,
    token_ttl: 28_800,
    token_explicit_max_ttl: 28_800,
  };
  const mark = "aidbox-secrets: stack test, logins at auth/kubernetes";

  test("users get a password each, once", async () => {
    await startWith({ method: "userpass", users: ["alice", "bob"] });
    await run();
    expect(Object.fromEntries(mockSite.vault.authMounts)).toEqual({
      "aidbox-operators/": { type: "userpass", description: mark },
    });
    const made = credentials as Extract<OperatorCredentials, { method: "userpass" }>[];
    expect(made.map(({ user }) => user)).toEqual(["alice", "bob"]);
    for (const { user, password } of made) {
      expect(password).toMatch(/^[\w-]{24}$/);
      expect(mockSite.vault.authEntries.get(`auth/aidbox-operators/users/${user}`)).toEqual({
        ...tokenFields,
        password,
      });
    }
    expect(tokens).toHaveLength(1);
  });

  test("a user's password is handed over, too, where Vault's answer is lost once it has made the user", async () => {
    await startWith({ method: "userpass", users: ["alice"] });
    const path = "auth/aidbox-operators/users/alice";
    let lost = 0;
    mockSite.vault.first.fake.loses = (request) => request.path === path && lost++ === 0;
    await run();
    expect(lost).toBe(1);
    const [made] = credentials as Extract<OperatorCredentials, { method: "userpass" }>[];
    expect(mockSite.vault.authEntries.get(path)).toMatchObject({ password: made!.password });
  });

  test("users who are there keep their passwords, and get the rights of today", async () => {
    await startWith({ method: "userpass", users: ["alice", "bob"] });
    mockSite.vault.authMounts.set("aidbox-operators/", { type: "userpass", description: mark });
    const path = "auth/aidbox-operators/users/alice";
    mockSite.vault.authEntries.set(path, { password: "of alice", token_policies: ["other"] });
    await run();
    expect(credentials).toMatchObject([{ user: "bob" }]);
    expect(mockSite.vault.authEntries.get(path)).toEqual({ ...tokenFields, password: "of alice" });
  });

  test("users whom the config does not name are told of", async () => {
    await startWith({ method: "userpass", users: ["alice"] });
    mockSite.vault.authMounts.set("aidbox-operators/", { type: "userpass", description: mark });
    mockSite.vault.authEntries.set("auth/aidbox-operators/users/mallory", {});
    const told: string[] = [];
    await grant(mockSite.environment, rootToken, { ...options(), onProgress: (text) => told.push(text) });
    expect(told.join()).toContain("user mallory is not in vault.operators.users, and can still log in");
  });

  test("an AppRole gets an id and a secret", async () => {
    await startWith({ method: "approle", mount: "machines", ttl: "1h" });
    await run();
    expect(credentials).toEqual([{ method: "approle", roleId: "id-of-the-role", secretId: "secret-id-of-the-role" }]);
    expect(mockSite.vault.authEntries.get("auth/machines/role/aidbox-writer")).toEqual({
      ...tokenFields,
      token_ttl: 3600,
      token_explicit_max_ttl: 3600,
    });
  });

  const oidc = { method: "oidc", discoveryUrl: "https://id.example.com", clientId: "vault", groups: ["on-call"] };
  test("OIDC admits the members of the groups", async () => {
    await startWith(oidc);
    process.env.VAULT_OIDC_CLIENT_SECRET = "hunter2 of the client";
    await run().finally(() => delete process.env.VAULT_OIDC_CLIENT_SECRET);
    expect(mockSite.vault.authEntries.get("auth/aidbox-operators/config")).toEqual({
      oidc_discovery_url: "https://id.example.com",
      oidc_discovery_ca_pem: "",
      oidc_client_id: "vault",
      oidc_client_secret: "hunter2 of the client",
      default_role: "aidbox-writer",
    });
    expect(mockSite.vault.authEntries.get("auth/aidbox-operators/role/aidbox-writer")).toEqual({
      ...tokenFields,
      role_type: "oidc",
      user_claim: "sub",
      groups_claim: "groups",
      bound_claims: { groups: ["on-call"] },
      allowed_redirect_uris: ["http://localhost:8250/oidc/callback"],
    });
    expect(credentials).toEqual([]);
  });

  test("OIDC without its client's secret changes nothing", async () => {
    await startWith(oidc);
    const error = await errorOf(run());
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toContain("set VAULT_OIDC_CLIENT_SECRET");
    expect(mockSite.vault.first.writes).toEqual([]);
  });

  test.each([
    ["another type", { type: "ldap", description: mark }],
    ["another stack", { type: "userpass", description: "aidbox-secrets: stack prod, logins at auth/kubernetes" }],
  ])("an auth mount of %s is left alone", async (_, mount) => {
    await startWith({ method: "userpass", users: ["alice"] });
    mockSite.vault.authMounts.set("aidbox-operators/", mount);
    const error = await errorOf(run());
    expect(error.message).toContain("auth/aidbox-operators is there already");
    expect(mockSite.vault.authEntries.size).toBe(0);
  });
});

describe("names that are somebody else's are refused, and nothing is written:", () => {
  const other = "# aidbox-secrets: stack prod, logins at auth/cluster-one\n";
  const own = "# aidbox-secrets: stack test, logins at auth/kubernetes\n";
  test.each<[what: string, name: string, text: string, told: string]>([
    [
      "another stack's token",
      "aidbox-stack",
      `${other}x`,
      'policy aidbox-stack is that of "aidbox-secrets: stack prod',
    ],
    ["another stack's writers", "aidbox-writer", `${other}x`, "policy aidbox-writer is that of"],
    ["another stack's pods", "aidbox", `${other}x`, "policy aidbox is that of"],
    ["somebody's pods", "aidbox", 'path "x" {}', "policy aidbox is somebody else's"],
    ["the same stack on another cluster", "aidbox-stack", `${own}# cluster of-another\nx`, "on another cluster"],
    ["an older stack with another auth mount", "aidbox-stack", 'path "sys/auth/cluster-one" {}', "somebody else's"],
  ])("%s", async (_, name, text, told) => {
    mockSite.vault.policies.set(name, text);
    const error = await errorOf(run());
    expect(error).toBeInstanceOf(NamesTakenError);
    expect(error.message).toContain(told);
    expect(mockSite.vault.first.writes.filter((each) => !each.includes("sys/audit"))).toEqual([]);
    expect([...mockSite.vault.policies]).toEqual([[name, text]]);
  });

  test("but not those of this stack, nor of an older version of it", async () => {
    mockSite.vault.policies.set("aidbox-stack", 'path "sys/auth/kubernetes" {}');
    mockSite.vault.policies.set("aidbox", 'path "secret/data/aidbox/client" {}');
    await run();
    await stop();
    await start();
    mockSite.vault.policies.set("aidbox-stack", `${own}# cluster ${clusterUid}\nx`);
    mockSite.vault.policies.set("aidbox", `${own}x`);
    await run();
  });
});

test("what a tenant that is gone has left behind may be taken away, and none of its secrets", async () => {
  const former = grantedPolicy(
    checkVaultEnvironment("test", {
      ...config,
      tenants: [{ name: "north", secrets: [{ name: "client-secret", path: "north/client", source: "seeded" }] }],
    }),
    clusterUid,
  );
  expect(former).toContain('path "secret/data/north/client"');
  mockSite.vault.policies.set("aidbox-stack", former);
  await run();
  const [, left] = mockSite.vault.policies.get("aidbox-stack")!.split("# Of an earlier config, to be taken away:\n");
  expect(left).toBe(
    [
      'path "auth/kubernetes/role/aidbox-north" {',
      '  capabilities = ["read", "delete"]',
      "}",
      "",
      'path "sys/policies/acl/aidbox-north" {',
      '  capabilities = ["read", "delete"]',
      "}",
      "",
    ].join("\n"),
  );
});

describe("by key shares", () => {
  test("a root token is made for it, and lives no longer", async () => {
    await run();
    const { keyShares, threshold } = mockSite.vault;
    expect(await grantByShares(mockSite.environment, keyShares.slice(0, threshold), options())).toEqual({
      rootTokenRevoked: true,
    });
    expect(tokens).toHaveLength(2);
    expect(mockSite.vault.revoked).toHaveLength(2);
    expect(mockSite.vault.revoked[1]).toMatch(/^hvs\.generated-/);
  });

  test.each<[what: string, shares: () => readonly string[], told: string]>([
    ["too few", () => mockSite.vault.keyShares.slice(0, 2), "2 key shares are too few: 3 are needed"],
    ["one twice", () => Array<string>(3).fill(mockSite.vault.keyShares[0]!), "1 key shares are too few: 3 are needed"],
    ["wrong ones", () => ["YQ==", "Yg==", "Yw=="], "Vault refuses the key shares: invalid key"],
  ])("%s change nothing, and leave no attempt behind", async (_, shares, told) => {
    const error = await errorOf(grantByShares(mockSite.environment, shares(), options()));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(told);
    expect(mockSite.vault.policies.size).toBe(0);
    expect(mockSite.vault.rootAttempt).toBeUndefined();
  });

  test("somebody else's attempt is left alone", async () => {
    mockSite.vault.rootAttempt = ["a share"];
    const { keyShares } = mockSite.vault;
    const error = await errorOf(grantByShares(mockSite.environment, keyShares.slice(0, 3), options()));
    expect(error.message).toContain("somebody is making a root token already");
    expect(mockSite.vault.rootAttempt).toEqual(["a share"]);
  });

  test("the root token is revoked also where rights cannot be granted", async () => {
    mockSite.vault.intercept = ({ method, path }) =>
      method === "PUT" && path.startsWith("sys/policies/") ? { status: 500, body: { errors: ["no"] } } : undefined;
    await errorOf(grantByShares(mockSite.environment, mockSite.vault.keyShares.slice(0, 3), options()));
    expect(mockSite.vault.revoked).toEqual([expect.stringMatching(/^hvs\.generated-/)]);
  });

  test("the root token is revoked also where the cluster does not answer any more", async () => {
    mockSite.cluster.intercept = ({ resource }) =>
      resource === "configmaps" && mockSite.vault.hasGeneratedRoot
        ? { status: 500, body: { message: "etcdserver: request timed out" } }
        : undefined;
    const error = await errorOf(grantByShares(mockSite.environment, mockSite.vault.keyShares.slice(0, 3), options()));
    expect(error).toMatchObject({ code: 500 });
    expect(mockSite.vault.revoked).toEqual([expect.stringMatching(/^hvs\.generated-/)]);
  });

  test("a Vault that asks for a token to begin says which", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path.startsWith("sys/generate-root") ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
    const error = await errorOf(grantByShares(mockSite.environment, ["YQ=="], options()));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toContain("set VAULT_TOKEN to the stack's");
  });
});

test("an administrator's own token, which is no root token, is kept", async () => {
  mockSite.vault.tokens.set("hvs.admin", { policies: ["admin"] });
  expect(await run("hvs.admin")).toEqual({ administratorTokenKept: true });
  expect(mockSite.vault.revoked).toEqual([]);
});
