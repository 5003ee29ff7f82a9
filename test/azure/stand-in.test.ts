import { createSign, generateKeyPairSync } from "node:crypto";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import {
  clientId,
  clientSecret,
  foreignTenantId,
  issuer,
  serviceAccountToken,
  strangerId,
  subject,
  tenantId,
} from "./fixtures";
import { type KeyVault, roles } from "./key-vault";
import { AzureStandIn } from "./stand-in";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

let azure: AzureStandIn;
let vault: KeyVault;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId, tenantId, clientSecret, onNode: true, federated: [{ issuer, subject }] });
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  azure.addIdentity({ clientId, tenantId: foreignTenantId, clientSecret });
  vault.grant(clientId, roles.secretsOfficer);
});
afterEach(() => azure.stop());

/** Asks as a client whose proxy the stand-in is. */
function ask(
  url: string,
  options: { method?: string; token?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { method = "GET", token, body, headers = {} } = options;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const all = { method, headers: { ...headers, ...authorization } };
    const asked = url.startsWith("https:")
      ? request(url, { ...all, agent: azure.agent() })
      : requestPlain({
          ...all,
          host: "127.0.0.1",
          port: azure.port,
          path: url,
          headers: { ...all.headers, host: new URL(url).host },
        });
    asked.once("error", reject).once("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
        });
      });
    });
    asked.end(body);
  });
}

const tokenUrl = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;

async function tokenOf(
  client = clientId,
  tenant = tenantId,
  scope = "https://vault.azure.net/.default",
): Promise<string> {
  const form = { grant_type: "client_credentials", client_id: client, client_secret: clientSecret, scope };
  const { body } = await ask(tokenUrl(tenant), { method: "POST", body: new URLSearchParams(form).toString() });
  return body.access_token as string;
}

const secretUrl = (path: string): string => `https://aidbox-test.vault.azure.net/${path}?api-version=7.4`;

test("who brings no token is told where to get one", async () => {
  const { status, headers } = await ask(secretUrl("secrets/aidbox-client"));
  expect(status).toBe(401);
  expect(headers["www-authenticate"]).toBe(
    `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="https://vault.azure.net"`,
  );
});

test.each([
  ["made up", () => Promise.resolve("made-up"), "AKV10000: Request is missing a Bearer or PoP token."],
  ["of another tenant", async () => tokenOf(clientId, foreignTenantId), "AKV10032: Invalid issuer."],
  [
    "for another audience",
    async () => tokenOf(clientId, tenantId, "https://management.azure.com/.default"),
    "AKV10022: Invalid audience.",
  ],
])("a token that is %s is refused", async (_, token, message) => {
  vault.set("aidbox-client", "value");
  const { status, body } = await ask(secretUrl("secrets/aidbox-client"), { token: await token() });
  expect(status).toBe(401);
  expect((body.error as { message: string }).message).toContain(message);
});

test("a token that has ended is refused", async () => {
  const token = await tokenOf();
  azure.entra.expireTokens();
  expect((await ask(secretUrl("secrets/x"), { token })).status).toBe(401);
});

test("a secret has versions, each of which is served, and the newest without a version", async () => {
  const token = await tokenOf();
  const put = (value: string): Promise<Answer> =>
    ask(secretUrl("secrets/aidbox-client"), { method: "PUT", token, body: JSON.stringify({ value }) });
  const first = await put("first");
  await put("second");
  const version = (first.body.id as string).split("/").at(-1)!;
  expect((await ask(secretUrl("secrets/AIDBOX-client"), { token })).body.value).toBe("second");
  expect((await ask(secretUrl(`secrets/aidbox-client/${version}`), { token })).body.value).toBe("first");
  const { body } = await ask(secretUrl("secrets/aidbox-client/versions"), { token });
  expect(body.value).toHaveLength(2);
  expect(JSON.stringify(body)).not.toContain("second");
});

test.each([
  ["a name with a dot", "secrets/a.b", 400, "BadParameter"],
  ["a secret that is not there", "secrets/elsewhere", 404, "SecretNotFound"],
  ["a version that is not there", "secrets/aidbox-client/0", 404, "SecretNotFound"],
  ["a certificate without the role for it", "certificates/x", 403, "Forbidden"],
])("%s is refused", async (_, path, status, code) => {
  vault.set("aidbox-client", "value");
  const answer = await ask(secretUrl(path), { token: await tokenOf() });
  expect([answer.status, (answer.body.error as { code: string }).code]).toEqual([status, code]);
});

