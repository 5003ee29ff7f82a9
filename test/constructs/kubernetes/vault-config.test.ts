import { Testing } from "cdk8s";
import { VaultConfig, type VaultConfigProps } from "../../../constructs/kubernetes";
import { type SecretSpec, SecretTable } from "../../../constructs/secrets";
import { fullTable, manifestOf, minimalTable, yamlOf } from "./fixtures";

const everyProp: Required<VaultConfigProps> = { name: "prod-vault-config", table: fullTable };

function chartWith(props: VaultConfigProps) {
  const chart = Testing.chart();
  new VaultConfig(chart, "vault-config", props);
  return chart;
}

function contentOf(table: SecretTable): unknown {
  return JSON.parse(manifestOf(chartWith({ table }), "ConfigMap").data!["vault-config.json"]!);
}

function checksumOf(secret: Partial<SecretSpec>): string {
  const table = new SecretTable({
    secrets: [
      { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "one" }, ...secret },
    ],
  });
  return new VaultConfig(Testing.chart(), "vault-config", { table }).checksum;
}

it("with every prop", () => {
  expect(yamlOf(chartWith(everyProp))).toMatchSnapshot();
});

it("with only the required props", () => {
  expect(yamlOf(chartWith({ table: minimalTable }))).toMatchSnapshot();
});

it.each([
  { props: everyProp, name: "prod-vault-config" },
  { props: { table: minimalTable }, name: "aidbox-vault-config" },
])("the ConfigMap is named $name", ({ props, name }) => {
  expect(manifestOf(chartWith(props), "ConfigMap").metadata.name).toBe(name);
});

describe("vault-config.json", () => {
  it("says of each scoped secret its file and the resource that may use it", () => {
    expect(contentOf(fullTable)).toEqual({
      secret: {
        "db-password": {
          path: "/mnt/secrets/db/password",
          scope: { resource_type: "AidboxSubscriptionBroker", id: "main" },
        },
        "client-secret": { path: "/mnt/secrets/client-secret", scope: { resource_type: "Client" } },
      },
    });
  });

  it("names no secret where none has a scope", () => {
    expect(contentOf(minimalTable)).toEqual({ secret: {} });
  });
});

describe("the checksum", () => {
  const checksum = checksumOf({});

  it("is a SHA-256", () => {
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<{ change: string; secret: Partial<SecretSpec> }>([
    { change: "the name", secret: { name: "other-secret", file: "client-secret" } },
    { change: "the file", secret: { file: "client/secret" } },
    { change: "the resource type", secret: { scope: { resourceType: "User", id: "one" } } },
    { change: "the resource's id", secret: { scope: { resourceType: "Client", id: "two" } } },
    { change: "the scope", secret: { scope: undefined } },
  ])("changes with $change", ({ secret }) => {
    expect(checksumOf(secret)).not.toBe(checksum);
  });

  it.each<{ change: string; secret: Partial<SecretSpec> }>([
    { change: "the store's path", secret: { path: "elsewhere" } },
    { change: "the store's key", secret: { key: "other" } },
    { change: "the source", secret: { source: "seeded" } },
    { change: "the environment variable", secret: { environment: "BOX_CLIENT" } },
  ])("stays with $change, which vault-config.json does not say", ({ secret }) => {
    expect(checksumOf(secret)).toBe(checksum);
  });
});
