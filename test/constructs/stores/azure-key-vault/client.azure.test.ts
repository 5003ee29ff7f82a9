import { VersionConflictError } from "../../../../constructs/secrets";
import {
  AzureLoginError,
  KeyVaultClient,
  type KeyVaultCredential,
  KeyVaultError,
} from "../../../../constructs/stores/azure-key-vault";
import {
  clientId,
  clientSecret,
  foreignTenantId,
  issuer,
  serviceAccountToken,
  strangerId,
  subject,
  tenantId,
} from "../../../azure/fixtures";
import { type KeyVault, roles } from "../../../azure/key-vault";
import { AzureStandIn } from "../../../azure/stand-in";
import { hurryTimers } from "../../../hurry-timers";

hurryTimers();

let azure: AzureStandIn;
let vault: KeyVault;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId, tenantId, clientSecret, federated: [{ issuer, subject }] });
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  azure.addIdentity({ clientId, tenantId: foreignTenantId, clientSecret });
  vault.grant(clientId, roles.secretsOfficer);
});
afterEach(() => azure.stop());

function connect(credential: KeyVaultCredential, keyVault = "aidbox-test"): KeyVaultClient {
  return new KeyVaultClient({ keyVault, credential, transport: { agent: azure.agent() } });
}

const password: KeyVaultCredential = { type: "password", tenantId, clientId, clientSecret };

