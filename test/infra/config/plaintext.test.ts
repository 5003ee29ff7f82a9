import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import { plaintextWarnings } from "../../../infra/config/plaintext-problems";

const base = {
  kubeContext: "production",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const login = { method: "kubernetes" };
const standalone = { mode: "standalone" };
const at = (host: string): string => `http://${host}`;

/** What is wrong with a config, a line each. */
function problemsOf(config: Record<string, unknown>): string[] {
  try {
    checkEnvironment("prod", { ...base, ...config });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
  return [];
}

function refusal(key: string, value: string, instead = "https://"): string {
  return (
    `${key}: ${JSON.stringify(value)}: whoever is on the way could read and change what goes there: write ${instead}, or, for ` +
    `a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [${key}]`
  );
}

const external = { mode: "external", address: "https://vault.example", login };
const cases: [key: string, config: Record<string, unknown>, value: string, instead?: string][] = [
  ["vault.address", { vault: { ...external, address: at("vault.example") } }, at("vault.example")],
  ["vault.address", { vault: { ...external, address: "HTTP://vault.example" } }, "HTTP://vault.example"],
  ["vault.addressFromHere", { vault: { ...external, addressFromHere: at("127.0.0.1:8200") } }, at("127.0.0.1:8200")],
  ["vault.login.apiServer", { vault: { ...external, login: { ...login, apiServer: at("api") } } }, at("api")],
  [
    "vault.login.keys.discoveryUrl",
    { vault: { ...external, login: { method: "jwt", keys: { discoveryUrl: at("issuer") } } } },
    at("issuer"),
  ],
  [
    "vault.seal.address",
    { vault: { ...standalone, seal: { type: "transit", address: at("seal"), keyName: "aidbox" } } },
    at("seal"),
  ],
  [
    "vault.chart.repository",
    { vault: { ...standalone, chart: { repository: at("charts"), version: "1.0.0" } } },
    at("charts"),
  ],
  [
    "csiDriver.chart.repository",
    { vault: standalone, csiDriver: { chart: { repository: at("charts"), version: "1.0.0" } } },
    at("charts"),
  ],
  [
    "database.tls.mode",
    { vault: standalone, database: { mode: "external", host: "postgres.example", tls: { mode: "disable" } } },
    "disable",
    "verify-full",
  ],
];

describe.each(cases)("%s without TLS", (key, config, value, instead) => {
  const table = { secrets: [...base.secrets, { name: "password", path: "aidbox/db", environment: "BOX_DB_PASSWORD" }] };
  const all = key === "database.tls.mode" ? { ...table, ...config } : config;

  test(`(${value}) is refused outside development, with both ways out`, () => {
    expect(problemsOf(all)).toEqual([refusal(key, value, instead)]);
  });

  test(`(${value}) is taken where it is named, and where the environment is one of development`, () => {
    expect(problemsOf({ ...all, allowPlaintext: [key] })).toEqual([]);
    expect(problemsOf({ ...all, development: true })).toEqual([]);
  });

  test(`(${value}) is refused where another is named`, () => {
    const other = cases.find(([each]) => each !== key)![0];
    expect(problemsOf({ ...all, allowPlaintext: [other] })).toEqual([refusal(key, value, instead)]);
  });
});

test("what goes by TLS is taken", () => {
  expect(problemsOf({ vault: external })).toEqual([]);
});

test("a key that is none, and what is no list, are refused", () => {
  const known =
    "vault.address, vault.addressFromHere, vault.login.apiServer, vault.login.keys.discoveryUrl, vault.operators.discoveryUrl, " +
    "vault.seal.address, vault.snapshots.copies.endpoint, vault.chart.repository, csiDriver.chart.repository, " +
    "azureKeyVault.chart.repository, awsSecrets.chart.repository, database.tls.mode";
  expect(problemsOf({ vault: external, allowPlaintext: ["vault"] })).toEqual([
    `allowPlaintext[0]: "vault": write one of ${known}`,
  ]);
  expect(problemsOf({ vault: external, allowPlaintext: true })).toEqual(["allowPlaintext: true: write a list of keys"]);
});

describe("a tenant's own database without TLS", () => {
  const password = (path: string): object => ({ name: "password", path, environment: "BOX_DB_PASSWORD" });
  const database = {
    mode: "external",
    host: "postgres.example",
    name: "north",
    user: "north",
    tls: { mode: "disable" },
  };
  const north = { name: "north", secrets: [password("north/db")], database };
  const config = { vault: external, tenants: [north] };

  test("is refused outside development", () => {
    expect(problemsOf(config)).toEqual([`tenants[0].${refusal("database.tls.mode", "disable", "verify-full")}`]);
  });

  test("is warned of where it is named, as the first's is", () => {
    const allowed = { ...base, ...config, allowPlaintext: ["database.tls.mode"] };
    expect(plaintextWarnings(checkEnvironment("prod", allowed))).toEqual([
      'UNSAFE: tenants.north.database.tls.mode is "disable", a connection without TLS, since allowPlaintext names it',
    ]);
    const first = {
      secrets: [...base.secrets, password("aidbox/db")],
      database: { ...database, name: "aidbox", user: "aidbox" },
    };
    expect(plaintextWarnings(checkEnvironment("prod", { ...allowed, ...first }))).toEqual([
      'UNSAFE: database.tls.mode is "disable", a connection without TLS, since allowPlaintext names it',
      'UNSAFE: tenants.north.database.tls.mode is "disable", a connection without TLS, since allowPlaintext names it',
    ]);
    expect(plaintextWarnings(checkEnvironment("prod", { ...allowed, development: true }))).toEqual([]);
  });
});
