import { Testing } from "cdk8s";
import { SecretProviderClass, type SecretProviderClassProps } from "../../../constructs/kubernetes";
import { SecretTable } from "../../../constructs/secrets";
import { VaultStore } from "../../../constructs/stores/vault";
import { everyVault, fullTable, manifestOf, minimalTable, providerObjectsOf, yamlOf } from "./fixtures";

const everyProp: Required<SecretProviderClassProps> = {
  name: "prod-vault-secrets",
  table: fullTable,
  store: new VaultStore(everyVault),
  syncedSecretName: "prod-environment",
  syncedSecret: {
    type: "example.com/settings",
    labels: { team: "health" },
    annotations: { "example.com/backup": "no" },
  },
};

const requiredProps: SecretProviderClassProps = {
  table: minimalTable,
  store: new VaultStore({ address: "http://vault.vault:8200", role: "aidbox" }),
};

const roleProps: SecretProviderClassProps = {
  store: new VaultStore({ address: "http://vault.vault:8200", role: "aidbox", paths: everyVault.paths }),
  table: new SecretTable({
    secrets: [
      { name: "license", path: "aidbox", environment: "BOX_LICENSE" },
      { name: "db-password", path: "aidbox", environment: "BOX_DB_PASSWORD", source: "database" },
      { name: "db-user", path: "aidbox", key: "username", file: "db/user", source: "database" },
    ],
  }),
};

function chartWith(props: SecretProviderClassProps) {
  const chart = Testing.chart();
  new SecretProviderClass(chart, "provider", props);
  return chart;
}

function specOf(props: SecretProviderClassProps) {
  return manifestOf(chartWith(props), "SecretProviderClass").spec!;
}

it("with every prop", () => {
  expect(yamlOf(chartWith(everyProp))).toMatchSnapshot();
});

it("with only the required props", () => {
  expect(yamlOf(chartWith(requiredProps))).toMatchSnapshot();
});

describe("the name", () => {
  it.each([
    { props: everyProp, name: "prod-vault-secrets" },
    { props: requiredProps, name: "aidbox-vault-secrets" },
  ])("$name is the object's and the construct's", ({ props, name }) => {
    const chart = Testing.chart();
    expect(new SecretProviderClass(chart, "provider", props).name).toBe(name);
    expect(manifestOf(chart, "SecretProviderClass").metadata.name).toBe(name);
  });
});

describe("the login at Vault", () => {
  it("is as it was given", () => {
    expect(specOf(everyProp)).toMatchObject({
      provider: "vault",
      parameters: {
        vaultAddress: "https://vault.example.com",
        roleName: "aidbox-prod",
        audience: "vault-prod",
        vaultAuthMountPath: "clusters/prod",
        vaultNamespace: "health",
        vaultCACertPath: "/vault/tls/ca.crt",
      },
    });
  });

  it("by default is for the audience vault at the mount kubernetes, with no namespace and the image's own CAs", () => {
    const { objects, ...login } = specOf(requiredProps).parameters!;
    expect(objects).toBeDefined();
    expect(login).toEqual({
      vaultAddress: "http://vault.vault:8200",
      roleName: "aidbox",
      audience: "vault",
      vaultAuthMountPath: "kubernetes",
    });
  });
});

describe("the objects to fetch", () => {
  it("are the table's secrets and no other, each by its data path, key and file", () => {
    expect(providerObjectsOf(chartWith(everyProp))).toEqual([
      { objectName: "db/password", secretPath: "teams/kv/data/aidbox/db", secretKey: "password" },
      { objectName: "client-secret", secretPath: "teams/kv/data/aidbox/client", secretKey: "client-secret" },
      { objectName: "license", secretPath: "teams/kv/data/aidbox/box", secretKey: "license-key" },
      { objectName: "tls/key.pem", secretPath: "teams/kv/data/aidbox/tls", secretKey: "tls-key" },
    ]);
  });

  it("of a static role are its credentials, beside a KV path of its name", () => {
    expect(providerObjectsOf(chartWith(roleProps))).toEqual([
      { objectName: "license", secretPath: "teams/kv/data/aidbox", secretKey: "license" },
      { objectName: "db-password", secretPath: "teams/database/static-creds/aidbox", secretKey: "password" },
      { objectName: "db/user", secretPath: "teams/database/static-creds/aidbox", secretKey: "username" },
    ]);
  });

  it.each(["0123", "1e3", "null", "true", "on"])("a key that reads as another type, %s, stays text", (key) => {
    const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client", key }] });
    expect(providerObjectsOf(chartWith({ ...requiredProps, table }))).toEqual([
      { objectName: "client-secret", secretPath: "secret/data/aidbox/client", secretKey: key },
    ]);
  });
});

describe("the sync to a Kubernetes Secret", () => {
  it("has what must be environment, and nothing else", () => {
    expect(specOf(everyProp).secretObjects).toEqual([
      {
        secretName: "prod-environment",
        ...everyProp.syncedSecret,
        data: [
          { objectName: "db/password", key: "BOX_DB_PASSWORD" },
          { objectName: "license", key: "BOX_LICENSE" },
        ],
      },
    ]);
  });

  it("takes a static role's password, as any other secret", () => {
    expect(specOf(roleProps).secretObjects).toEqual([
      {
        secretName: "aidbox-environment",
        type: "Opaque",
        data: [
          { objectName: "license", key: "BOX_LICENSE" },
          { objectName: "db-password", key: "BOX_DB_PASSWORD" },
        ],
      },
    ]);
  });

  it("is left out where nothing must be environment, so that no Secret is made", () => {
    expect(specOf(requiredProps)).not.toHaveProperty("secretObjects");
  });
});

test("one that is there already mounts the same for Aidbox as one that is made", () => {
  const chart = Testing.chart();
  const made = new SecretProviderClass(chart, "provider", requiredProps).mount;
  expect(SecretProviderClass.fromClassName("aidbox-vault-secrets", { table: minimalTable })).toEqual({
    table: minimalTable,
    className: made.className,
    syncedSecretName: made.syncedSecretName,
  });
  expect(() => SecretProviderClass.fromClassName("theirs", { volume: "v" } as never)).toThrow(
    [
      'The props of SecretProviderClass.fromClassName("theirs") are not valid:',
      "  volume: there is no such prop: did you mean volumeName?",
      "  table: is missing: give a SecretTable",
    ].join("\n"),
  );
});
