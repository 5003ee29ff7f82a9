import type { KeyVaultIdentity, KeyVaultObjects } from "../../../../../constructs/stores/azure-key-vault";
import { checkLinks, type LinkReport } from "../../../../../infra/operate/link";
import type { CurrentValues } from "../../../../../infra/operate/store-operator";
import { KeyVaultClients } from "../../../../../infra/operate/stores/azure-key-vault/clients";
import { keyVaultLinks } from "../../../../../infra/operate/stores/azure-key-vault/links";
import { keyVaultLogin } from "../../../../../infra/stack/stores/azure-key-vault/store";
import {
  clientId,
  clientSecret,
  foreignTenantId,
  issuer,
  serviceAccountToken,
  strangerId,
  subject,
  tenantId,
} from "../../../../azure/fixtures";
import { type KeyVault, roles } from "../../../../azure/key-vault";
import { AzureStandIn } from "../../../../azure/stand-in";
import { checkKeyVaultEnvironment } from "../../../key-vault-environment";
import { actAs } from "./operator-login";

let azure: AzureStandIn;
let vault: KeyVault;
let restore: () => void;
beforeEach(async () => {
  azure = await AzureStandIn.start();
  vault = azure.addVault("aidbox-test", tenantId);
  azure.addIdentity({ clientId, tenantId, federated: [{ issuer, subject }], clientSecret });
  azure.addIdentity({ clientId, tenantId: foreignTenantId, federated: [{ issuer, subject }] });
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  vault.grant(clientId, roles.secretsUser);
  vault.grant(strangerId, ["secrets/readMetadata"]);
  vault.set("aidbox-client", "the value");
  vault.set("aidbox-keystore", Buffer.from("bytes").toString("base64"));
  // The operator is one who may look, and may not read.
  restore = actAs(strangerId);
});
afterEach(async () => {
  restore();
  await azure.stop();
});

interface Changes {
  readonly identity?: KeyVaultIdentity;
  readonly tenantId?: string;
  readonly objects?: KeyVaultObjects;
  readonly claims?: Record<string, unknown>;
}

async function check(changes: Changes = {}): Promise<{ reports: readonly LinkReport[]; values: CurrentValues }> {
  const { identity = { type: "workload", clientId }, objects = { keystore: { encoding: "base64" } }, claims } = changes;
  const environment = checkKeyVaultEnvironment({
    secrets: [
      { name: "client-secret", path: "aidbox/client" },
      { name: "keystore", path: "aidbox/keystore" },
    ],
    azureKeyVault: { name: "aidbox-test", tenantId: changes.tenantId ?? tenantId, identity, objects },
  });
  const pod = {
    token: () => Promise.resolve(serviceAccountToken(claims)),
    secret: () => Promise.resolve({ clientid: clientId, clientsecret: clientSecret }),
  };
  const values: CurrentValues = new Map();
  const cluster = { name: "cluster", checks: "", needs: [], check: () => Promise.resolve("") };
  const clients = new KeyVaultClients(keyVaultLogin(environment), pod, { agent: azure.agent() });
  const reports = await checkLinks([cluster, ...keyVaultLinks(environment, clients, values)]);
  return { reports: reports.slice(1), values };
}

/** What is not in order, as `verify` tells it. */
function faults(reports: readonly LinkReport[]): Record<string, string> {
  return Object.fromEntries(
    reports.flatMap((report): [string, string][] => {
      if (report.state === "broken") return [[report.name, `${report.cause} → ${report.fix}`]];
      if (report.state === "not permitted") return [[report.name, `not permitted: ${report.right}`]];
      return [];
    }),
  );
}

test.each<KeyVaultIdentity>([
  { type: "workload", clientId },
  { type: "service-principal", secretName: "azure-app" },
])("all is in order by $type, and the values are those of the files", async (identity) => {
  const { reports, values } = await check({ identity });
  expect(faults(reports)).toEqual({});
  expect(reports.map(({ name, state }) => `${name}: ${state}`)).toEqual([
    "key vault: ok",
    "secret client-secret: ok",
    "secret keystore: ok",
    "access: ok",
  ]);
  expect([...values]).toEqual([
    ["client-secret", "the value"],
    ["keystore", Buffer.from("bytes")],
  ]);
  expect(JSON.stringify(reports)).not.toContain("the value");
});

test("the node's identity cannot be tried from elsewhere, and that is said; who may read has the values all the same", async () => {
  const { reports, values } = await check({ identity: { type: "node", clientId } });
  expect(values.size).toBe(0);
  vault.grant(strangerId, roles.secretsUser);
  expect((await check({ identity: { type: "node", clientId } })).values.get("client-secret")).toBe("the value");
  expect(faults(reports)).toEqual({
    access: "not permitted: the identity of Aidbox's node, which only a pod of that node has",
  });
});

const version = "0123456789abcdef0123456789abcdef";

test.each<[string, () => void, Changes, Record<string, RegExp>]>([
  [
    "a secret is deleted",
    () => {
      vault.delete("aidbox-client");
    },
    {},
    {
      "secret client-secret":
        /^aidbox-client is deleted, and can be recovered → az keyvault secret recover --vault-name aidbox-test --name aidbox-client$/,
    },
  ],
  [
    "a secret is disabled",
    () => {
      vault.enable("aidbox-client", false);
    },
    {},
    { "secret client-secret": /^aidbox-client is disabled → az keyvault secret set-attributes .* --enabled true$/ },
  ],
  [
    "a pinned version is not there",
    () => undefined,
    { objects: { "client-secret": { version } } },
    {
      "secret client-secret": new RegExp(
        `^version ${version} of aidbox-client is not in key vault aidbox-test → npm run write -- client-secret --env azure$`,
      ),
    },
  ],
  [
    "the pods' identity has no role",
    () => {
      vault.revoke(clientId);
    },
    {},
    {
      access:
        /^Key Vault refuses aidbox-client, aidbox-keystore to the identity of Aidbox's pods \(403\): it has no role there → az role assignment create --role 'Key Vault Secrets User' --assignee 2222/,
    },
  ],
  [
    "the tenant is another",
    () => undefined,
    { tenantId: foreignTenantId },
    { access: /^Entra ID gives no token: .* tenant .* → compare the tenant with `az keyvault show / },
  ],
  [
    "the identity trusts another ServiceAccount",
    () => undefined,
    { claims: { sub: "system:serviceaccount:default:default" } },
    { access: /AADSTS700213.* --subject system:serviceaccount:aidbox:aidbox / },
  ],
  [
    "the operator may not look",
    () => {
      vault.revoke(strangerId);
    },
    {},
    {
      "key vault": /^not permitted: Key Vault answered GET secrets\/aidbox-client\/versions with 403 Forbidden$/,
      // A role may be one for a single secret.
      "secret client-secret": /^not permitted: .* 403 Forbidden$/,
      "secret keystore": /^not permitted: .* 403 Forbidden$/,
    },
  ],
])("what is at fault is told where %s", async (_, plant, changes, expected) => {
  plant();
  const found = faults((await check(changes)).reports);
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, words] of Object.entries(expected)) expect(found[name]).toMatch(words);
});
