import { SecretTable } from "../../../../constructs/secrets";
import { KeyVaultStore, type KeyVaultStoreProps } from "../../../../constructs/stores/azure-key-vault";
import { keyVaultParameters } from "../../../../constructs/stores/azure-key-vault/parameters";

const tenantId = "11111111-1111-1111-1111-111111111111";
const clientId = "22222222-2222-2222-2222-222222222222";
const required: KeyVaultStoreProps = { keyVault: "aidbox-test", tenantId, identity: { type: "workload", clientId } };
const every: Required<KeyVaultStoreProps> = {
  ...required,
  identity: { type: "service-principal", secretName: "azure-app" },
  cloud: "us-government",
  objects: { tls: { type: "certificate", permission: "0444" } },
};
const rows = [
  { name: "client-secret", path: "aidbox/client" },
  { name: "tls", path: "aidbox/tls" },
];
const table = new SecretTable({ secrets: rows });

test.each([
  ["with only the required props", required],
  ["with every prop", every],
])("the parameters %s", (_, props) => {
  expect(new KeyVaultStore(props).parameters(table)).toMatchSnapshot();
  expect(new KeyVaultStore(props).parameters(table)).toEqual(keyVaultParameters(props, table.secrets, props.objects));
});

test("workload identity needs nothing of the pod but its token", () => {
  const { identity, tokenAudiences } = new KeyVaultStore(required);
  expect(identity).toEqual({});
  expect(tokenAudiences).toEqual(["api://AzureADTokenExchange"]);
});

test("a service principal's Secret is named by the volume", () => {
  const { identity, tokenAudiences } = new KeyVaultStore(every);
  expect(identity).toEqual({ nodePublishSecretName: "azure-app" });
  expect(tokenAudiences).toEqual([]);
});

test("a secret is named as an operator finds it, and as a mount's status does", () => {
  const store = new KeyVaultStore(every);
  const [clientSecret, tls] = table.secrets;
  expect(store.locate(clientSecret!)).toBe("key vault aidbox-test, secret aidbox-client");
  expect(store.locate(tls!)).toBe("key vault aidbox-test, certificate aidbox-tls");
  expect(store.objectId(tls!)).toBe("cert/aidbox-tls");
});

test("what is wrong with rows and with objects comes together", () => {
  const wrong = [...rows, { name: "other", path: "aidbox/client" }];
  const problems = new KeyVaultStore({ ...required, objects: { license: {} } }).validate(wrong);
  expect(problems.map(({ key }) => key)).toEqual(["secrets[2].path", "objects.license"]);
  expect(new KeyVaultStore(every).validate(rows)).toEqual([]);
});
