import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";

const hidden = "hunter2-hunter2";

function problemsOf(change: object): string[] {
  const config = {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
    ...change,
  };
  try {
    checkEnvironment("dev", config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain("hunter2"); // what is refused is not shown either
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
  return [];
}

const image = "healthsamurai/aidboxone:2605";
const row = (name: string, variable: string): string =>
  "would be in plain text: leave it out, and give it a row of secrets, as " +
  `{ name: ${name}, path: aidbox/${name}, environment: ${variable} }`;

const inKeypair =
  "is a part of a keypair, which is secret and changes as one: leave it out, and add the row " +
  "{ name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }";

/** Those that the vendor calls sensitive. */
const sensitive = [
  "BOX_DB_PASSWORD",
  "BOX_DB_RO_REPLICA_PASSWORD",
  "BOX_DB_DATABRICKS_CLIENT_ID",
  "BOX_DB_DATABRICKS_CLIENT_SECRET",
  "BOX_DB_RO_REPLICA_DATABRICKS_CLIENT_ID",
  "BOX_DB_RO_REPLICA_DATABRICKS_CLIENT_SECRET",
  "BOX_SECURITY_AUTH_KEYS_PRIVATE",
  "BOX_SECURITY_AUTH_KEYS_SECRET",
  "BOX_SECURITY_ENCRYPT_SECRET",
  "BOX_MODULE_PROVIDER_DEFAULT_PASSWORD",
  "BOX_MODULE_PROVIDER_MAILGUN_PASSWORD",
  "BOX_MODULE_PROVIDER_SMTP_PASSWORD",
  "BOX_MODULE_SDC_OPENAI_API_KEY",
  "BOX_SDC_GEMINI_API_KEY",
  "BOX_MODULE_SUBSCRIPTIONS_PUBSUB_SERVICE_ACCOUNT_PRIVATE_KEY",
  "BOX_MODULE_WEBPUSH_PRIVATE_KEY",
  "BOX_OBSERVABILITY_DATADOG_API_KEY",
  "BOX_OBSERVABILITY_ELASTICSEARCH_AUTH",
  "BOX_MODULE_SMARTBOX_SANDBOX_BASIC",
  "BOX_ZEN_PROJECT_GIT_ACCESS_TOKEN",
  "BOX_ADMIN_PASSWORD",
  "BOX_ROOT_CLIENT_SECRET",
  "BOX_LICENSE",
];

describe("aidbox.environment", () => {
  it.each(sensitive)("takes no %s", (variable) => {
    const name = variable.replace("BOX_", "").toLowerCase().replaceAll("_", "-");
    const message = variable.startsWith("BOX_SECURITY_AUTH_KEYS_") ? inKeypair : row(name, variable);
    expect(problemsOf({ aidbox: { image, environment: { [variable]: hidden } } })).toEqual([
      `aidbox.environment.${variable}: ${message}`,
    ]);
  });

  it("takes none for a tenant either, whose own is told apart", () => {
    const tenants = [
      {
        name: "north",
        secrets: [{ name: "client-secret", path: "north/client" }],
        aidbox: { environment: { BOX_LICENSE: hidden } },
      },
    ];
    expect(problemsOf({ tenants })).toEqual([
      `tenants[0].aidbox.environment.BOX_LICENSE: ${row("license", "BOX_LICENSE").replace("aidbox/", "north/")}`,
    ]);
  });

  it("takes no secret by another name that its form gives away", () => {
    const environment = { REDIS: `redis://box:${hidden}@redis:6379`, BOX_FHIR_COMPLIANT_MODE: "true" };
    expect(problemsOf({ aidbox: { image, environment } })).toEqual([
      `aidbox.environment.REDIS: ${row("redis", "REDIS")}`,
    ]);
  });

  it("shows none in another error", () => {
    expect(problemsOf({ aidbox: { image, environment: { BOX_DB_PASSWORD: { value: hidden } } } })).toEqual([
      "aidbox.environment.BOX_DB_PASSWORD: (not shown): write text",
    ]);
    expect(problemsOf({ aidbox: { image, environment: `redis://box:${hidden}@redis` } })).toEqual([
      expect.stringMatching(/^aidbox\.environment: \(not shown\): write an object with keys/),
    ]);
  });
});

describe("the charts' values", () => {
  const inSecret = "put it into a Kubernetes Secret and name that, as by server.extraSecretEnvironmentVars";
  const plain = "would be in plain text in the Helm release";
  const vault = (values: object) => ({ vault: { mode: "dev", values } });

  it.each<{ what: string; change: object; key: string; fix?: string }>([
    {
      what: "a root token",
      change: vault({ server: { dev: { devRootToken: hidden } } }),
      key: "vault.values.server.dev.devRootToken",
      fix: "leave it out, the stack makes one at random",
    },
    {
      what: "a variable of a server",
      change: vault({ server: { extraEnvironmentVars: { AWS_SECRET_ACCESS_KEY: hidden } } }),
      key: "vault.values.server.extraEnvironmentVars.AWS_SECRET_ACCESS_KEY",
    },
    {
      what: "a pair of name and value",
      change: { csiDriver: { values: { linux: { driver: { env: [{ name: "API_TOKEN", value: hidden }] } } } } },
      key: "csiDriver.values.linux.driver.env[0].value",
    },
    {
      what: "a seal's token in the server's own config",
      change: vault({ server: { standalone: { config: `seal "transit" {\n  token = "${hidden}"\n}` } } }),
      key: "vault.values.server.standalone.config",
    },
    {
      what: "an argument",
      change: vault({ server: { extraArgs: `-dev-root-token-id=${hidden}` } }),
      key: "vault.values.server.extraArgs",
    },
  ])("take no $what", ({ change, key, fix = inSecret }) => {
    expect(problemsOf(change)).toEqual([`${key}: ${plain}: ${fix}`]);
  });

  it("take the names of Secrets, and of their keys", () => {
    const server = {
      extraSecretEnvironmentVars: [{ envName: "AWS_SECRET_ACCESS_KEY", secretName: "aws", secretKey: "secret-key" }],
      enterpriseLicense: { secretName: "license", secretKey: "license" },
      standalone: { config: 'seal "transit" {\n  token = "${VAULT_SEAL_TOKEN}"\n}' },
    };
    expect(problemsOf(vault({ server, global: { imagePullSecrets: [{ name: "registry" }] } }))).toEqual([]);
    expect(
      problemsOf({ csiDriver: { values: { tokenRequests: [{ audience: "other" }, { audience: "vault" }] } } }),
    ).toEqual([]);
  });
});

it("a key or a token is refused wherever it stands, once", () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${hidden}\n-----END PRIVATE KEY-----`;
  const refused = "has a secret in plain text: leave it out; what Aidbox needs belongs into secrets";
  expect(problemsOf({ aidbox: { image, podAnnotations: { note: key } } })).toEqual([
    `aidbox.podAnnotations.note: ${refused}`,
  ]);
});
