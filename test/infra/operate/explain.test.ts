import { App } from "cdk8s";
import { parse } from "yaml";
import { SecretTable } from "../../../constructs/secrets";
import { readPolicy } from "../../../constructs/stores/vault";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import { InvalidRequestError } from "../../../infra/operate/errors";
import { explain } from "../../../infra/operate/explain";
import { aidboxChart } from "../../../infra/stack/charts";
import { publicKeyPem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

const dev = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" }, source: "seeded" },
    { name: "neighbour", path: "aidbox/client", key: "other", file: "tls/other.pem", source: "seeded" },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" },
    { name: "patient-key", path: "aidbox/patient", scope: { resourceType: "Patient" } },
    { name: "okta-key", path: "aidbox/okta", scope: { resourceType: "IdentityProvider" }, source: "managed" },
  ],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

const external = {
  kubeContext: "production",
  secrets: [
    { name: "kafka", path: "fhir/kafka", scope: { resourceType: "AidboxTopicDestination", id: "orders" } },
    { name: "box-password", path: "fhir-box", environment: "BOX_DB_PASSWORD", source: "database" },
    { name: "box-user", path: "fhir-box", key: "username", source: "database" },
  ],
  namespaces: { aidbox: "health", vault: "vault-csi" },
  mountPath: "/run/secrets-of-vault",
  rotationBound: "90s",
  vault: {
    mode: "external",
    address: "https://vault.example:8200",
    role: "fhir-role",
    audience: "https://vault.example",
    tokenTtl: "20m",
    kvMount: { path: "kv/team" },
    databaseMount: "db/team",
    login: { method: "jwt", mount: "cluster-one", keys: { publicKeys: [publicKeyPem] } },
  },
  aidbox: { image: "healthsamurai/aidboxone:2605", name: "fhir" },
};

interface DrawnObject {
  readonly kind: string;
  readonly spec: { readonly parameters: { readonly objects: string } };
}

const environment = (config: Record<string, unknown> = dev): VaultEnvironment => checkVaultEnvironment("test", config);

test.each([
  ["with a scope", "client-secret"],
  ["without a scope, with a key and a file of its own", "neighbour"],
  ["that is an environment variable too", "admin-password"],
  ["whose resource type has no fields for secrets", "patient-key"],
  ["for every resource of a type with many fields", "okta-key"],
])("a secret %s", (_, name) => {
  expect(explain(environment(), name)).toMatchSnapshot();
});

test("a secret of a Vault outside of the cluster that checks the pods' tokens by itself", () => {
  expect(explain(environment(external), "kafka")).toMatchSnapshot();
});

test("a secret of Vault's database engine is that of a static role, which Vault can be asked to rotate", () => {
  const { stations, reference } = explain(environment(external), "box-password");
  expect(reference).toBeUndefined();
  expect(stations.map(({ title, lines }) => [title, ...lines])).toEqual([
    ["Vault: database engine", "db/team/static-creds/fhir-box, key password", "source: database"],
    ["Vault: policy fhir-role", 'path "db/team/static-creds/fhir-box" {', '  capabilities = ["read"]', "}"],
    [
      "Vault: role fhir-role of auth/cluster-one (jwt)",
      "ServiceAccount health/fhir",
      "audience https://vault.example, tokens live 20m",
    ],
    [
      "SecretProviderClass health/fhir-vault-secrets",
      "objectName: box-password",
      "secretPath: db/team/static-creds/fhir-box",
      "secretKey:  password",
    ],
    [
      "Secrets Store CSI driver",
      "publishes a change within 90 s",
      "or at once, by `npm run rotate -- box-password --env test`",
    ],
    [
      "Pods of Deployment health/fhir",
      "file /run/secrets-of-vault/box-password",
      "variable BOX_DB_PASSWORD, by the Secret fhir-environment; a change needs a roll of the pods",
    ],
  ]);
});

test("what is managed is not rotated by hand", () => {
  const lines = (name: string): readonly string[] =>
    explain(environment(), name).stations.find(({ title }) => title === "Secrets Store CSI driver")!.lines;
  expect(lines("okta-key")).toEqual(["publishes a change within 30 s"]);
  expect(lines("neighbour")).toEqual([
    "publishes a change within 30 s",
    "or at once, by `npm run rotate -- neighbour --generate 32 --env test`",
  ]);
});

test.each([
  ["30s", "a change rolls the pods"],
  ["90s", "a change needs a roll of the pods"], // no Republisher is deployed
])("within a bound of %s, of a variable %s", (rotationBound, said) => {
  const { stations } = explain(environment({ ...dev, rotationBound }), "admin-password");
  expect(stations.at(-1)!.lines).toEqual([
    "file /run/vault-secrets/admin-password",
    `variable BOX_ADMIN_PASSWORD, by the Secret aidbox-environment; ${said}`,
  ]);
});

test.each([
  ["dev", dev],
  ["external", external],
])("the policy is that of the secret's path alone, in %s", (_, config) => {
  const { table } = environment(config);
  for (const { name } of table.secrets) {
    const { stations } = explain(environment(config), name);
    const alone = new SecretTable({ secrets: table.secrets.filter((each) => each.name === name) });
    expect(stations[1]!.lines.join("\n")).toBe(readPolicy(alone, vaultPaths(environment(config))).trim());
  }
});

test.each([
  ["dev", dev],
  ["external", external],
])("what it says of the SecretProviderClass is what that of %s has", (_, config) => {
  const drawn = aidboxChart(new App(), environment(config)).toJson() as readonly DrawnObject[];
  const { spec } = drawn.find(({ kind }) => kind === "SecretProviderClass")!;
  const rows = parse(spec.parameters.objects) as Record<string, string>[];
  const said = environment(config).table.secrets.map(({ name }) => {
    const { stations } = explain(environment(config), name);
    const { lines } = stations.find(({ title }) => title.startsWith("SecretProviderClass "))!;
    return Object.fromEntries(lines.map((line) => line.split(/: +/) as [string, string]));
  });
  expect(said).toEqual(rows);
});

test("the reference is there exactly where a scope has fields for one, and names the secret", () => {
  const references = environment().table.secrets.map(({ name }) => [name, explain(environment(), name).reference]);
  expect(references).toEqual([
    ["client-secret", { fields: ["secret"], element: masked("client-secret") }],
    ["neighbour", undefined],
    ["admin-password", undefined],
    ["patient-key", undefined],
    [
      "okta-key",
      { fields: ["client.secret", "client.private-key", "client.certificate"], element: masked("okta-key") },
    ],
  ]);
});

test("a secret that the table has not is refused, with those that it has", () => {
  expect(() => explain(environment(), "client-secrets")).toThrow(
    new InvalidRequestError(
      'environment "test" has no secret "client-secrets": did you mean client-secret? It has client-secret, neighbour, admin-password, ' +
        "patient-key, okta-key",
    ),
  );
});

function masked(name: string): object {
  return {
    extension: [
      { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
      { url: "http://health-samurai.io/fhir/secret-reference", valueString: name },
    ],
  };
}
