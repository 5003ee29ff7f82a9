import { ConfigError } from "../../../infra/config/config-error";
import { databaseConnection, postgresName, postgresRole } from "../../../infra/config/database";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import { checkVaultEnvironment } from "../vault-environment";

type Config = Record<string, unknown>;

const clientSecret = { name: "client-secret", path: "aidbox/client" };
const password = { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" };
const image = "healthsamurai/aidboxone:2605";
const dev: Config = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [clientSecret, password],
  vault: { mode: "dev" },
  aidbox: { image },
};
const development = { mode: "development" };
const external = { mode: "external", host: "postgres.example.com", tls: { mode: "require" } };
const login = { method: "kubernetes" };
const externalVault = { mode: "external", address: "https://vault.example.com", login };
const digest = `sha256:${"0a".repeat(32)}`;

function check(change: Config): VaultEnvironment {
  return checkVaultEnvironment("dev", { ...dev, ...change });
}

function errorOf(change: Config): string {
  try {
    check(change);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the config was taken for a valid one");
}

function messageOf(...problems: string[]): string {
  return [
    'The config of environment "dev" (Pulumi.dev.yaml) is not valid:',
    ...problems.map((problem) => `  aidbox-secrets:${problem}`),
  ].join("\n");
}

const fixes = {
  key: "is not a key that this stack knows: look it up in docs/config.md, or remove it",
  mode: "write mode: external (a PostgreSQL that is there already) or development (one in this cluster)",
  development:
    '"development": has neither replica nor backup and is for development: set development: true, or use mode: external',
  row:
    "no row has environment: BOX_DB_PASSWORD, which the database needs: add one, as " +
    "{ name: database-password, path: aidbox/database, environment: BOX_DB_PASSWORD }",
  host: "write a host name or an address alone, as postgres.example.com or [fd00::1]",
  port: "write a port from 1 to 65535",
  database: "write the database's name: up to 63 letters, digits, '_', '.', '@' and '-'",
  user: "write the user's name: up to 63 letters, digits, '_', '.', '@' and '-'",
  tls: "write { mode: verify-full, caConfigMap }, or mode: verify-ca, require or disable",
  tlsMode: "write verify-full, verify-ca, require or disable",
  ca: "checks the server's certificate: write the ConfigMap with its CA",
  noCa: "checks no certificate: leave it out, or use mode: verify-full",
  configMap: "write a ConfigMap's name: lower-case letters, digits, dots and dashes",
  image: "pin the image on Debian, 17 or later, with a tag, as docker.io/library/postgres:17.9, or with a digest",
  size: "write a size of 1Mi or more, as 2Gi",
  set: "is set by database: leave it out",
  staticRole:
    '"database": the PostgreSQL of database.mode development takes its password from KV v2: ' +
    "write seeded, or use database.mode: external",
};

describe("a valid database", () => {
  it("is none by default", () => {
    const environment = check({ secrets: [clientSecret] });
    expect(environment).not.toHaveProperty("database");
    expect(databaseConnection(environment)).toBeUndefined();
  });

  it("for development takes every default", () => {
    expect(check({ database: development }).database).toStrictEqual<VaultEnvironment["database"]>({
      mode: "development",
      name: "aidbox",
      user: "aidbox",
      image: "docker.io/library/postgres:17.9",
      storage: { size: "1Gi" },
      allowFrom: [],
    });
  });

  it("that is there already takes port and names by default, and no TLS", () => {
    expect(check({ database: external }).database).toStrictEqual<VaultEnvironment["database"]>({
      mode: "external",
      host: "postgres.example.com",
      port: 5432,
      name: "aidbox",
      user: "aidbox",
      tls: { mode: "require" },
    });
  });

  it.each<Config>([
    {
      mode: "development",
      name: "fhir",
      user: "fhir",
      image: "registry.example.com:5000/postgres:17.9-trixie",
      storage: { size: "20Gi", storageClass: "fast" },
      allowFrom: [{ namespaceLabels: { team: "reports" } }],
    },
    {
      mode: "external",
      host: "10.0.0.5",
      port: 6432,
      name: "fhir-prod",
      user: "fhir@postgres",
      tls: { mode: "verify-full", caConfigMap: "postgres-ca", caKey: "root.pem" },
    },
  ])("keeps every setting that it says, of mode $mode", (database) => {
    expect(check({ database }).database).toEqual(database);
  });

  it.each(["postgres", "postgres.databases.svc.cluster.local", "10.0.0.5", "[fd00::5]", "a.b-c_d.e"])(
    "takes the host %s",
    (host) => {
      expect(check({ database: { ...external, host } }).database).toMatchObject({ host });
    },
  );

  it.each([
    "postgres:17.9",
    "postgres:17",
    "docker.io/library/postgres:18.1-bookworm",
    "registry.example.com:5000/aidboxdb:17.2",
    `docker.io/library/postgres@${digest}`,
    `docker.io/library/postgres:latest@${digest}`,
  ])("takes the pinned image %s", (pinned) => {
    expect(check({ database: { ...development, image: pinned } }).database).toMatchObject({ image: pinned });
  });

  it("may be that of an environment whose Vault is not for development", () => {
    expect(check({ vault: externalVault, database: development }).database?.mode).toBe("development");
  });
});

describe("a bad database", () => {
  const its = (change: Config): Config => ({ database: { ...development, ...change } });
  const outside = (change: Config): Config => ({ database: { ...external, ...change } });

  it.each<{ what: string; config: Config; problems: string[] }>([
    { what: "a word", config: { database: "postgres" }, problems: [`database: "postgres": ${fixes.mode}`] },
    { what: "without a mode", config: { database: {} }, problems: [`database.mode: is missing: ${fixes.mode}`] },
    {
      what: "of an unknown mode",
      config: { database: { mode: "dev" } },
      problems: [`database.mode: "dev": ${fixes.mode}: did you mean development?`],
    },
    {
      what: "for development outside of it",
      config: { development: false, vault: externalVault, database: development },
      problems: [`database.mode: ${fixes.development}`],
    },
    {
      what: "for development without a word on it, as its Vault",
      config: { development: undefined, database: development },
      problems: [
        'vault.mode: "dev": keeps secrets in memory and is for development: ' +
          "set development: true, or use mode: external",
        `database.mode: ${fixes.development}`,
      ],
    },
    {
      what: "with a key of the other mode",
      config: its({ host: "postgres" }),
      problems: ["database.host: is a key of mode external, and this is development: remove it"],
    },
    {
      what: "with keys of the other mode",
      config: outside({ image: "postgres:17.9", storage: {} }),
      problems: ["database.image", "database.storage"].map(
        (key) => `${key}: is a key of mode development, and this is external: remove it`,
      ),
    },

    {
      what: "without host and TLS",
      config: { database: { mode: "external" } },
      problems: [`database.host: is missing: ${fixes.host}`, `database.tls: is missing: ${fixes.tls}`],
    },
    ...["https://postgres", "postgres:5432", "postgres/", "", "fd00::5", "-a", "a b"].map((host) => ({
      what: `with the host "${host}"`,
      config: outside({ host }),
      problems: [`database.host: ${JSON.stringify(host)}: ${fixes.host}`],
    })),
    { what: "with port 0", config: outside({ port: 0 }), problems: [`database.port: 0: ${fixes.port}`] },
    { what: "past the last port", config: outside({ port: 65536 }), problems: [`database.port: 65536: ${fixes.port}`] },
    {
      what: "with a port as text",
      config: outside({ port: "5432" }),
      problems: ['database.port: "5432": write a whole number: leave the quotes out'],
    },
    {
      what: "with names that are none",
      config: its({ name: "a b", user: "" }),
      problems: [`database.name: "a b": ${fixes.database}`, `database.user: "": ${fixes.user}`],
    },
    {
      what: "with a name that PostgreSQL would cut",
      config: outside({ name: "a".repeat(64) }),
      problems: [`database.name: "${"a".repeat(64)}": ${fixes.database}`],
    },

    {
      what: "with TLS as a word",
      config: outside({ tls: "require" }),
      problems: [`database.tls: "require": ${fixes.tls}`],
    },
    {
      what: "with TLS without mode",
      config: outside({ tls: {} }),
      problems: [`database.tls.mode: is missing: ${fixes.tlsMode}`],
    },
    {
      what: "with a mode of TLS that falls back to none",
      config: outside({ tls: { mode: "prefer" } }),
      problems: [`database.tls.mode: "prefer": ${fixes.tlsMode}`],
    },
    ...["verify-ca", "verify-full"].map((mode) => ({
      what: `with ${mode} and no CA`,
      config: outside({ tls: { mode } }),
      problems: [`database.tls.caConfigMap: is missing: mode ${mode} ${fixes.ca}`],
    })),
    ...["require", "disable"].map((mode) => ({
      what: `with ${mode} and a CA`,
      config: outside({ tls: { mode, caConfigMap: "postgres-ca", caKey: "ca.pem" } }),
      problems: [
        `database.tls.caConfigMap: "postgres-ca": mode ${mode} ${fixes.noCa}`,
        `database.tls.caKey: "ca.pem": mode ${mode} ${fixes.noCa}`,
      ],
    })),
    {
      what: "with a CA by no name",
      config: outside({ tls: { mode: "verify-ca", caConfigMap: "Postgres_CA", caKey: "a/b" } }),
      problems: [
        `database.tls.caConfigMap: "Postgres_CA": ${fixes.configMap}`,
        "database.tls.caKey: \"a/b\": write a ConfigMap's key: letters, digits, '_', '.' and '-'",
      ],
    },

    ...["postgres", "postgres:latest", "postgres:17.9-alpine", "postgres:alpine3.23", "registry:5000/postgres"].map(
      (moving) => ({
        what: `with the image ${moving}`,
        config: its({ image: moving }),
        problems: [`database.image: "${moving}": ${fixes.image}`],
      }),
    ),
    {
      what: "with an image that is none",
      config: its({ image: 17 }),
      problems: [`database.image: 17: ${fixes.image}`],
    },
    {
      what: "with a size without unit",
      config: its({ storage: { size: "10" } }),
      problems: [`database.storage.size: "10": ${fixes.size}`],
    },
    {
      what: "with storage of an unknown key",
      config: its({ storage: { class: "fast" } }),
      problems: [
        "database.storage.class: is not a key that this stack knows: write one of size, storageClass, or remove it",
      ],
    },
    {
      what: "of an Aidbox whose name leaves no room",
      config: { database: development, aidbox: { name: "a".repeat(44), image } },
      problems: [
        `aidbox.name: "${"a".repeat(44)}": is too long for …-postgres of database.mode development: ` +
          "write up to 43 characters",
      ],
    },
  ])("$what", ({ config, problems }) => {
    expect(errorOf(config)).toBe(messageOf(...problems));
  });
});

describe.each([development, external])("a database of mode $mode and the other keys", (database) => {
  it.each<{ what: string; config: Config; problems: string[] }>([
    { what: "a table without its password", config: { secrets: [clientSecret] }, problems: [`secrets: ${fixes.row}`] },
    {
      what: "rows for what it sets",
      config: {
        secrets: [
          { ...clientSecret, environment: "BOX_DB_USER" },
          password,
          { name: "mode", path: "aidbox/mode", environment: "AIDBOX_DB_PARAM_SSLMODE" },
        ],
      },
      problems: [
        `secrets[0].environment: "BOX_DB_USER": ${fixes.set}`,
        `secrets[2].environment: "AIDBOX_DB_PARAM_SSLMODE": ${fixes.set}`,
      ],
    },
    {
      what: "plain settings of what it sets, and none of the others",
      config: {
        aidbox: {
          image,
          environment: {
            BOX_DB_HOST: "other",
            BOX_DB_PORT: "1",
            BOX_DB_DATABASE: "other",
            BOX_DB_USER: "other",
            BOX_DB_PASSWORD: "hunter2",
            BOX_DB_POOL_MAXIMUM_POOL_SIZE: "32",
            AIDBOX_DB_PARAM_SSL: "true",
            AIDBOX_DB_PARAM_SSLMODE: "allow",
            AIDBOX_DB_PARAM_SSLROOTCERT: "/tmp/ca",
          },
        },
      },
      problems: [
        "aidbox.environment.BOX_DB_PASSWORD: would be in plain text: leave it out, and give it a row of secrets, as " +
          "{ name: db-password, path: aidbox/db-password, environment: BOX_DB_PASSWORD }",
        `aidbox.environment.BOX_DB_HOST: ${fixes.set}`,
        `aidbox.environment.BOX_DB_PORT: ${fixes.set}`,
        `aidbox.environment.BOX_DB_DATABASE: ${fixes.set}`,
        `aidbox.environment.BOX_DB_USER: ${fixes.set}`,
        `aidbox.environment.AIDBOX_DB_PARAM_SSL: ${fixes.set}`,
        `aidbox.environment.AIDBOX_DB_PARAM_SSLMODE: ${fixes.set}`,
        `aidbox.environment.AIDBOX_DB_PARAM_SSLROOTCERT: ${fixes.set}`,
      ],
    },
    {
      what: "all of it at once, with an error of another key",
      config: {
        secrets: [{ ...clientSecret, environment: "BOX_DB_PORT" }],
        mountPath: "/etc/aidbox-database",
        aidbox: { image, replicas: 0, environment: { BOX_DB_HOST: "other" } },
      },
      problems: [
        "aidbox.replicas: 0: write 1 or more",
        'mountPath: "/etc/aidbox-database": something else is mounted there: write another folder, as /run/vault-secrets',
        `secrets: ${fixes.row}`,
        `secrets[0].environment: "BOX_DB_PORT": ${fixes.set}`,
        `aidbox.environment.BOX_DB_HOST: ${fixes.set}`,
      ],
    },
    {
      what: "no table",
      config: { secrets: undefined },
      problems: ["secrets: is missing: write the table of secrets, a list"],
    },
    {
      what: "a table that is none",
      config: { secrets: [null] },
      problems: ["secrets[0]: null: write an object with keys", `secrets: ${fixes.row}`],
    },
    { what: "no aidbox", config: { aidbox: undefined }, problems: ["aidbox: is missing: write at least { image }"] },
  ])("$what", ({ config, problems }) => {
    expect(errorOf({ database, ...config })).toBe(messageOf(...problems));
  });
});

describe("a database whose password is a static role's", () => {
  const role = { ...password, path: "aidbox", source: "database" };
  const secrets = [clientSecret, role];
  const user = { name: "reports-user", path: "reports", key: "username", source: "database" };

  it.each([
    { what: "is there already", database: external },
    { what: "the stack does not tell", database: undefined },
  ])("may be one that $what", ({ database }) => {
    const environment = check({ database, secrets });
    expect(environment.table.synced.map((each) => vaultPaths(environment).data(each))).toEqual([
      "database/static-creds/aidbox",
    ]);
  });

  it("is not that for development", () => {
    expect(errorOf({ database: development, secrets })).toBe(messageOf(`secrets[1].source: ${fixes.staticRole}`));
  });

  it("is not that for development outside of it either, which is said too", () => {
    const config = { development: false, vault: externalVault, database: development, secrets };
    expect(errorOf(config)).toBe(
      messageOf(`secrets[1].source: ${fixes.staticRole}`, `database.mode: ${fixes.development}`),
    );
  });

  it("is not that for development of a tenant", () => {
    const tenants = [{ name: "north", secrets: [{ ...role, path: "north" }] }];
    expect(errorOf({ database: development, tenants })).toBe(
      messageOf(`tenants[0].secrets[0].source: ${fixes.staticRole}`),
    );
  });

  it("leaves that for development its other static roles", () => {
    const environment = check({ database: development, secrets: [password, user] });
    expect(environment.table.paths.map((path) => vaultPaths(environment).data(path))).toEqual([
      "secret/data/aidbox/database",
      "database/static-creds/reports",
    ]);
  });
});

it("without a database the plain settings may say all of it, as before", () => {
  const environment = { BOX_DB_HOST: "postgres", BOX_DB_USER: "aidbox", AIDBOX_DB_PARAM_SSLMODE: "require" };
  expect(check({ aidbox: { image, environment } }).aidbox.environment).toEqual(environment);
});

describe("Aidbox's connection", () => {
  it("is to the Service of the PostgreSQL for development, without TLS", () => {
    const environment = check({
      database: { ...development, name: "fhir", user: "box" },
      aidbox: { name: "box", image },
    });
    expect(databaseConnection(environment)).toEqual({
      host: "box-postgres",
      name: "fhir",
      user: "box",
      tls: { mode: "disable" },
    });
    expect(postgresName("box")).toBe("box-postgres");
  });

  it.each([
    { mode: "disable" },
    { mode: "require" },
    { mode: "verify-ca", caConfigMap: "postgres-ca" },
    { mode: "verify-full", caConfigMap: "postgres-ca", caKey: "root.pem" },
  ])("is to the PostgreSQL that is there, with TLS as it says: $mode", (tls) => {
    expect(databaseConnection(check({ database: { ...external, port: 6432, tls } }))).toEqual({
      host: "postgres.example.com",
      port: 6432,
      name: "aidbox",
      user: "aidbox",
      tls,
    });
  });
});

it("the role of the PostgreSQL for development is another than Aidbox's", () => {
  expect(postgresRole(check({ vault: { mode: "dev", role: "box" } }))).toBe("box-database");
});