test("an identity without a role is refused", async () => {
  vault.set("aidbox-client", "value");
  const { status, body } = await ask(secretUrl("secrets/aidbox-client"), { token: await tokenOf(strangerId) });
  expect(status).toBe(403);
  expect(body.error).toMatchObject({ code: "Forbidden", innererror: { code: "ForbiddenByRbac" } });
});

test("a disabled secret is refused, and served again once it is enabled", async () => {
  const token = await tokenOf();
  vault.set("aidbox-client", "value");
  vault.enable("aidbox-client", false);
  const { status, body } = await ask(secretUrl("secrets/aidbox-client"), { token });
  expect([status, body.error]).toEqual([403, expect.objectContaining({ innererror: { code: "SecretDisabled" } })]);
  vault.enable("aidbox-client", true);
  expect((await ask(secretUrl("secrets/aidbox-client"), { token })).status).toBe(200);
});

test("a deleted secret keeps its name until it is recovered or purged", async () => {
  const token = await tokenOf();
  vault.set("aidbox-client", "value");
  await ask(secretUrl("secrets/aidbox-client"), { method: "DELETE", token });
  expect((await ask(secretUrl("secrets/aidbox-client"), { token })).status).toBe(404);
  const put = await ask(secretUrl("secrets/aidbox-client"), { method: "PUT", token, body: '{"value":"new"}' });
  expect([put.status, put.body.error]).toEqual([
    409,
    expect.objectContaining({ innererror: { code: "ObjectIsDeletedButRecoverable" } }),
  ]);
  expect((await ask(secretUrl("deletedsecrets/aidbox-client"), { token })).status).toBe(200);
  await ask(secretUrl("deletedsecrets/aidbox-client/recover"), { method: "POST", token });
  expect((await ask(secretUrl("secrets/aidbox-client"), { token })).body.value).toBe("value");
});

test("too many calls are refused for a while", async () => {
  azure.throttle(1, 7);
  const { status, headers } = await ask(secretUrl("secrets/aidbox-client"));
  expect([status, headers["retry-after"]]).toEqual([429, "7"]);
  expect((await ask(secretUrl("secrets/aidbox-client"))).status).toBe(401);
});

test("a federated token is taken by its issuer's signature alone, where the issuer's keys are known", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const workload = "66666666-6666-6666-6666-666666666666";
  azure.addIdentity({
    clientId: workload,
    tenantId,
    federated: [{ issuer, subject, keys: [publicKey.export({ format: "jwk" })] }],
  });
  const unsigned = serviceAccountToken().split(".").slice(0, 2).join(".");
  const exchange = async (assertion: string): Promise<Answer> => {
    const form = {
      grant_type: "client_credentials",
      client_id: workload,
      client_assertion: assertion,
      scope: "https://vault.azure.net/.default",
    };
    return ask(tokenUrl(tenantId), { method: "POST", body: new URLSearchParams(form).toString() });
  };
  const signed = `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(privateKey).toString("base64url")}`;
  expect((await exchange(signed)).status).toBe(200);
  expect((await exchange(`${unsigned}.AAAA`)).body.error_codes).toEqual([700027]);
});

describe("the metadata service", () => {
  const url = (query: string): string =>
    `http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01${query}`;
  const headers = { metadata: "true" };

  test("gives a token of the node's identity to every pod", async () => {
    vault.set("aidbox-client", "value");
    const { body } = await ask(url("&resource=https%3A%2F%2Fvault.azure.net"), { headers });
    expect(body.client_id).toBe(clientId);
    const token = body.access_token as string;
    expect((await ask(secretUrl("secrets/aidbox-client"), { token })).body.value).toBe("value");
  });

  test.each([
    ["without its header", "&resource=https%3A%2F%2Fvault.azure.net", {}],
    ["without a resource", "", headers],
    ["of an identity that the node has not", `&resource=x&client_id=${strangerId}`, headers],
  ])("gives none %s", async (_, query, given) => {
    expect((await ask(url(query), { headers: given })).status).toBe(400);
  });
});

test("a host that is not Azure's is not reached", async () => {
  await expect(ask("https://example.com/")).rejects.toThrow("the proxy answered CONNECT example.com with 502");
});

test("what was asked is noted without values and tokens", async () => {
  vault.set("aidbox-client", "the value");
  await ask(secretUrl("secrets/aidbox-client"), { token: await tokenOf() });
  expect(azure.calls.at(-1)).toEqual({
    host: "aidbox-test.vault.azure.net",
    method: "GET",
    path: "/secrets/aidbox-client",
    status: 200,
  });
  expect(JSON.stringify(azure.calls)).not.toMatch(/the value|of-the-app|eyJ/);
});
