import * as pulumi from "@pulumi/pulumi";
import { Chart, Testing } from "cdk8s";
import { Deployment } from "cdk8s-plus-28";
import {
  Aidbox,
  AidboxChart,
  AppSecrets,
  DevelopmentPostgres,
  InitBundleConfig,
  PostgresChart,
  Republisher,
  SecretProviderClass,
  VaultConfig,
} from "../../constructs/kubernetes";
import {
  AwsCsiProvider,
  AzureCsiProvider,
  CsiDriver,
  Vault,
  VaultAccess,
  VaultCsiProvider,
  VaultTls,
} from "../../constructs/platform";
import { SecretTable } from "../../constructs/secrets";
import { VaultStore } from "../../constructs/stores/vault";
import { Engine } from "../mocks";

const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox" });

/** What a construct says of props that no compiler has seen. */
function refusalOf(make: (props: never) => unknown, props: object): string {
  try {
    make(props as never);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return "nothing";
}

const chart = (): Chart => new Chart(Testing.app(), "apps", { namespace: "apps" });
const workload = (): Deployment => {
  const deployment = new Deployment(chart(), "web", { metadata: { name: "web" } });
  deployment.addContainer({ image: "nginx" });
  return deployment;
};

beforeEach(async () => {
  await Engine.start({ types: {} });
});

test.each<{ what: string; make: (props: never) => unknown; props: object; where: string; problems: string[] }>([
  {
    what: "a SecretProviderClass",
    make: (props) => new SecretProviderClass(chart(), "class", props),
    props: { tabel: table, store: {}, name: 5 },
    where: "apps/class",
    problems: [
      "tabel: there is no such prop: write one of name, table, store, syncedSecretName, syncedSecret",
      "name: 5: write a text",
      "table: is missing: give a SecretTable",
      "store: is an object: give a store, as new VaultStore(…)",
    ],
  },
  {
    what: "a VaultConfig",
    make: (props) => new VaultConfig(chart(), "config", props),
    props: { name: ["a"], table: { secrets: [] } },
    where: "apps/config",
    problems: ["name: is a list: write a text", "table: is an object: give a SecretTable"],
  },
  {
    what: "a Republisher",
    make: (props) => new Republisher(chart(), "republisher", props),
    props: { name: "web", podLabels: "app=web", intervalSeconds: "30" },
    where: "apps/republisher",
    problems: [
      "namespace: is missing: write a text",
      'podLabels: "app=web": write an object',
      'intervalSeconds: "30": write a whole number',
    ],
  },
  {
    what: "an AppSecrets",
    make: (props) => new AppSecrets(chart(), "secrets", props),
    props: { workload: workload(), table, republishEvery: 30 },
    where: "apps/secrets",
    problems: [
      "store: is missing: give a store, as new VaultStore(…)",
      "republishEvery: 30: write a Duration of cdk8s, as Duration.seconds(30)",
    ],
  },
  {
    what: "an AidboxChart",
    make: (props) => new AidboxChart(Testing.app(), "aidbox", props),
    props: { table, store, image: "aidbox" },
    where: "aidbox",
    problems: [
      "image: there is no such prop: write one of namespace, name, labels, disableResourceNameHashes, table, store, serviceAccount, syncedSecret, " +
        "aidbox, initBundle, republisher, rollSchedule",
      "namespace: is missing: write a text",
      "aidbox: is missing: write an object",
    ],
  },
  {
    what: "an Aidbox",
    make: (props) => new Aidbox(chart(), "aidbox", props),
    props: { replicas: "3", secrets: {}, vaultConfig: {} },
    where: "apps/aidbox",
    problems: [
      "image: is missing: write a text",
      'replicas: "3": write a whole number',
      "serviceAccount: is missing: write an object",
    ],
  },
  {
    what: "a VaultAccess",
    make: (props) => new VaultAccess("access", props),
    props: { table, login: "jwt", role: {}, keepsValues: "no" },
    where: "VaultAccess access",
    problems: [
      'login: "jwt": write an object',
      'keepsValues: "no": write true or false',
      "connection: is missing: write an object",
    ],
  },
  {
    what: "a VaultAccess whose table does not fit Vault",
    make: (props) => new VaultAccess("access", props),
    props: {
      table: new SecretTable({ secrets: [{ name: "client-secret", path: "data/client" }] }),
      login: {},
      role: {},
      connection: pulumi.output({}),
    },
    where: "VaultAccess access",
    problems: ['secrets[0].path: "data/client": leave out data/ and metadata/: they are added'],
  },
  {
    what: "a Vault",
    make: (props) => new Vault("vault", props),
    props: { namespace: "vault", server: { mode: "ha", replicas: 2, storage: { size: "1Gi" } } },
    where: "Vault vault",
    problems: ["server.tls: is missing: write an object", "server.replicas: 2: write 3 or 5"],
  },
  {
    what: "a DevelopmentPostgres",
    make: (props) => new DevelopmentPostgres(chart(), "postgres", props),
    props: { user: 5, table, from: "aidbox", storage: "1Gi", pvc: true },
    where: "apps/postgres",
    problems: [
      "pvc: there is no such prop: write one of name, image, database, user, table, store, from, storage, storageClass, resources",
      "user: 5: write a text",
      "store: is missing: give a store, as new VaultStore(…)",
      'from: "aidbox": write a list',
      'storage: "1Gi": write a Size of cdk8s, as Size.gibibytes(1)',
    ],
  },
  {
    what: "a DevelopmentPostgres with a name that is too long and a table without a password",
    make: (props) => new DevelopmentPostgres(chart(), "postgres", props),
    props: { name: "p".repeat(53), table, store, from: [] },
    where: "apps/postgres",
    problems: [
      `name: "${"p".repeat(53)}" has 53 characters: shorten it to 52`,
      "table: no row has environment: BOX_DB_PASSWORD: give the database's password that",
    ],
  },
  {
    what: "a PostgresChart",
    make: (props) => new PostgresChart(Testing.app(), "database", props),
    props: { name: "", table, republisher: true },
    where: "database",
    problems: [
      "table: there is no such prop: write one of namespace, name, labels, disableResourceNameHashes, postgres, republisher",
      "namespace: is missing: write a text",
      'name: "": write a text',
      "postgres: is missing: write an object",
      "republisher: true: write an object",
    ],
  },
  {
    what: "an InitBundleConfig",
    make: (props) => new InitBundleConfig(chart(), "bundle", props),
    props: { table: {}, resources: [{ resourceType: "Client", id: "basic" }, "Client/basic"], type: "collection" },
    where: "apps/bundle",
    problems: [
      "table: is an object: give a SecretTable",
      'resources: item 1: "Client/basic": write an object',
      'type: "collection": write transaction or batch',
    ],
  },
  {
    what: "a CsiDriver",
    make: (props) => new CsiDriver("driver", props),
    props: {
      tokenAudiences: "vault",
      chart: { name: "driver" },
      syncSecrets: "yes",
      rotationPollInterval: 1,
      version: "1.6.1",
    },
    where: "CsiDriver driver",
    problems: [
      "version: there is no such prop: write one of chart, releaseName, values, repair, namespace, tokenAudiences, syncSecrets, " +
        "rotationPollInterval, priorityClass, logFormat, labels, site",
      "chart: lacks a text: write { repository, name, version }, or { path } of a folder or archive",
      'tokenAudiences: "vault": write a list',
      'syncSecrets: "yes": write true or false',
      "rotationPollInterval: 1: write a text",
    ],
  },
  {
    what: "a VaultCsiProvider",
    make: (props) => new VaultCsiProvider("provider", props),
    props: { namespace: 5, chart: { path: "" }, releaseName: pulumi.output("vault") },
    where: "VaultCsiProvider provider",
    problems: [
      "chart: lacks a text: write { repository, name, version }, or { path } of a folder or archive",
      "releaseName: is an object: write a text",
      "address: is missing: give it",
      "namespace: 5: write a text",
    ],
  },
  {
    what: "an AzureCsiProvider",
    make: (props) => new AzureCsiProvider("provider", props),
    props: { site: "openshift" },
    where: "AzureCsiProvider provider",
    problems: ["namespace: is missing: write a text", 'site: "openshift": write an object'],
  },
  {
    what: "an AwsCsiProvider",
    make: (props) => new AwsCsiProvider("provider", props),
    props: { values: [] },
    where: "AwsCsiProvider provider",
    problems: ["values: is a list: write an object", "namespace: is missing: write a text"],
  },
  {
    what: "a VaultTls, whose keys are not shown",
    make: (props) => new VaultTls("tls", props),
    props: {
      releaseName: "vault",
      namespace: "vault",
      names: { dns: ["vault", 5], ip: "127.0.0.1" },
      source: { caCert: "PEM", caKey: "-----BEGIN PRIVATE KEY-----", trusted: "PEM", cert: "PEM" },
    },
    where: "VaultTls tls",
    problems: [
      "names.dns: item 1: 5: write a text",
      'names.ip: "127.0.0.1": write a list',
      "source.key: is missing: give it",
    ],
  },
  {
    what: "a VaultTls of cert-manager",
    make: (props) => new VaultTls("tls", props),
    props: {
      releaseName: "vault",
      namespace: "vault",
      names: { dns: [], ip: [] },
      source: { certManager: { name: "issuer", kind: "issuer" } },
    },
    where: "VaultTls tls",
    problems: [
      "source.trusted: is missing: give it",
      'source.certManager.kind: "issuer": write Issuer or ClusterIssuer',
    ],
  },
  {
    what: "a Vault of an unknown mode, whose token is not shown",
    make: (props) => new Vault("vault", props),
    props: { namespace: "vault", server: { mode: "prod" }, devRootToken: 5, repair: 7 },
    where: "Vault vault",
    problems: ["repair: 7: write a text"],
  },
])("$what says by its path all that is wrong with props without types", ({ make, props, where, problems }) => {
  const lines = problems.map((problem) => `  ${problem}`);
  expect(refusalOf(make, props)).toBe([`Error: The props of ${where} are not valid:`, ...lines].join("\n"));
});

test.each<{ props: object; problems: string[] }>([
  { props: {}, problems: ["secrets: is missing: write a list"] },
  {
    props: { secrets: [{ name: "one", pth: "aidbox/one" }, "two", { name: 3, path: "three", source: "vault" }] },
    problems: [
      "secrets[0].pth: there is no such prop: write one of name, path, key, file, scope, environment, source, keypair, maxAgeSeconds, mayBeEmpty, optional",
      "secrets[0].path: is missing: write a text",
      'secrets[1]: "two": write an object',
      "secrets[2].name: 3: write a text",
      'secrets[2].source: "vault": write managed or seeded or external or database',
    ],
  },
])("a table says all that is not of its kind", ({ props, problems }) => {
  const lines = problems.map((problem) => `  ${problem}`);
  expect(refusalOf((given) => new SecretTable(given), props)).toBe(
    ["Error: The table of secrets is not valid:", ...lines].join("\n"),
  );
});
