import { resolve } from "node:path";
import { checkEnvironment } from "../../infra/config/check-environment";
import type { Environment } from "../../infra/config/environment";
import { readEnvironment } from "../../infra/config/environment-file";
import type { StackValues } from "../../infra/config/managed-values";
import { certificatePem, publicKeyPem } from "../pems";
import { deployOnMocks } from "./deploy-on-mocks";

const fixtures = resolve(__dirname, "../environments");

const chartsDir = process.env.CHARTS_DIR;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

const image = "healthsamurai/aidboxone:2605";

/** Two tenants, a PostgreSQL for each Aidbox, values of each kind that Pulumi has resources for, and a seal with a token. */
const tenants = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [
    { name: "client-secret", path: "aidbox/client", source: "seeded" },
    { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD", source: "seeded" },
    { name: "smtp", path: "aidbox/smtp", source: "managed" },
  ],
  vault: {
    mode: "standalone",
    seal: { type: "transit", address: "https://seal.example:8200", keyName: "unseal", ca: certificatePem },
  },
  database: { mode: "development" },
  aidbox: { image, ingress: { hosts: ["aidbox.example.com"] } },
  tenants: ["north", "south"].map((name) => ({
    name,
    secrets: [
      { name: "client-secret", path: `${name}/client`, source: "seeded" },
      { name: "database-password", path: `${name}/database`, environment: "BOX_DB_PASSWORD", source: "seeded" },
    ],
    database: { name, user: name },
  })),
};

/** A Vault that is there already, with logins by the cluster's keys. */
const external = {
  kubeContext: "production",
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa", source: "seeded" },
  ],
  rotationBound: "90s",
  vault: {
    mode: "external",
    address: "https://vault.example:8200",
    kvMount: { owned: true },
    login: { method: "jwt", keys: { publicKeys: [publicKeyPem] } },
  },
  aidbox: { image, replicas: 2 },
};

const environments: Record<string, () => { readonly environment: Environment; readonly values?: StackValues }> = {
  dev: () => readEnvironment(fixtures, "dev"),
  database: () => readEnvironment(fixtures, "database"),
  staging: () => readEnvironment(fixtures, "staging"),
  prod: () => readEnvironment(fixtures, "prod"),
  tenants: () => ({ environment: checkEnvironment("clinics", tenants), values: { smtp: "hunter2" } }),
  external: () => ({ environment: checkEnvironment("outside", external) }),
};

// A resource whose URN or provider changes is deleted and made again, and a secret's value goes with it. Where one must
// change, it keeps the old URN as an alias: the snapshot may get a line's alias, and lose no URN.
test.each(Object.keys(environments))("the resources of %s keep their URNs, aliases and providers", async (name) => {
  const { environment, values } = environments[name]!();
  const { engine } = await deployOnMocks(environment, values);
  const lines = engine.registrations.map(({ urn, provider, aliases, protect, retainOnDelete }) =>
    [
      urn.replace("urn:pulumi:test::aidbox-secrets::", ""),
      ...(provider === "" ? [] : [`by ${provider}`]),
      ...aliases.map((alias) => `alias ${alias}`),
      ...(protect ? ["protected"] : []),
      ...(retainOnDelete ? ["retained"] : []),
    ].join(", "),
  );
  expect(lines.sort().join("\n")).toMatchSnapshot();
});
