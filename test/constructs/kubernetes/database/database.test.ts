import { type Chart, Testing } from "cdk8s";
import { ServiceAccount } from "cdk8s-plus-28";
import { Aidbox, type AidboxProps, type DatabaseConnection, VaultConfig } from "../../../../constructs/kubernetes";
import { findReservedProblems } from "../../../../constructs/kubernetes/aidbox/rules";
import { SecretTable } from "../../../../constructs/secrets";
import { mountOf } from "../aidbox/fixtures";
import { containerOf, environmentOf, podOf } from "../fixtures";

const password = { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" };

const everyField: Required<DatabaseConnection> = {
  host: "postgres.example.com",
  port: 6432,
  name: "fhir",
  user: "fhir-user",
  tls: { mode: "verify-full", caConfigMap: "postgres-ca", caKey: "root.pem" },
};

const requiredFields: DatabaseConnection = {
  host: "aidbox-postgres",
  name: "aidbox",
  user: "aidbox",
  tls: { mode: "require" },
};

function chartWith(
  database: DatabaseConnection | undefined,
  change: Partial<Pick<AidboxProps, "environment" | "secrets">> = {},
): Chart {
  const chart = Testing.chart();
  const table = change.secrets?.table ?? new SecretTable({ secrets: [password] });
  new Aidbox(chart, "aidbox", {
    image: "healthsamurai/aidboxone:2605",
    secrets: mountOf(table),
    serviceAccount: new ServiceAccount(chart, "service-account"),
    vaultConfig: new VaultConfig(chart, "config", { table }),
    database,
    ...change,
  });
  return chart;
}

/** The variables of the database, but for the password. */
function databaseOf(chart: Chart): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(environmentOf(chart))
      .filter(([name]) => /^(BOX_DB_|AIDBOX_DB_)/.test(name) && name !== "BOX_DB_PASSWORD")
      .map(([name, { value }]) => [name, value]),
  );
}

describe("Aidbox's variables", () => {
  it("say all of the database", () => {
    expect(databaseOf(chartWith(everyField))).toEqual({
      BOX_DB_HOST: "postgres.example.com",
      BOX_DB_PORT: "6432",
      BOX_DB_DATABASE: "fhir",
      BOX_DB_USER: "fhir-user",
      AIDBOX_DB_PARAM_SSL: "true",
      AIDBOX_DB_PARAM_SSLMODE: "verify-full",
      AIDBOX_DB_PARAM_SSLROOTCERT: "/etc/aidbox-database/ca.crt",
    });
  });

  it("say the default port", () => {
    expect(databaseOf(chartWith(requiredFields))).toMatchObject({ BOX_DB_PORT: "5432" });
  });

  it("say nothing where there is no database", () => {
    expect(databaseOf(chartWith(undefined))).toEqual({});
  });

  it("have the password only as a reference to the synced Secret", () => {
    expect(environmentOf(chartWith(everyField)).BOX_DB_PASSWORD).toEqual({
      valueFrom: { secretKeyRef: { name: "aidbox-environment", key: "BOX_DB_PASSWORD" } },
    });
  });

  it.each<{ tls: DatabaseConnection["tls"]; variables: object }>([
    { tls: { mode: "disable" }, variables: { AIDBOX_DB_PARAM_SSLMODE: "disable" } },
    { tls: { mode: "require" }, variables: { AIDBOX_DB_PARAM_SSL: "true", AIDBOX_DB_PARAM_SSLMODE: "require" } },
    {
      tls: { mode: "verify-ca", caConfigMap: "postgres-ca" },
      variables: {
        AIDBOX_DB_PARAM_SSL: "true",
        AIDBOX_DB_PARAM_SSLMODE: "verify-ca",
        AIDBOX_DB_PARAM_SSLROOTCERT: "/etc/aidbox-database/ca.crt",
      },
    },
  ])("of TLS $tls are $variables", ({ tls, variables }) => {
    const all = Object.entries(databaseOf(chartWith({ ...requiredFields, tls })));
    expect(Object.fromEntries(all.filter(([name]) => name.startsWith("AIDBOX_DB_PARAM_")))).toEqual(variables);
  });

  it("leave other settings of the database to the plain ones", () => {
    const environment = { BOX_DB_POOL_MAXIMUM_POOL_SIZE: "32", AIDBOX_DB_PARAM_CURRENT_SCHEMA: "fhir" };
    expect(databaseOf(chartWith(requiredFields, { environment }))).toMatchObject(environment);
  });
});

