import { KeyVaultClient } from "../../../../constructs/stores/azure-key-vault";
import {
  DisabledSecretError,
  findUnreadable,
  keepValue,
  PartialSecretsError,
  seed,
} from "../../../../constructs/stores/azure-key-vault/values";
import { clientId, clientSecret, tenantId } from "../../../azure/fixtures";
import { type KeyVault, roles } from "../../../azure/key-vault";
import { AzureStandIn } from "../../../azure/stand-in";
import { hurryTimers } from "../../../hurry-timers";

hurryTimers();

let azure: AzureStandIn;
let vault: KeyVault;
let client: KeyVaultClient;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId, tenantId, clientSecret });
  vault.grant(clientId, roles.secretsOfficer);
  const credential = { type: "password", tenantId, clientId, clientSecret } as const;
  client = new KeyVaultClient({ keyVault: "aidbox-test", credential, transport: { agent: azure.agent() } });
});
afterEach(() => azure.stop());

const tags = { "seeded-by": "aidbox-secrets/test" };
const purges = (): number => azure.calls.filter(({ method }) => method === "DELETE").length;

describe("seed", () => {
  const make = (...names: string[]) =>
    jest.fn(() => Promise.resolve(Object.fromEntries(names.map((name) => [name, `${name}-made`]))));

  test("makes a value once", async () => {
    const first = make("aidbox-client");
    expect(await seed(client, ["aidbox-client"], first, tags)).toEqual(["aidbox-client"]);
    expect(vault.current("aidbox-client")).toMatchObject({ value: "aidbox-client-made", versions: 1 });
    expect((await client.state("aidbox-client")).versions[0]?.tags).toMatchObject(tags);
    const second = make("aidbox-client");
    expect(await seed(client, ["aidbox-client"], second, tags)).toEqual([]);
    expect(second).not.toHaveBeenCalled();
    expect(vault.current("aidbox-client")?.versions).toBe(1);
  });

  test("recovers a softly deleted value, and purges nothing", async () => {
    vault.set("aidbox-client", "kept");
    vault.delete("aidbox-client");
    expect(await seed(client, ["aidbox-client"], make("aidbox-client"), tags)).toEqual([]);
    expect(vault.current("aidbox-client")).toMatchObject({ value: "kept", versions: 1 });
    expect(purges()).toBe(0);
  });

  test("waits while Key Vault is still at the delete, and recovers it then", async () => {
    vault.set("aidbox-client", "kept");
    vault.settleMilliseconds = 1500;
    vault.delete("aidbox-client");
    expect(await seed(client, ["aidbox-client"], make("aidbox-client"), tags)).toEqual([]);
    expect(vault.current("aidbox-client")).toMatchObject({ value: "kept", versions: 1 });
    expect(azure.calls.some(({ method, status }) => method === "PUT" && status === 409)).toBe(true);
  });

  test("writes nothing over a disabled secret", async () => {
    vault.set("aidbox-client", "kept");
    vault.enable("aidbox-client", false);
    await expect(seed(client, ["aidbox-client"], make("aidbox-client"), tags)).rejects.toThrow(DisabledSecretError);
    expect(vault.current("aidbox-client")?.versions).toBe(1);
  });

  test("leaves what somebody else wrote just now", async () => {
    azure.beforeAnswer = ({ method, path }) => {
      if (method === "GET" && path.startsWith("/deletedsecrets/")) vault.set("aidbox-client", "theirs");
    };
    expect(await seed(client, ["aidbox-client"], make("aidbox-client"), tags)).toEqual([]);
    expect(vault.current("aidbox-client")).toMatchObject({ value: "theirs", versions: 1 });
  });

  test("makes a keypair whole, and adds no half to what is there", async () => {
    const parts = ["aidbox-keys-private", "aidbox-keys-public"];
    vault.set("aidbox-keys-private", "of another pair");
    await expect(seed(client, parts, make(...parts), tags)).rejects.toThrow(PartialSecretsError);
    await expect(seed(client, parts, make(...parts), tags)).rejects.toThrow(
      "Key Vault has aidbox-keys-private and not aidbox-keys-public, which belong together",
    );
    expect(vault.current("aidbox-keys-public")).toBeUndefined();
    const others = ["aidbox-new-private", "aidbox-new-public"];
    expect(await seed(client, others, make(...others), tags)).toEqual(others);
  });
});

describe("keepValue", () => {
  test("writes a new version only where the value is another", async () => {
    await keepValue(client, "aidbox-license", "one", {});
    await keepValue(client, "aidbox-license", "one", {});
    expect(vault.current("aidbox-license")).toMatchObject({ value: "one", versions: 1 });
    await keepValue(client, "aidbox-license", "two", {});
    expect(vault.current("aidbox-license")).toMatchObject({ value: "two", versions: 2 });
  });

  test("recovers a softly deleted secret first", async () => {
    vault.set("aidbox-license", "one");
    vault.delete("aidbox-license");
    await keepValue(client, "aidbox-license", "two", {});
    expect(vault.current("aidbox-license")).toMatchObject({ value: "two", versions: 2 });
    expect(purges()).toBe(0);
  });

  test("writes nothing over a disabled secret", async () => {
    vault.set("aidbox-license", "one");
    vault.enable("aidbox-license", false);
    await expect(keepValue(client, "aidbox-license", "two", {})).rejects.toThrow(
      "aidbox-license is disabled in Key Vault",
    );
  });
});

test("what pods cannot read is told apart", async () => {
  for (const name of ["there", "deleted", "disabled"]) vault.set(name, "value");
  vault.delete("deleted");
  vault.enable("disabled", false);
  expect([...(await findUnreadable(client, ["there", "absent", "deleted", "disabled"]))]).toEqual([
    ["absent", "absent"],
    ["deleted", "deleted"],
    ["disabled", "disabled"],
  ]);
});
