import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretSpec, SecretTable } from "../../../constructs/secrets";
import { ConfigError } from "../../../infra/config/config-error";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { ownKeys } from "../../../infra/config/project";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import { certificatePem, publicKeyPem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

type Config = Record<string, unknown>;

const clientSecret = { name: "client-secret", path: "aidbox/client" };
/** Several pods share it. */
const authKeys: SecretSpec = { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" };
const image = "healthsamurai/aidboxone:2605";
const devVault = { mode: "dev" };
const minimalDev: Config = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [clientSecret],
  vault: devVault,
  aidbox: { image },
};
const kubernetesLogin = { method: "kubernetes" };
const externalVault = { mode: "external", address: "https://vault.example.com", login: kubernetesLogin };
const minimalExternal: Config = {
  kubeContext: "prod",
  secrets: [clientSecret],
  vault: externalVault,
  aidbox: { image },
};
const digest = `sha256:${"0a".repeat(32)}`;

function check(change: Config = {}, chartsDir?: string): VaultEnvironment {
  return checkVaultEnvironment("dev", { ...minimalDev, ...change }, chartsDir);
}

function errorOf(config: Config, chartsDir?: string): ConfigError {
  try {
    checkVaultEnvironment("dev", config, chartsDir);
  } catch (error) {
    if (error instanceof ConfigError) return error;
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

function without(key: string): Config {
  return Object.fromEntries(Object.entries(minimalDev).filter(([each]) => each !== key));
}

const characters = "letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside";
const fixes = {
  key: "is not a key that this stack knows: look it up in docs/config.md, or remove it",
  label: "write a DNS label: up to 63 lower-case letters, digits and dashes",
  path: `write a path below the mount: ${characters}, without slash or dash at its start, '.' or '..'`,
  kvMount: `write the mount's path without slashes around it, as secret: ${characters}`,
  databaseMount: `write the mount's path without slashes around it, as database: ${characters}`,
  role: "write up to 63 lower-case letters, digits, '.', '_' and '-', as aidbox",
  authMount: `write the mount's path without slashes around it, as kubernetes: ${characters}`,
  staticRole: "write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
  credential: "a static role has password and username",
  mountPath: "write an absolute folder, as /run/vault-secrets",
  file: "write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
  url: "write a URL that begins with http:// or https://",
  image: "pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest",
  size: "write a size of 1Mi or more, as 2Gi",
  cpu: "write cores above 0 and up to 256, or millicores, as 2 or 500m",
  serviceName: "write a letter first, and up to 48 lower-case letters, digits and dashes: a Service is called so",
  dev: '"dev": keeps secrets in memory and is for development: set development: true, or use mode: external',
  mode:
    "write mode: dev (in memory, for development), standalone or ha (with storage and TLS) or external (a Vault that is " +
    "there already)",
  method: "write method: kubernetes (a Vault in this cluster) or jwt (a Vault anywhere)",
  keys: "write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS",
  context: "write the name of a context of the kubeconfig",
  table: "write the table of secrets, a list",
  secretName: "write the secret's name, a DNS label",
  secretPath: "write the path in the KV mount, as aidbox/client",
  aidbox: "write at least { image }",
  imageType: "write the image with its tag, as healthsamurai/aidboxone:2605",
  reservedFolder: "something else is mounted there: write another folder, as /run/vault-secrets",
  reservedVariable: "is set by this stack: leave it out",
};

describe("a valid environment", () => {
  it("of development takes every default", () => {
    expect(check()).toStrictEqual<VaultEnvironment>({
      name: "dev",
      development: true,
      allowPlaintext: [],
      kubeContext: "kind-aidbox",
      table: new SecretTable({ mountPath: "/run/vault-secrets", secrets: [clientSecret] }),
      rotationBoundSeconds: 30,
      rolls: {},
      republisher: { image: "docker.io/curlimages/curl:8.17.0" },
      images: { pullSecrets: [] },
      assignsUsers: false,
      namespaces: {
        aidbox: "aidbox",
        vault: "vault",
        csiProvider: "vault-csi-provider",
        options: { aidbox: { create: true }, vault: { create: true }, csiProvider: { create: true } },
      },
      csiDriver: { install: true, release: "csi", namespace: "kube-system", logFormat: "standard" },
      vault: {
        mode: "dev",
        allowFrom: [],
        release: "vault",
        csiProvider: true,
        csiProviderMakesTokens: false,
        role: "aidbox",
        audience: "vault",
        tokenTtl: "1h",
        kvMount: { path: "secret" },
        databaseMount: "database",
        objects: {},
      },
      aidbox: {
        name: "aidbox",
        image,
        replicas: 1,
        readOnlyRootFilesystem: true,
        resources: { cpuRequest: "500m", memoryRequest: "2Gi", memoryLimit: "4Gi" },
        environment: {},
      },
      tenants: [],
      charts: { csiDriver: undefined, store: undefined },
    });
  });

  it("with an external Vault is no development by default, and logs in at the mount kubernetes", () => {
    const { development, vault } = checkVaultEnvironment("prod", minimalExternal);
    expect(development).toBe(false);
    expect(vault).toStrictEqual<VaultEnvironment["vault"]>({
      mode: "external",
      address: "https://vault.example.com",
      login: { method: "kubernetes", mount: "kubernetes", owned: true },
      operators: { method: "token" },
      release: "vault",
      csiProvider: true,
      csiProviderMakesTokens: false,
      role: "aidbox",
      audience: "vault",
      tokenTtl: "1h",
      kvMount: { path: "secret" },
      databaseMount: "database",
      objects: {},
    });
  });

  it("keeps every setting that it says", () => {
    const said = {
      kubeContext: "prod",
      republisher: { image: "registry.example.com/curl:8", priorityClass: "secrets-first", logFormat: "json" },
      namespaces: { aidbox: "prod-aidbox", vault: "prod-vault", csiProvider: "prod-provider" },
      csiDriver: { install: false, release: "driver", namespace: "csi", values: { linux: { enabled: true } } },
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        addressFromHere: "https://localhost:8200",
        vaultNamespace: "health",
        caCertPath: "/vault/tls/ca.crt",
        login: {
          method: "jwt",
          mount: "clusters/prod",
          issuer: "https://issuer.example.com",
          keys: { discoveryUrl: "https://issuer.example.com", discoveryCa: certificatePem },
        },
        release: "provider",
        csiProvider: false,
        role: "aidbox-prod",
        audience: "vault-prod",
        tokenTtl: "20m",
        kvMount: { path: "teams/kv", owned: true },
        databaseMount: "teams/database",
        values: { csi: { debug: true } },
      },
      aidbox: {
        name: "box",
        image,
        replicas: 3,
        readOnlyRootFilesystem: false,
        resources: { cpuRequest: "250m", memoryRequest: "1.5Gi", memoryLimit: "3072Mi" },
        environment: { BOX_WEB_BASE_URL: "https://aidbox.example.com" },
      },
    };
    const environment = checkVaultEnvironment("prod", {
      ...said,
      secrets: [clientSecret, authKeys],
      mountPath: "/mnt/secrets",
      rotationBound: "5m",
    });
    expect(environment).toMatchObject(said);
    expect(environment.table).toEqual(
      new SecretTable({
        mountPath: "/mnt/secrets",
        secrets: [clientSecret, authKeys],
      }),
    );
    expect(environment).toMatchObject({ name: "prod", rotationBoundSeconds: 300 });
  });

  it("may have static roles of Vault's database engine, of any mode", () => {
    const role = { name: "db-password", path: "aidbox", source: "database" };
    const secrets = [clientSecret, role];
    for (const vault of [devVault, externalVault, { mode: "standalone" }]) {
      const environment = check({ secrets, vault: { ...vault, databaseMount: "teams/database" } });
      expect(environment.table.paths.map((path) => vaultPaths(environment).data(path))).toEqual([
        "secret/data/aidbox/client",
        "teams/database/static-creds/aidbox",
      ]);
    }
  });

  it.each([
    { duration: "10s", seconds: 10 },
    { duration: "90s", seconds: 90 },
    { duration: "1m", seconds: 60 },
    { duration: "5m", seconds: 300 },
    { duration: "2h", seconds: 7200 },
  ])("reads the duration $duration as $seconds seconds", ({ duration, seconds }) => {
    expect(check({ rotationBound: duration })).toMatchObject({ rotationBoundSeconds: seconds });
  });

  it.each([
    "healthsamurai/aidboxone:2602",
    "healthsamurai/aidboxone:2602.1",
    "healthsamurai/aidboxone:2701-alpine",
    "registry.example.com:5000/aidboxone:2605",
    `healthsamurai/aidboxone@${digest}`,
    `healthsamurai/aidboxone:2605@${digest}`,
    `healthsamurai/aidboxone:edge@${digest}`,
    `registry.example.com:5000/aidboxone@${digest}`,
  ])("takes the pinned image %s", (pinned) => {
    expect(check({ aidbox: { image: pinned } }).aidbox.image).toBe(pinned);
  });

  it.each([{ keys: { publicKeys: [publicKeyPem] } }, { keys: { discoveryUrl: "https://issuer.example.com" } }])(
    "takes a jwt login by $keys",
    ({ keys }) => {
      const { vault } = check({ vault: { ...externalVault, login: { method: "jwt", keys } } });
      expect(vault).toMatchObject({ login: { method: "jwt", mount: "kubernetes", keys } });
    },
  );
});

describe("a bad value", () => {
  const other = { name: "db-password", path: "aidbox/db" };
  const role = { name: "db-password", path: "aidbox", source: "database" };
  const secrets = (...rows: object[]): Config => ({ secrets: rows });
  const vault = (change: object): Config => ({ vault: { ...devVault, ...change } });
  const external = (change: object): Config => ({ vault: { ...externalVault, ...change } });
  const aidbox = (change: object): Config => ({ aidbox: { image, ...change } });

  it.each<{ what: string; config: Config; problems: string[] }>([
    { what: "unknown key", config: { replicas: 2 }, problems: [`replicas: ${fixes.key}`] },
    {
      what: "unknown keys, nested",
      config: aidbox({ resources: { cpu: "1" }, replica: 2 }),
      problems: [
        "aidbox.resources.cpu: is not a key that this stack knows: did you mean cpuRequest?",
        `aidbox.replica: is not a key that this stack knows: did you mean replicas?`,
      ],
    },
    {
      what: "unknown key, of a secret",
      config: secrets({ ...clientSecret, value: "s3cret" }),
      problems: [`secrets[0].value: ${fixes.key}`],
    },
    {
      what: "key of the other mode",
      config: vault({ address: "https://vault.example.com" }),
      problems: ["vault.address: is a key of mode external, and this is dev: remove it"],
    },

    {
      what: "rotationBound without unit",
      config: { rotationBound: "90" },
      problems: ['rotationBound: "90": write the bound as a whole number with its unit: 90s, 5m or 1h'],
    },
    {
      what: "rotationBound of a fraction",
      config: { rotationBound: "1.5m" },
      problems: ['rotationBound: "1.5m": write the bound as a whole number with its unit: 90s, 5m or 1h'],
    },
    {
      what: "rotationBound shorter than a publication leaves time for",
      config: { rotationBound: "9s" },
      problems: ['rotationBound: "9s": a publication takes up to 5 s by itself: write 10s or more'],
    },
    {
      what: "rotationBound of nothing, in minutes",
      config: { rotationBound: "0m" },
      problems: ['rotationBound: "0m": a publication takes up to 5 s by itself: write 10s or more'],
    },
    {
      what: "unknown key, of the Republisher",
      config: { republisher: { interval: "5s" } },
      problems: [
        "republisher.interval: is not a key that this stack knows: write one of image, priorityClass, logFormat, allowTo, or remove it",
      ],
    },
    {
      what: "tokenTtl in days",
      config: vault({ tokenTtl: "1d" }),
      problems: ['vault.tokenTtl: "1d": write the life of a login as a whole number with its unit: 90s, 5m or 1h'],
    },

    { what: "empty table", config: secrets(), problems: ["secrets: is empty: name at least one secret"] },
    {
      what: "name that is no DNS label",
      config: secrets({ ...clientSecret, name: "Client_Secret" }),
      problems: [`secrets[0].name: "Client_Secret": ${fixes.label}`],
    },
    {
      what: "name of an earlier secret",
      config: secrets(clientSecret, { ...other, name: "client-secret" }),
      problems: ['secrets[1].name: "client-secret": is that of secrets[0] too: give each its own'],
    },
    {
      what: "path with data/",
      config: secrets({ ...clientSecret, path: "data/aidbox/client" }),
      problems: ['secrets[0].path: "data/aidbox/client": leave out data/ and metadata/: they are added'],
    },
    {
      what: "path climbing out",
      config: secrets({ ...clientSecret, path: "../x" }),
      problems: [`secrets[0].path: "../x": ${fixes.path}`],
    },
    {
      what: "file outside the mount, climbing",
      config: secrets({ ...clientSecret, file: "../x" }),
      problems: [`secrets[0].file: "../x": ${fixes.file}`],
    },
    {
      what: "file outside the mount, absolute",
      config: secrets({ ...clientSecret, file: "/etc/x" }),
      problems: [`secrets[0].file: "/etc/x": ${fixes.file}`],
    },
    {
      what: "file that is an earlier secret's default file",
      config: secrets(clientSecret, { ...other, file: "client-secret" }),
      problems: ['secrets[1].file: "client-secret": is that of secrets[0] too: give each its own'],
    },
    {
      what: "environment that the stack sets, of secrets",
      config: secrets({ ...clientSecret, environment: "BOX_WEB_PORT" }, { ...other, environment: "BOX_VAULT_CONFIG" }),
      problems: [
        `secrets[0].environment: "BOX_WEB_PORT": ${fixes.reservedVariable}`,
        `secrets[1].environment: "BOX_VAULT_CONFIG": ${fixes.reservedVariable}`,
      ],
    },
    {
      what: "environment that the stack sets, plain",
      config: aidbox({
        environment: {
          BOX_WEB_PORT: "80",
          BOX_VAULT_CONFIG: "/x",
          BOX_WEB_BASE_URL: "https://aidbox.example.com",
          AIDBOX_SECRET_FILES_ENABLED: "false",
          AIDBOX_SECRET_FILES_DIRS: "/x",
        },
      }),
      problems: [
        `aidbox.environment.BOX_WEB_PORT: ${fixes.reservedVariable}`,
        `aidbox.environment.BOX_VAULT_CONFIG: ${fixes.reservedVariable}`,
        `aidbox.environment.AIDBOX_SECRET_FILES_ENABLED: ${fixes.reservedVariable}`,
        `aidbox.environment.AIDBOX_SECRET_FILES_DIRS: ${fixes.reservedVariable}`,
      ],
    },
    {
      what: "two sources on one path",
      config: secrets({ ...clientSecret, source: "seeded" }, { ...other, path: "aidbox/client", source: "managed" }),
      problems: [
        'secrets[1].source: "managed": secrets[0] on the same path "aidbox/client" is seeded: ' +
          "a path is written whole, so give both one source or move one to a path of its own",
      ],
    },
    {
      what: "unknown source",
      config: secrets({ ...clientSecret, source: "vault" }),
      problems: ['secrets[0].source: "vault": write managed, seeded, external or database'],
    },
    {
      what: "static role in folders",
      config: secrets({ ...role, path: "aidbox/db" }),
      problems: [`secrets[0].path: "aidbox/db": ${fixes.staticRole}`],
    },
    {
      what: "key that a static role has not",
      config: secrets({ ...role, key: "ttl" }),
      problems: [`secrets[0].key: "ttl": ${fixes.credential}`],
    },
    {
      what: "relative mountPath",
      config: { mountPath: "run/secrets" },
      problems: [`mountPath: "run/secrets": ${fixes.mountPath}`],
    },
    ...["/tmp", "/tmp/x", "/etc", "/etc/aidbox"].map((mountPath) => ({
      what: `mountPath where the pod mounts something else, ${mountPath}`,
      config: { mountPath },
      problems: [`mountPath: "${mountPath}": ${fixes.reservedFolder}`],
    })),
    {
      what: "KV mount with slashes around it",
      config: vault({ kvMount: { path: "/secret/" } }),
      problems: [`vault.kvMount.path: "/secret/": ${fixes.kvMount}`],
    },
    ...["", "/database", "database/", "teams//database", "../database"].map((databaseMount) => ({
      what: `mount of the database engine "${databaseMount}"`,
      config: vault({ databaseMount }),
      problems: [`vault.databaseMount: "${databaseMount}": ${fixes.databaseMount}`],
    })),
    {
      what: "mount of the database engine that is KV's, where a secret is of source database",
      config: {
        ...vault({ databaseMount: "secret" }),
        secrets: [{ name: "database-password", path: "aidbox", source: "database" }],
      },
      problems: [
        'vault.databaseMount: "secret": cannot lie beside "secret" of KV v2: write the path of the database engine, as database',
      ],
    },
    {
      what: "a role that would end its line of a policy",
      config: vault({ role: 'aidbox" {\n}\npath "*' }),
      problems: [`vault.role: "aidbox\\" {\\n}\\npath \\"*": ${fixes.role}`],
    },
    ...["Aidbox", "aidbox/north", "aidbox*", "-aidbox", ""].map((role) => ({
      what: `the role "${role}"`,
      config: vault({ role }),
      problems: [`vault.role: "${role}": ${fixes.role}`],
    })),
    ...['kubernetes"', "kubernetes\n", "+/one", "kube*", "../sys", "/kubernetes", ""].map((mount) => ({
      what: `the auth mount ${JSON.stringify(mount)}`,
      config: external({ login: { ...externalVault.login, mount } }),
      problems: [`vault.login.mount: ${JSON.stringify(mount)}: ${fixes.authMount}`],
    })),
    ...['vault"', "vault\n", "vault*", "two words", ""].map((audience) => ({
      what: `the audience ${JSON.stringify(audience)}`,
      config: vault({ audience }),
      problems: [`vault.audience: ${JSON.stringify(audience)}: write the audience without spaces, quotes and '*'`],
    })),
    ...["0s", "59s", "25h"].map((tokenTtl) => ({
      what: `the life of a login ${tokenTtl}`,
      config: vault({ tokenTtl }),
      problems: [`vault.tokenTtl: "${tokenTtl}": write 60s or more, and 24h at most`],
    })),
    {
      what: "both mounts with slashes around them, with an error of another key",
      config: vault({ kvMount: { path: "/secret" }, databaseMount: "/database", tokenTtl: "1d" }),
      problems: [
        'vault.tokenTtl: "1d": write the life of a login as a whole number with its unit: 90s, 5m or 1h',
        `vault.kvMount.path: "/secret": ${fixes.kvMount}`,
        `vault.databaseMount: "/database": ${fixes.databaseMount}`,
      ],
    },

    {
      what: "Vault in dev mode outside development",
      config: { development: false },
      problems: [`vault.mode: ${fixes.dev}`],
    },
    { what: "Vault by its name only", config: { vault: "dev" }, problems: [`vault: "dev": ${fixes.mode}`] },
    {
      what: "external Vault without scheme",
      config: external({ address: "vault:8200" }),
      problems: [`vault.address: "vault:8200": ${fixes.url}`],
    },
    {
      what: "external Vault without address",
      config: external({ address: undefined }),
      problems: [`vault.address: is missing: ${fixes.url}`],
    },
    {
      what: "external Vault without login",
      config: external({ login: undefined }),
      problems: [`vault.login: is missing: ${fixes.method}`],
    },
    {
      what: "jwt login without keys",
      config: external({ login: { method: "jwt" } }),
      problems: [`vault.login.keys: is missing: ${fixes.keys}`],
    },
    {
      what: "jwt login with empty keys",
      config: external({ login: { method: "jwt", keys: {} } }),
      problems: [`vault.login.keys: {}: ${fixes.keys}`],
    },
    {
      what: "jwt login with no public key",
      config: external({ login: { method: "jwt", keys: { publicKeys: [] } } }),
      problems: ["vault.login.keys.publicKeys: []: write at least one public key, PEM"],
    },

    {
      what: "namespace that is no DNS label",
      config: { namespaces: { aidbox: "Aid Box" } },
      problems: [`namespaces.aidbox: "Aid Box": ${fixes.label}`],
    },
    {
      what: "release that is no DNS label",
      config: vault({ release: "vault-" }),
      problems: [`vault.release: "vault-": ${fixes.serviceName}`],
    },
    {
      what: "sizes without unit or with another",
      config: aidbox({ resources: { memoryRequest: "512", memoryLimit: "4GB" } }),
      problems: [
        `aidbox.resources.memoryRequest: "512": ${fixes.size}`,
        `aidbox.resources.memoryLimit: "4GB": ${fixes.size}`,
      ],
    },
    {
      what: "CPU of none",
      config: aidbox({ resources: { cpuRequest: "0m" } }),
      problems: [`aidbox.resources.cpuRequest: "0m": ${fixes.cpu}`],
    },

    {
      what: "chart folder that is not there",
      config: vault({ chart: { path: "/nowhere/vault" } }),
      problems: ['vault.chart.path: "/nowhere/vault": is not there: write the path of the chart\'s folder or archive'],
    },
    {
      what: "driver's chart folder that is not there",
      config: { csiDriver: { chart: { path: "/nowhere/driver" } } },
      problems: [
        'csiDriver.chart.path: "/nowhere/driver": is not there: write the path of the chart\'s folder or archive',
      ],
    },
    {
      what: "chart with neither repository nor path",
      config: vault({ chart: { version: "0.34.1" } }),
      problems: [
        'vault.chart: {"version":"0.34.1"}: write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive',
      ],
    },
  ])("$what", ({ config, problems }) => {
    expect(errorOf({ ...minimalDev, ...config }).message).toBe(messageOf(...problems));
  });

  it.each([
    "healthsamurai/aidboxone",
    "healthsamurai/aidboxone:edge",
    "healthsamurai/aidboxone:latest",
    "healthsamurai/aidboxone:2501",
    "healthsamurai/aidboxone:2601",
    "registry.example.com:5000/aidboxone",
    "healthsamurai/aidboxone@sha256:0a0a",
  ])("image that may be older than 2602 or change: %s", (moving) => {
    expect(errorOf({ ...minimalDev, aidbox: { image: moving } }).message).toBe(
      messageOf(`aidbox.image: "${moving}": ${fixes.image}`),
    );
  });

  it("Vault in dev mode without a word on development", () => {
    expect(errorOf(without("development")).message).toBe(messageOf(`vault.mode: ${fixes.dev}`));
  });
});

describe("a key that is missing, of the wrong type or out of its range", () => {
  const dev = (change: Config): Config => ({ ...minimalDev, ...change });
  const row = (change: object): Config => dev({ secrets: [{ ...clientSecret, ...change }] });
  const vault = (change: object): Config => dev({ vault: { ...devVault, ...change } });
  const external = (change: object): Config => ({ ...minimalExternal, vault: { ...externalVault, ...change } });
  const aidbox = (change: object): Config => dev({ aidbox: { image, ...change } });
  const text = "write text";
  const object = "write an object with keys";

  it.each<{ what: string; config: Config; problem: string }>([
    {
      what: "no kubeContext",
      config: without("kubeContext"),
      problem: `kubeContext: is missing: ${fixes.context}`,
    },
    { what: "no table", config: without("secrets"), problem: `secrets: is missing: ${fixes.table}` },
    {
      what: "no vault",
      config: without("vault"),
      problem: `vault: is missing: ${fixes.mode}; or, in its place, write azureKeyVault for Azure Key Vault or awsSecrets for AWS`,
    },
    { what: "no mode of Vault", config: dev({ vault: {} }), problem: `vault.mode: is missing: ${fixes.mode}` },
    { what: "no aidbox", config: without("aidbox"), problem: `aidbox: is missing: ${fixes.aidbox}` },
    { what: "no image", config: dev({ aidbox: {} }), problem: `aidbox.image: is missing: ${fixes.imageType}` },
    {
      what: "a secret without a name",
      config: dev({ secrets: [{ path: "aidbox/client" }] }),
      problem: `secrets[0].name: is missing: ${fixes.secretName}`,
    },
    {
      what: "a secret whose name is null",
      config: row({ name: null }),
      problem: `secrets[0].name: null: ${fixes.secretName}`,
    },
    {
      what: "a later secret without a name",
      config: dev({ secrets: [clientSecret, { path: "aidbox/db" }] }),
      problem: `secrets[1].name: is missing: ${fixes.secretName}`,
    },
    {
      what: "a secret without a path",
      config: dev({ secrets: [{ name: "client-secret" }] }),
      problem: `secrets[0].path: is missing: ${fixes.secretPath}`,
    },
    {
      what: "a scope without a resource type",
      config: row({ scope: { id: "basic" } }),
      problem: "secrets[0].scope.resourceType: is missing: write a FHIR resource type, as Client",
    },

    { what: "kubeContext, empty", config: dev({ kubeContext: "" }), problem: `kubeContext: "": ${fixes.context}` },
    {
      what: "kubeContext, a number",
      config: dev({ kubeContext: 5 }),
      problem: `kubeContext: 5: ${fixes.context}: put it in quotes`,
    },
    {
      what: "development, a word",
      config: { ...minimalExternal, development: "yes" },
      problem: 'development: "yes": write true or false',
    },
    { what: "the table, an object", config: dev({ secrets: {} }), problem: `secrets: {}: ${fixes.table}` },
    {
      what: "a secret's key, a number",
      config: row({ key: 5 }),
      problem: `secrets[0].key: 5: ${text}: put it in quotes`,
    },
    { what: "a secret's file, null", config: row({ file: null }), problem: `secrets[0].file: null: ${text}` },
    { what: "mountPath, a number", config: dev({ mountPath: 5 }), problem: `mountPath: 5: ${text}: put it in quotes` },
    {
      what: "csiDriver.install, a word",
      config: dev({ csiDriver: { install: "no" } }),
      problem: 'csiDriver.install: "no": write true or false',
    },
    {
      what: "the values of a chart, a word",
      config: vault({ values: "debug" }),
      problem: 'vault.values: "debug": write an object of the chart\'s values',
    },
    {
      what: "vault.csiProvider, a word",
      config: vault({ csiProvider: "x" }),
      problem: 'vault.csiProvider: "x": write true or false',
    },
    { what: "namespaces, a word", config: dev({ namespaces: "x" }), problem: `namespaces: "x": ${object}` },
    { what: "csiDriver, a truth value", config: dev({ csiDriver: true }), problem: `csiDriver: true: ${object}` },
    { what: "a scope, a word", config: row({ scope: "Client" }), problem: `secrets[0].scope: "Client": ${object}` },
    { what: "resources, null", config: aidbox({ resources: null }), problem: `aidbox.resources: null: ${object}` },
    {
      what: "the plain settings, a list",
      config: aidbox({ environment: ["BOX_X"] }),
      problem: `aidbox.environment: ["BOX_X"]: ${object}`,
    },
    {
      what: "rotationBound, a number",
      config: dev({ rotationBound: 90 }),
      problem: "rotationBound: 90: write the bound as a whole number with its unit: 90s, 5m or 1h",
    },
    {
      what: "the Republisher, a word",
      config: dev({ republisher: "curl" }),
      problem: `republisher: "curl": ${object}`,
    },
    {
      what: "the Republisher's image, a number",
      config: dev({ republisher: { image: 8 } }),
      problem:
        "republisher.image: 8: write the image with its tag, and without https://, as docker.io/curlimages/curl:8.17.0",
    },
    {
      what: "vault.tokenTtl, a number",
      config: vault({ tokenTtl: 60 }),
      problem: "vault.tokenTtl: 60: write the life of a login as a whole number with its unit: 90s, 5m or 1h",
    },
    {
      what: "a CPU request, a number",
      config: aidbox({ resources: { cpuRequest: 500 } }),
      problem: `aidbox.resources.cpuRequest: 500: ${fixes.cpu}`,
    },
    {
      what: "a memory request, a number",
      config: aidbox({ resources: { memoryRequest: 2 } }),
      problem: `aidbox.resources.memoryRequest: 2: ${fixes.size}`,
    },
    {
      what: "vault.role, a number",
      config: vault({ role: 5 }),
      problem: `vault.role: 5: ${fixes.role}: put it in quotes`,
    },
    {
      what: "vault.databaseMount, a number",
      config: vault({ databaseMount: 5 }),
      problem: `vault.databaseMount: 5: ${text}: put it in quotes`,
    },
    {
      what: "vault.databaseMount, null",
      config: external({ databaseMount: null }),
      problem: `vault.databaseMount: null: ${text}`,
    },
    {
      what: "vault.databaseMount, an object as KV's",
      config: vault({ databaseMount: { path: "database" } }),
      problem: `vault.databaseMount: {"path":"database"}: ${text}`,
    },
    {
      what: "vault.kvMount.owned, a word",
      config: vault({ kvMount: { owned: "yes" } }),
      problem: 'vault.kvMount.owned: "yes": write true or false',
    },
    {
      what: "vault.localPort, text",
      config: vault({ localPort: "8200" }),
      problem: 'vault.localPort: "8200": write a whole number: leave the quotes out',
    },
    { what: "aidbox, a word", config: dev({ aidbox: "2602" }), problem: `aidbox: "2602": ${fixes.aidbox}` },
    { what: "the image, a number", config: aidbox({ image: 2602 }), problem: `aidbox.image: 2602: ${fixes.imageType}` },
    {
      what: "replicas, text",
      config: aidbox({ replicas: "2" }),
      problem: 'aidbox.replicas: "2": write a whole number: leave the quotes out',
    },
    {
      what: "replicas, a fraction",
      config: aidbox({ replicas: 1.5 }),
      problem: "aidbox.replicas: 1.5: write a whole number",
    },
    {
      what: "a plain setting, a number",
      config: aidbox({ environment: { BOX_X: 1 } }),
      problem: `aidbox.environment.BOX_X: 1: ${text}: put it in quotes`,
    },

    { what: "no replicas", config: aidbox({ replicas: 0 }), problem: "aidbox.replicas: 0: write 1 or more" },
    {
      what: "a local port of the system",
      config: vault({ localPort: 80 }),
      problem: "vault.localPort: 80: write a port from 1024 to 65535",
    },
    {
      what: "a local port past the last",
      config: vault({ localPort: 65536 }),
      problem: "vault.localPort: 65536: write a port from 1024 to 65535",
    },
    {
      what: "a plain setting whose name is no variable's",
      config: aidbox({ environment: { "a-b": "1" } }),
      problem: "aidbox.environment.a-b: write a variable's name",
    },
    {
      what: "an unknown mode of Vault, alone",
      config: dev({ vault: { mode: "prod" } }),
      problem: `vault.mode: "prod": ${fixes.mode}`,
    },
    {
      what: "an unknown mode of Vault, without the keys beside it",
      config: external({ mode: "prod" }),
      problem: `vault.mode: "prod": ${fixes.mode}`,
    },
    {
      what: "an unknown method of login, without the keys beside it",
      config: external({ login: { method: "oidc", mount: "clusters/prod" } }),
      problem: `vault.login.method: "oidc": ${fixes.method}`,
    },
  ])("$what", ({ config, problem }) => {
    expect(errorOf(config).message).toBe(messageOf(problem));
  });
});

describe("the memory of a pod", () => {
  const aidbox = (resources: object): Config => ({ ...minimalDev, aidbox: { image, resources } });
  const tooLow = (limit: string, request: string): string =>
    `aidbox.resources: memoryLimit "${limit}" is less than memoryRequest "${request}": ` +
    "raise the limit or lower the request";

  it.each<{ what: string; resources: object; problem: string }>([
    {
      what: "below the request",
      resources: { memoryRequest: "3072Mi", memoryLimit: "2048Mi" },
      problem: tooLow("2048Mi", "3072Mi"),
    },
    {
      what: "below a request in another unit",
      resources: { memoryRequest: "1.5Gi", memoryLimit: "1535Mi" },
      problem: tooLow("1535Mi", "1.5Gi"),
    },
    {
      what: "below the default request",
      resources: { memoryLimit: "2047Mi" },
      problem: tooLow("2047Mi", "2Gi"),
    },
  ])("has no limit $what", ({ resources, problem }) => {
    expect(errorOf(aidbox(resources)).message).toBe(messageOf(problem));
  });

  it("has no request above the default limit", () => {
    expect(errorOf(aidbox({ memoryRequest: "4097Mi" })).message).toBe(messageOf(tooLow("4Gi", "4097Mi")));
  });

  it.each([
    { memoryRequest: "1Gi", memoryLimit: "1024Mi" },
    { memoryRequest: "4Gi" },
    { memoryLimit: "2Gi" },
    { memoryRequest: "512Mi", memoryLimit: "1Gi" },
  ])("may be %j, with a limit of the request or more", (resources) => {
    expect(check({ aidbox: { image, resources } }).aidbox.resources).toMatchObject(resources);
  });
});

describe("several problems", () => {
  const error = errorOf({
    kubeContext: "kind-aidbox",
    rotationBound: "5s",
    secrets: [{ ...clientSecret, path: "/aidbox" }, clientSecret],
    vault: { ...devVault, tokenTtl: "1" },
    aidbox: { image: "aidboxone:edge", port: 8080 },
    unknown: true,
  });
  const problems = [
    { key: "vault.tokenTtl", message: '"1": write the life of a login as a whole number with its unit: 90s, 5m or 1h' },
    { key: "aidbox.image", message: `"aidboxone:edge": ${fixes.image}` },
    { key: "aidbox.port", message: fixes.key },
    { key: "unknown", message: fixes.key },
    { key: "secrets[1].name", message: '"client-secret": is that of secrets[0] too: give each its own' },
    { key: "secrets[0].path", message: `"/aidbox": ${fixes.path}` },
    { key: "vault.mode", message: fixes.dev },
    {
      key: "rotationBound",
      message: '"5s": a publication takes up to 5 s by itself: write 10s or more',
    },
  ];

  it("are said in one message: the schema's, the table's and those between keys", () => {
    expect(error.message).toBe(messageOf(...problems.map(({ key, message }) => `${key}: ${message}`)));
  });

  it("are said together also where a row has an unknown key: both mounts", () => {
    const config = {
      ...minimalDev,
      secrets: [{ ...clientSecret, foo: 1 }],
      mountPath: "x",
      vault: { ...devVault, kvMount: { path: "/kv" } },
    };
    expect(errorOf(config).message).toBe(
      messageOf(
        `secrets[0].foo: ${fixes.key}`,
        `mountPath: "x": ${fixes.mountPath}`,
        `vault.kvMount.path: "/kv": ${fixes.kvMount}`,
      ),
    );
  });

  it("are said together also where the schema fails: a chart that is not there", () => {
    const chart = { path: "/nowhere" };
    const config = { ...minimalDev, foo: 1, csiDriver: { chart }, vault: { mode: "prod", chart } };
    const isNotThere = '"/nowhere": is not there: write the path of the chart\'s folder or archive';
    expect(errorOf(config).message).toBe(
      messageOf(
        `vault.mode: "prod": ${fixes.mode}`,
        `foo: ${fixes.key}`,
        `csiDriver.chart.path: ${isNotThere}`,
        `vault.chart.path: ${isNotThere}`,
      ),
    );
  });

  it("are said together also where the schema fails: what CHARTS_DIR lacks", () => {
    const notAFolder =
      'CHARTS_DIR "/nowhere" is not a folder: write the path of the folder with the charts, or unset CHARTS_DIR';
    expect(errorOf({ ...minimalDev, foo: 1 }, "/nowhere").message).toBe(
      messageOf(`foo: ${fixes.key}`, `csiDriver.chart: ${notAFolder}`, `vault.chart: ${notAFolder}`),
    );
  });

  it("can be read one by one", () => {
    expect(error).toMatchObject({ name: "ConfigError", environment: "dev" });
    expect(error.problems).toEqual(problems);
  });
});

describe("the charts", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "charts-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const missing = (key: string, name: string, from: string): string =>
    `${key}.chart: CHARTS_DIR "${from}" has no ${name}: put the chart's folder or archive there, or unset CHARTS_DIR`;
  const notAFolder = (key: string, from: string): string =>
    `${key}.chart: CHARTS_DIR "${from}" is not a folder: write the path of the folder with the charts, or unset CHARTS_DIR`;
  const addFolder = (name: string): void => {
    mkdirSync(join(folder, name));
  };
  const addArchive = (name: string): void => {
    writeFileSync(join(folder, name), "");
  };

  it("of a repository have the name of their chart", () => {
    const repository = "https://charts.example.com";
    const { charts } = check({
      csiDriver: { chart: { repository, version: "1.6.0" } },
      vault: { ...devVault, chart: { repository, version: "0.34.1" } },
    });
    expect(charts).toEqual({
      csiDriver: { repository, version: "1.6.0", name: "secrets-store-csi-driver" },
      store: { repository, version: "0.34.1", name: "vault" },
    });
  });

  it("of a local path are used where they are", () => {
    const path = join(folder, "vault");
    addFolder("vault");
    expect(check({ vault: { ...devVault, chart: { path } } }).charts.store).toEqual({ path });
  });

  it("in folders of CHARTS_DIR are found", () => {
    addFolder("secrets-store-csi-driver");
    addFolder("vault");
    expect(check({}, folder).charts).toEqual({
      csiDriver: { path: join(folder, "secrets-store-csi-driver") },
      store: { path: join(folder, "vault") },
    });
  });

  it("in archives of CHARTS_DIR are found", () => {
    addArchive("secrets-store-csi-driver-1.6.0.tar.gz");
    addArchive("vault-0.34.1.tgz");
    expect(check({}, folder).charts).toEqual({
      csiDriver: { path: join(folder, "secrets-store-csi-driver-1.6.0.tar.gz") },
      store: { path: join(folder, "vault-0.34.1.tgz") },
    });
  });

  it("of CHARTS_DIR are used instead of the config's", () => {
    addFolder("secrets-store-csi-driver");
    addFolder("vault");
    const chart = { repository: "https://charts.example.com", version: "0.34.1" };
    expect(check({ vault: { ...devVault, chart } }, folder).charts.store).toEqual({ path: join(folder, "vault") });
  });

  it("that CHARTS_DIR lacks are named", () => {
    addFolder("vault");
    addFolder("secrets-store-csi-driver-1.6.0");
    expect(errorOf(minimalDev, folder).message).toBe(
      messageOf(missing("csiDriver", "secrets-store-csi-driver", folder)),
    );
  });

  it("are not looked up elsewhere where CHARTS_DIR is not there", () => {
    expect(errorOf(minimalDev, "/nowhere").message).toBe(
      messageOf(notAFolder("csiDriver", "/nowhere"), notAFolder("vault", "/nowhere")),
    );
  });

  it("are not looked up elsewhere where CHARTS_DIR is a file", () => {
    addArchive("vault-0.34.1.tgz");
    const file = join(folder, "vault-0.34.1.tgz");
    expect(errorOf(minimalDev, file).message).toBe(messageOf(notAFolder("csiDriver", file), notAFolder("vault", file)));
  });

  it("are not looked up elsewhere where CHARTS_DIR is below a file", () => {
    const below = "/etc/hostname/x";
    expect(errorOf(minimalDev, below).message).toBe(
      messageOf(notAFolder("csiDriver", below), notAFolder("vault", below)),
    );
  });

  it.each([
    { key: "vault", name: "vault", other: "vault-secrets-operator-0.9.1.tgz" },
    {
      key: "csiDriver",
      name: "secrets-store-csi-driver",
      other: "secrets-store-csi-driver-provider-gcp-1.0.0.tgz",
    },
  ])("of CHARTS_DIR: $other is not taken for $name", ({ key, name, other }) => {
    addFolder(key === "vault" ? "secrets-store-csi-driver" : "vault");
    addArchive(other);
    expect(errorOf(minimalDev, folder).message).toBe(messageOf(missing(key, name, folder)));
  });

  it.each([
    { driver: "secrets-store-csi-driver-1.6.0.tgz", vault: "vault-0.34.1.tgz" },
    { driver: "secrets-store-csi-driver.tgz", vault: "vault.tgz" },
  ])("of CHARTS_DIR: $driver and $vault are found among charts that are named alike", ({ driver, vault }) => {
    for (const archive of [
      "secrets-store-csi-driver-provider-gcp-1.0.0.tgz",
      "vault-0.34.1.tgz.prov",
      "vault-secrets-operator-0.9.1.tgz",
      driver,
      vault,
    ]) {
      addArchive(archive);
    }
    expect(check({}, folder).charts).toEqual({
      csiDriver: { path: join(folder, driver) },
      store: { path: join(folder, vault) },
    });
  });

  it("of CHARTS_DIR need not have the driver where the cluster has it", () => {
    addFolder("vault");
    expect(check({ csiDriver: { install: false } }, folder).charts).toEqual({
      csiDriver: undefined,
      store: { path: join(folder, "vault") },
    });
  });
});

it("of a stack's config, only the project's own keys count, and not those that hold secrets", () => {
  const config = {
    "aidbox-secrets:kubeContext": "kind-aidbox",
    "aidbox-secrets:values": { "client-secret": "s3cret" },
    "aidbox-secrets:vaultToken": "hvs.s3cret",
    "kubernetes:context": "other",
    "aidbox-secrets-more:kubeContext": "other",
  };
  expect(ownKeys(config)).toEqual({ kubeContext: "kind-aidbox" });
});