describe("the CA of the database's certificate", () => {
  const caMount = { name: "database-ca", mountPath: "/etc/aidbox-database", readOnly: true };

  it.each([
    { caKey: undefined, key: "ca.crt" },
    { caKey: "root.pem", key: "root.pem" },
  ])("is a file of Aidbox's container, from the ConfigMap's key $key", ({ caKey, key }) => {
    const chart = chartWith({ ...everyField, tls: { mode: "verify-ca", caConfigMap: "postgres-ca", caKey } });
    expect(containerOf(chart).volumeMounts).toContainEqual(caMount);
    expect(podOf(chart).volumes).toContainEqual({
      name: "database-ca",
      configMap: { name: "postgres-ca", items: [{ key, path: "ca.crt" }] },
    });
  });

  it("is where the secrets' files cannot be mounted", () => {
    for (const mountPath of [caMount.mountPath, `${caMount.mountPath}/secrets`]) {
      expect(findReservedProblems(mountPath, [])).toEqual([
        {
          key: "mountPath",
          message: `"${mountPath}": something else is mounted there: write another folder, as /run/vault-secrets`,
        },
      ]);
    }
  });

  it.each([undefined, requiredFields])("is not mounted where no certificate is checked: %j", (database) => {
    const chart = chartWith(database);
    expect(podOf(chart).volumes!.map(({ name }) => name)).not.toContain("database-ca");
    expect(containerOf(chart).volumeMounts!.map(({ name }) => name)).not.toContain("database-ca");
  });
});

describe("an Aidbox with a database is refused", () => {
  const missing =
    "secrets: no row has environment: BOX_DB_PASSWORD, which the database needs: add one, as " +
    "{ name: database-password, path: aidbox/database, environment: BOX_DB_PASSWORD }";
  const messageOf = (...problems: string[]): string =>
    ["The props of test/aidbox are not valid:", ...problems.map((problem) => `  ${problem}`)].join("\n");
  const without = new SecretTable({ secrets: [{ ...password, environment: undefined }] });
  const own = new SecretTable({
    secrets: [password, { name: "user", path: "aidbox/user", environment: "BOX_DB_USER" }],
  });

  it.each<{ what: string; change: Parameters<typeof chartWith>[1]; problems: string[] }>([
    { what: "without a row for the password", change: { secrets: mountOf(without) }, problems: [missing] },
    {
      what: "with a row for what the database sets",
      change: { secrets: mountOf(own) },
      problems: ['secrets[1].environment: "BOX_DB_USER": is set by database: leave it out'],
    },
    {
      what: "with plain settings of the database",
      change: { environment: { BOX_DB_HOST: "other", AIDBOX_DB_PARAM_SSLMODE: "prefer", BOX_WEB_THREAD: "8" } },
      problems: [
        "environment.BOX_DB_HOST: is set by database: leave it out",
        "environment.AIDBOX_DB_PARAM_SSLMODE: is set by database: leave it out",
      ],
    },
    {
      what: "with the password in plain text, which the error does not show",
      change: { environment: { BOX_DB_PASSWORD: "hunter2" } },
      problems: [
        "environment.BOX_DB_PASSWORD: would be in plain text: leave it out, and give it a row of secrets, as " +
          "{ name: db-password, path: aidbox/db-password, environment: BOX_DB_PASSWORD }",
      ],
    },
    {
      what: "with all of it at once",
      change: { secrets: mountOf(without), environment: { BOX_DB_PORT: "1" } },
      problems: [missing, "environment.BOX_DB_PORT: is set by database: leave it out"],
    },
  ])("$what", ({ change, problems }) => {
    expect(() => chartWith(requiredFields, change)).toThrow(new Error(messageOf(...problems)));
  });

  it("not where there is no database: then the plain settings may say all of it", () => {
    expect(
      databaseOf(chartWith(undefined, { secrets: mountOf(own), environment: { BOX_DB_HOST: "other" } })),
    ).toMatchObject({
      BOX_DB_HOST: "other",
    });
  });
});
