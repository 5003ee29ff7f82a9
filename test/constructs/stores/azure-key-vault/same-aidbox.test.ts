import { App, Duration } from "cdk8s";
import { AidboxChart, PostgresChart } from "../../../../constructs/kubernetes";
import { type SecretStore, SecretTable } from "../../../../constructs/secrets";
import { type KeyVaultIdentity, KeyVaultStore } from "../../../../constructs/stores/azure-key-vault";
import { VaultStore } from "../../../../constructs/stores/vault";
import { manifestOf, manifestsOf, podOf, yamlOf } from "../../kubernetes/fixtures";

const tenantId = "11111111-1111-1111-1111-111111111111";
const clientId = "22222222-2222-2222-2222-222222222222";

const table = new SecretTable({
  mountPath: "/run/files",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa", source: "seeded" },
  ],
});

const vault = new VaultStore({ address: "https://vault.vault:8200", role: "aidbox" });
const keyVault = (identity: KeyVaultIdentity = { type: "workload", clientId }): KeyVaultStore =>
  new KeyVaultStore({ keyVault: "aidbox-test", tenantId, identity });

function aidboxFrom(store: SecretStore, of = table): AidboxChart {
  return new AidboxChart(new App(), "aidbox", {
    namespace: "aidbox",
    table: of,
    store,
    aidbox: { image: "healthsamurai/aidboxone:2605", replicas: of.keypairs.length > 0 ? 3 : 1 },
    republisher: { interval: Duration.seconds(25) },
  });
}

/**
 * The YAML of all but the SecretProviderClass, in which the store's own words stand for each other, and the container that
 * waits for keypairs which a store reads in parts.
 */
function rest(store: SecretStore): string {
  const others = manifestsOf(aidboxFrom(store)).filter(({ kind }) => kind !== "SecretProviderClass");
  const withoutWait = (key: string, value: unknown): unknown =>
    key === "initContainers" ? (value as { name: string }[]).filter(({ name }) => name !== "wait-for-keypairs") : value;
  const ids = table.secrets.map((secret) => [store.objectId(secret), secret.name] as const);
  const text = ids.reduce((yaml, [id, name]) => yaml.replaceAll(id, name), JSON.stringify(others, withoutWait, 1));
  return text.replaceAll(`${store.provider}-secrets`, "store-secrets");
}

test("all of an Aidbox from Key Vault", () => {
  expect(yamlOf(aidboxFrom(keyVault()))).toMatchSnapshot();
});

test("the same table and the same Aidbox come from either store: another class, and nothing else", () => {
  expect(rest(keyVault())).toBe(rest(vault));
});

test("Aidbox waits for keypairs whose halves a store reads one after the other, and for those alone", () => {
  const waiting = (store: SecretStore, of = table) =>
    podOf(aidboxFrom(store, of), "aidbox").initContainers!.find(({ name }) => name === "wait-for-keypairs");
  expect(waiting(keyVault())).toMatchObject({
    image: "healthsamurai/aidboxone:2605",
    volumeMounts: [{ mountPath: "/run/files", name: "azure-secrets", readOnly: true }],
    securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true },
  });
  expect(waiting(keyVault())!.command!.slice(-2)).toEqual([
    "/run/files/auth-keys-private",
    "/run/files/auth-keys-public",
  ]);
  expect(waiting(vault)).toBeUndefined();
  const plain = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
  expect(waiting(keyVault(), plain)).toBeUndefined();
});

test("names are those of the vendor's tutorial", () => {
  const chart = aidboxFrom(keyVault());
  expect(manifestOf(chart, "SecretProviderClass").metadata.name).toBe("aidbox-azure-secrets");
  expect(podOf(chart, "aidbox").volumes).toContainEqual({
    name: "azure-secrets",
    csi: {
      driver: "secrets-store.csi.k8s.io",
      readOnly: true,
      volumeAttributes: { secretProviderClass: "aidbox-azure-secrets" },
    },
  });
});

test("the Republisher rolls by the ids by which Azure's provider names what it mounted", () => {
  const yaml = yamlOf(aidboxFrom(keyVault()));
  expect(yaml).toContain("secret/aidbox-admin");
  expect(yaml).toContain("secret/aidbox-auth-keys-private");
});

test("a service principal's Secret is named by each volume that is mounted by it, and by no other", () => {
  const store = keyVault({ type: "service-principal", secretName: "azure-app" });
  const volumes = podOf(aidboxFrom(store), "aidbox").volumes!;
  const named = volumes.filter(({ csi }) => csi?.nodePublishSecretRef !== undefined);
  expect(named.map(({ name, csi }) => [name, csi?.nodePublishSecretRef])).toEqual([
    ["azure-secrets", { name: "azure-app" }],
  ]);
  const passwords = new SecretTable({
    secrets: [{ name: "db-password", path: "aidbox/db", environment: "BOX_DB_PASSWORD", source: "seeded" }],
  });
  const postgres = new PostgresChart(new App(), "postgres", {
    namespace: "aidbox",
    postgres: { table: passwords, store, from: [] },
  });
  const pod = manifestOf(postgres, "StatefulSet").spec!.template.spec!;
  expect(pod.volumes?.find(({ csi }) => csi !== undefined)?.csi).toMatchObject({
    volumeAttributes: { secretProviderClass: "aidbox-postgres-azure-secrets" },
    nodePublishSecretRef: { name: "azure-app" },
  });
});

test("a table that Key Vault cannot hold is refused, with all that is wrong", () => {
  const wrong = new SecretTable({
    secrets: [
      { name: "one", path: "aidbox/client", key: "one" },
      { name: "two", path: "aidbox/client", key: "two" },
      { name: "db-password", path: "aidbox", source: "database" },
    ],
  });
  const make = (): unknown =>
    new AidboxChart(new App(), "aidbox", {
      namespace: "aidbox",
      table: wrong,
      store: keyVault(),
      aidbox: { image: "healthsamurai/aidboxone:2605" },
    });
  expect(make).toThrow(
    [
      "The props of aidbox are not valid:",
      '  secrets[1].path: "aidbox/client": is "aidbox-client" in Key Vault, as that of secrets[0] is: it holds one value at a name, ' +
        "without keys: give each row a path of its own",
      `  secrets[2].source: "database": is Vault's, and Key Vault has no database engine: write external, and have Key Vault's ` +
        "secret follow the database's password",
    ].join("\n"),
  );
});
