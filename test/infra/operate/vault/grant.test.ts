import type * as PortForward from "../../../../infra/cluster/port-forward";
import { checkEnvironment } from "../../../../infra/config/environment";
import { InvalidRequestError } from "../../../../infra/operate/errors";
import { stackPolicy } from "../../../../infra/operate/rights";
import { stackPolicyName } from "../../../../infra/naming";
import { grant, type Revocation } from "../../../../infra/operate/vault/grant";
import { errorOf, type VaultAnswer } from "../../../mocks";
import { useKubernetesClient } from "../site";
import { config, StoredSite, useTrustingClient } from "./stored-site";

let mockSite: StoredSite;
jest.mock("../../../../infra/cluster/port-forward", () => ({
  openPortForward: (_: unknown, target: PortForward.PortForwardTarget) =>
    Promise.resolve({ port: mockSite.portOf(target), lastError: () => undefined }),
}));

let endings: (() => void)[];
let rootToken: string;
beforeAll(() => {
  endings = [useKubernetesClient(), useTrustingClient()];
});
afterAll(() => {
  for (const end of endings) end();
});
/** What the test's grant hands over. */
let tokens: string[];
const run = (token = rootToken): Promise<Revocation> =>
  grant(mockSite.environment, token, { onToken: (made) => tokens.push(made) });

beforeEach(async () => {
  tokens = [];
  mockSite = await StoredSite.start();
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  rootToken = mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  delete process.env.VAULT_TOKEN;
  await mockSite.stop();
});

test("the stack's policy is written, its token made, and the root token revoked, in that order", async () => {
  await run();
  expect(mockSite.vault.first.writes).toEqual([
    "PUT sys/policies/acl/aidbox-stack",
    "POST auth/token/create-orphan",
    "POST auth/token/revoke-self",
  ]);
  expect(mockSite.vault.revoked).toEqual([rootToken]);
});

test("the policy is that which `rights --role stack` prints", async () => {
  await run();
  expect([...mockSite.vault.policies]).toEqual([["aidbox-stack", stackPolicy(mockSite.environment)]]);
});

test("the token is periodic, without a parent, and has that policy alone", async () => {
  await run();
  const [token] = tokens;
  expect(mockSite.vault.tokens.get(token!)).toEqual({
    policies: ["aidbox-stack"],
    period: "768h",
    display_name: "aidbox-secrets-stack",
  });
  expect([...mockSite.vault.tokens.keys()]).toEqual([token]);
});

test("the policy's name follows the role's, so that stacks of one Vault have their own", () => {
  const vault = { ...config.vault, role: "fhir" };
  expect(stackPolicyName(checkEnvironment("test", { ...config, vault }))).toBe("fhir-stack");
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
  expect(error.message).toBe("Vault refuses the root token: make one by `vault operator generate-root`");
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
  expect(error.message).toBe("Vault answered PUT sys/policies/acl/aidbox-stack with 503: Vault is sealed");
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
