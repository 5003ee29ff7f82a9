import { KeyVaultClient } from "../../../../../constructs/stores/azure-key-vault";
import { MissingSecretsError, SecretsOfKeyVault } from "../../../../../infra/stack/stores/azure-key-vault/secrets";
import { clientId, clientSecret, strangerId, tenantId } from "../../../../azure/fixtures";
import { type KeyVault, roles } from "../../../../azure/key-vault";
import { AzureStandIn } from "../../../../azure/stand-in";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf } from "../../../../mocks";
import { checkKeyVaultEnvironment } from "../../../key-vault-environment";

hurryTimers();

const environment = checkKeyVaultEnvironment({
  secrets: [
    { name: "client-secret", path: "aidbox/client", source: "seeded" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
    { name: "smtp", path: "aidbox/smtp", source: "managed" },
    { name: "license", path: "aidbox/license" },
    { name: "idp", path: "aidbox/idp", keypair: "certificate", scope: { resourceType: "IdentityProvider" } },
    { name: "tls", path: "aidbox/tls" },
  ],
  azureKeyVault: {
    name: "aidbox-test",
    tenantId,
    identity: { type: "workload", clientId },
    objects: { tls: { type: "key" } },
  },
});

let azure: AzureStandIn;
let vault: KeyVault;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  vault.grant(strangerId, roles.secretsOfficer);
  for (const name of ["license", "idp-private", "idp-certificate"])
    vault.set(`aidbox-${name}`, "an operator's hunter2");
});
afterEach(() => azure.stop());

function provide(smtp = "the config's hunter2"): Promise<void> {
  const credential = { type: "password", tenantId, clientId: strangerId, clientSecret } as const;
  const client = new KeyVaultClient({ keyVault: "aidbox-test", credential, transport: { agent: azure.agent() } });
  return new SecretsOfKeyVault(environment, client).provide({ smtp });
}

/** What it stops with; no value is in it. */
async function refusal(): Promise<string> {
  const error = await errorOf(provide());
  expect(error).toBeInstanceOf(MissingSecretsError);
  expect(error.message).not.toContain("hunter2");
  return error.message;
}

const writes = (): string[] => azure.calls.filter(({ method }) => method === "PUT").map(({ path }) => path);

test("makes what is seeded, writes what is managed, and leaves what an operator writes alone", async () => {
  await provide();
  expect(vault.current("aidbox-client")!.value).toMatch(/^[\w-]{32}$/);
  expect(vault.current("aidbox-auth-keys-private")!.value).toContain("PRIVATE KEY");
  expect(vault.current("aidbox-smtp")!.value).toBe("the config's hunter2");
  expect(vault.current("aidbox-license")).toMatchObject({ value: "an operator's hunter2", versions: 1 });
});

test("writes nothing a second time, and a managed value anew where it is another", async () => {
  await provide();
  const before = writes().length;
  await provide();
  expect(writes()).toHaveLength(before);
  await provide("another hunter2");
  expect(vault.current("aidbox-smtp")).toMatchObject({ value: "another hunter2", versions: 2 });
  expect(writes()).toHaveLength(before + 1);
});

test("recovers what somebody deleted, with the value that it had, and purges nothing", async () => {
  await provide();
  const { value } = vault.current("aidbox-client")!;
  vault.delete("aidbox-client");
  await provide();
  expect(vault.current("aidbox-client")!.value).toBe(value);
  expect(azure.calls.filter(({ method }) => method === "DELETE")).toEqual([]);
});

test("names all at once that an operator has to bring, each with its command; a key is not looked for", async () => {
  vault.delete("aidbox-license");
  vault.delete("aidbox-idp-private");
  azure.addIdentity({ clientId, tenantId, clientSecret });
  vault.enable("aidbox-idp-certificate", false);
  expect(await refusal()).toBe(
    [
      "Pods could not read these secrets of key vault aidbox-test:",
      "  license: aidbox-license is deleted, and can be recovered: `az keyvault secret recover --vault-name aidbox-test --name aidbox-license`",
      "  idp-private: aidbox-idp-private is deleted, and can be recovered: `az keyvault secret recover --vault-name aidbox-test --name aidbox-idp-private`",
      "  idp-certificate: aidbox-idp-certificate is disabled: `az keyvault secret set-attributes --vault-name aidbox-test --name aidbox-idp-certificate --enabled true`",
      "Then run `npm run up -- --env azure` again.",
    ].join("\n"),
  );
});

test("offers write for what was never there, and Azure's own command for a half of a pair", async () => {
  vault = azure.addVault("aidbox-test", tenantId);
  vault.grant(strangerId, roles.secretsOfficer);
  const said = await refusal();
  expect(said).toContain("  license: aidbox-license is not there: `npm run write -- license --env azure`\n");
  expect(said).toContain(
    "  idp-private: aidbox-idp-private is not there: `az keyvault secret set --vault-name aidbox-test --name aidbox-idp-private " +
      "--file FILE` with its value in FILE\n",
  );
});

test.each([
  ["seeded", "aidbox-client", "client-secret"],
  ["managed", "aidbox-smtp", "smtp"],
])("writes nothing over a %s secret that somebody disabled, and says how to enable it", async (_, name, secret) => {
  await provide();
  vault.enable(name, false);
  const before = vault.current(name)!.versions;
  expect(await refusal()).toContain(
    `  ${secret}: ${name} is disabled: \`az keyvault secret set-attributes --vault-name aidbox-test --name ${name} --enabled true\`\n`,
  );
  expect(vault.current(name)!.versions).toBe(before);
});

test("makes no second pair where one half is there, and says what is missing", async () => {
  vault.set("aidbox-auth-keys-private", "an old hunter2");
  const said = await refusal();
  expect(said).toContain("auth-keys-public: aidbox-auth-keys-public is not there, and the rest of its pair is: ");
  expect(said).not.toContain("auth-keys-private:");
  expect(vault.current("aidbox-auth-keys-private")).toMatchObject({ value: "an old hunter2", versions: 1 });
  expect(vault.current("aidbox-auth-keys-public")).toBeUndefined();
});