describe("reads", () => {
  test("the newest version by a password", async () => {
    vault.set("aidbox-client", "first");
    const version = vault.set("aidbox-client", "second");
    expect(await connect(password).read("aidbox-client")).toEqual({ value: "second", version });
  });

  test("a former version", async () => {
    const version = vault.set("aidbox-client", "first");
    vault.set("aidbox-client", "second");
    expect(await connect(password).read("aidbox-client", version)).toEqual({ value: "first", version });
  });

  test("as the pod, by the token of its ServiceAccount", async () => {
    vault.set("aidbox-client", "mounted");
    const pod = connect({
      type: "assertion",
      tenantId,
      clientId,
      assertion: () => Promise.resolve(serviceAccountToken()),
    });
    expect((await pod.read("aidbox-client"))?.value).toBe("mounted");
    expect(azure.calls.map(({ host, status }) => `${host} ${status}`)).toContain("aidbox-test.vault.azure.net 401");
  });

  test("nothing where there is no such secret", async () => {
    expect(await connect(password).read("aidbox-client")).toBeUndefined();
    expect(await connect(password).state("aidbox-client")).toEqual({
      versions: [],
      isDeleted: false,
      isNewestKnown: true,
    });
  });

  test("after Key Vault refused it for a second", async () => {
    vault.set("aidbox-client", "value");
    azure.throttle(2, 1);
    const start = Date.now();
    expect((await connect(password).read("aidbox-client"))?.value).toBe("value");
    expect(Date.now() - start).toBeGreaterThan(1900);
    expect(azure.calls.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test("which of two versions of one second is the newest, where it may read values", async () => {
    for (const value of ["first", "second", "third"]) vault.set("aidbox-client", value);
    const newest = vault.current("aidbox-client")?.version;
    const reader = await connect(password).state("aidbox-client");
    expect([reader.versions[0]?.version, reader.isNewestKnown]).toEqual([newest, true]);
    vault.enable("aidbox-client", false);
    expect((await connect(password).state("aidbox-client")).versions[0]).toMatchObject({
      version: newest,
      enabled: false,
    });
    vault.grant(strangerId, ["secrets/readMetadata"]);
    expect((await connect({ ...password, clientId: strangerId }).state("aidbox-client")).isNewestKnown).toBe(false);
  });

  test("more versions than one page has", async () => {
    for (let each = 0; each < 60; each++) vault.set("aidbox-client", String(each));
    const { versions } = await connect(password).state("aidbox-client");
    expect(versions).toHaveLength(60);
    expect(versions[0]?.version).toBe(vault.current("aidbox-client")?.version);
  });
});

describe("refuses", () => {
  async function refusal(action: Promise<unknown>): Promise<Error> {
    const error = await action.then(
      () => new Error("nothing was refused"),
      (thrown: unknown) => thrown as Error,
    );
    expect(JSON.stringify(error) + String(error.stack)).not.toMatch(/Bearer |of-the-app|the value/);
    return error;
  }

  test("an identity without a role", async () => {
    vault.set("aidbox-client", "the value");
    const error = await refusal(connect({ ...password, clientId: strangerId }).read("aidbox-client"));
    expect(error).toBeInstanceOf(KeyVaultError);
    expect(error.message).toBe(
      "Key Vault answered GET secrets/aidbox-client with 403 ForbiddenByRbac: Caller is not authorized to perform action on " +
        `resource. Caller: appid=${strangerId}; Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'; Vault: aidbox-test`,
    );
  });

  test("a disabled secret", async () => {
    vault.set("aidbox-client", "the value");
    vault.enable("aidbox-client", false);
    const error = await refusal(connect(password).read("aidbox-client"));
    expect(error.message).toBe(
      "Key Vault answered GET secrets/aidbox-client with 403 SecretDisabled: Operation get is not allowed on a disabled secret.",
    );
    expect((await connect(password).state("aidbox-client")).versions[0]?.enabled).toBe(false);
  });

  test("an identity of another tenant", async () => {
    vault.set("aidbox-client", "the value");
    const error = await refusal(connect({ ...password, tenantId: foreignTenantId }).read("aidbox-client"));
    expect(error).toBeInstanceOf(AzureLoginError);
    expect(error.message).toContain(`is not configured to acquire tokens for tenant ${tenantId}`);
  });

  test.each([
    ["an unknown client", { clientId: "55555555-5555-5555-5555-555555555555" }, "AADSTS700016"],
    ["a wrong password", { clientSecret: "guessed" }, "AADSTS7000215"],
  ])("%s", async (_, change, code) => {
    const error = await refusal(connect({ ...password, ...change }).read("aidbox-client"));
    expect(error).toBeInstanceOf(AzureLoginError);
    expect(error.message).toContain(code);
  });

  test.each([
    ["a token of another ServiceAccount", { sub: "system:serviceaccount:default:default" }, "AADSTS700213"],
    ["a token of another issuer", { iss: "https://other.example.com" }, "AADSTS700213"],
    ["a token for another audience", { aud: ["vault"] }, "AADSTS700213"],
    ["a token that has ended", { exp: 1 }, "AADSTS700024"],
  ])("%s", async (_, claims, code) => {
    const assertion = (): Promise<string> => Promise.resolve(serviceAccountToken(claims));
    const error = await refusal(connect({ type: "assertion", tenantId, clientId, assertion }).read("aidbox-client"));
    expect(error).toBeInstanceOf(AzureLoginError);
    expect(error.message).toContain(code);
  });

  test("a key vault that is not there", async () => {
    const error = await refusal(connect(password, "elsewhere").read("aidbox-client"));
    expect(error.message).toContain("Key Vault cannot be reached for GET secrets/aidbox-client");
  });
});

describe("writes", () => {
  test("a first version, with tags", async () => {
    const written = await connect(password).write("aidbox-client", "first", [], { "seeded-by": "aidbox/dev" });
    expect(written).toEqual({ version: vault.current("aidbox-client")?.version, others: [] });
    const { versions } = await connect(password).state("aidbox-client");
    expect(versions[0]?.tags).toMatchObject({ "seeded-by": "aidbox/dev" });
  });

  test("a further version", async () => {
    const first = vault.set("aidbox-client", "first");
    const written = await connect(password).write("aidbox-client", "second", [first]);
    expect(written.others).toEqual([]);
    expect(vault.current("aidbox-client")).toMatchObject({ value: "second", version: written.version });
  });

  test("nothing where somebody else has written since", async () => {
    const first = vault.set("aidbox-client", "first");
    const second = vault.set("aidbox-client", "second");
    const write = connect(password).write("aidbox-client", "third", [first]);
    await expect(write).rejects.toThrow(VersionConflictError);
    await expect(write).rejects.toThrow(
      `aidbox-client has version ${second} by now: somebody else wrote it. Nothing was written`,
    );
    expect(vault.current("aidbox-client")?.value).toBe("second");
  });

  test("and names a version that somebody else wrote at the same time", async () => {
    const first = vault.set("aidbox-client", "first");
    let theirs = "";
    azure.beforeAnswer = ({ method }) => {
      if (method === "PUT") theirs = vault.set("aidbox-client", "theirs");
    };
    const written = await connect(password).write("aidbox-client", "ours", [first]);
    expect(written.others).toEqual([theirs]);
  });

  test("one version, where the answer is lost", async () => {
    azure.loseAnswers = ({ method }) => method === "PUT";
    const writing = connect(password).write("aidbox-client", "ours", []);
    const { version } = await writing;
    expect(vault.current("aidbox-client")?.value).toBe("ours");
    expect((await connect(password).state("aidbox-client")).versions.map((each) => each.version)).toContain(version);
  }, 90_000);

  test("nothing over a softly deleted secret, which can be recovered", async () => {
    vault.set("aidbox-client", "kept");
    vault.delete("aidbox-client");
    const client = connect(password);
    expect(await client.state("aidbox-client")).toEqual({ versions: [], isDeleted: true, isNewestKnown: true });
    await expect(client.write("aidbox-client", "new", [])).rejects.toMatchObject({
      status: 409,
      reason: "ObjectIsDeletedButRecoverable",
    });
    vault.settleMilliseconds = 700;
    await client.recover("aidbox-client");
    expect((await client.read("aidbox-client"))?.value).toBe("kept");
    await expect(client.recover("elsewhere")).rejects.toMatchObject({ status: 404 });
  });
});
