import { generateKeyPairSync } from "node:crypto";
import { SecretTable } from "../../../../constructs/secrets";
import type { KeyVaultIdentity } from "../../../../constructs/stores/azure-key-vault";
import { keyVaultParameters, mountedObjectId } from "../../../../constructs/stores/azure-key-vault/parameters";
import { CsiProvider, hasCsiProvider, type Mounted } from "../../../azure/csi-provider";
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

const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "keystore", path: "aidbox/keystore", file: "kafka/keystore.jks" },
    { name: "public-key", path: "aidbox/signing" },
  ],
});
const signingKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
const objects = { keystore: { encoding: "base64", permission: "0444" }, "public-key": { type: "key" } } as const;

/** What Azure's own CSI provider makes of the parameters; it is no part of an install, so not every machine has it. */
(hasCsiProvider ? describe : describe.skip)("Azure's CSI provider", () => {
  let azure: AzureStandIn;
  let vault: KeyVault;
  let provider: CsiProvider;
  let throttledBy: AzureStandIn;
  let paused: Promise<Mounted>;
  // The provider pauses for two seconds: the other tests run meanwhile.
  beforeAll(async () => {
    throttledBy = await AzureStandIn.start();
    fill(throttledBy);
    const busy = await CsiProvider.start(throttledBy, 18990);
    throttledBy.throttle(2, 1);
    paused = mount({ type: "workload", clientId }, {}, busy).finally(async () => {
      busy.stop();
      await throttledBy.stop();
    });
    paused.catch(() => undefined); // its test tells
  });
  beforeEach(async () => {
    azure = await AzureStandIn.start();
    vault = fill(azure);
    provider = await CsiProvider.start(azure);
  });
  afterEach(async () => {
    provider.stop();
    await azure.stop();
  });

  function fill(azure: AzureStandIn): KeyVault {
    const vault = azure.addVault("aidbox-test", tenantId);
    azure.addIdentity({ clientId, tenantId, clientSecret, onNode: true, federated: [{ issuer, subject }] });
    azure.addIdentity({ clientId: strangerId, tenantId, federated: [{ issuer, subject }] });
    azure.addIdentity({ clientId, tenantId: foreignTenantId, federated: [{ issuer, subject }] });
    vault.grant(clientId, [...roles.secretsUser, ...roles.cryptoUser]);
    vault.set("aidbox-client", "first");
    vault.set("aidbox-client", "second");
    vault.set("aidbox-keystore", Buffer.from("bytes").toString("base64"));
    vault.addKey("aidbox-signing", signingKey);
    return vault;
  }

  const mount = (
    identity: KeyVaultIdentity,
    change: Partial<{ tenantId: string }> = {},
    by: CsiProvider = provider,
  ): Promise<Mounted> =>
    by.mount(
      {
        ...keyVaultParameters({ keyVault: "aidbox-test", tenantId, identity, ...change }, table.secrets, objects),
        "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify({
          "api://AzureADTokenExchange": { token: serviceAccountToken() },
        }),
      },
      identity.type === "service-principal" ? { clientid: clientId, clientsecret: clientSecret } : {},
    );

  const identities: readonly KeyVaultIdentity[] = [
    { type: "workload", clientId },
    { type: "node" },
    { type: "node", clientId },
    { type: "service-principal", secretName: "azure-app" },
  ];

  test.each(identities)("mounts every object by $type", async (identity) => {
    const { files, objects: mounted } = await mount(identity);
    expect(files).toEqual([
      { path: "client-secret", mode: 0o644, content: "second" },
      { path: "kafka/keystore.jks", mode: 0o444, content: "bytes" },
      { path: "public-key", mode: 0o644, content: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----/) as string },
    ]);
    expect(mounted.map(({ id }) => id)).toEqual(
      table.secrets.map((secret) => mountedObjectId(secret, secret.name === "public-key" ? { type: "key" } : {})),
    );
    expect(mounted[0]?.version).toBe(vault.current("aidbox-client")?.version);
  });

  test("reads each object once", async () => {
    await mount({ type: "workload", clientId });
    const gets = azure.calls.filter(({ host, status }) => host.startsWith("aidbox-test") && status === 200);
    expect(gets.map(({ path }) => path)).toEqual([
      "/secrets/aidbox-client",
      "/secrets/aidbox-keystore",
      "/keys/aidbox-signing",
    ]);
    expect(azure.calls.filter(({ host }) => host === "login.microsoftonline.com")).toHaveLength(3);
  });

  test.each<[string, () => void, string]>([
    [
      "a secret is deleted",
      () => {
        vault.delete("aidbox-client");
      },
      "SecretNotFound",
    ],
    [
      "a secret is disabled",
      () => {
        vault.enable("aidbox-client", false);
      },
      "Operation get is not allowed on a disabled secret.",
    ],
    [
      "the identity has no role",
      () => {
        vault.revoke(clientId);
      },
      "ForbiddenByRbac",
    ],
  ])("mounts nothing where %s", async (_, plant, words) => {
    plant();
    await expect(mount({ type: "workload", clientId })).rejects.toThrow(words);
  });

  test("mounts nothing by another tenant", async () => {
    await expect(mount({ type: "workload", clientId }, { tenantId: foreignTenantId })).rejects.toThrow(
      "AKV10032: Invalid issuer.",
    );
  });

  test("tries again where Key Vault asks for a pause", async () => {
    expect((await paused).files).toHaveLength(3);
    expect(throttledBy.calls.filter(({ status }) => status === 429)).toHaveLength(2);
  });
});
