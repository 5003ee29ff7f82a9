import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Chart, Testing } from "cdk8s";
import { parseDocument } from "yaml";
import type { Environment, VaultEnvironment } from "../../../infra/config/environment";
import { readEnvironment } from "../../../infra/config/environment-file";
import { aidboxChart, chartName, namespacesChart, postgresChart } from "../../../infra/stack/charts";
import { guardsChart } from "../../../infra/stack/stores/vault/guards";
import { writeYaml } from "../../../infra/stack/write-yaml";
import {
  containerOf,
  environmentOf,
  manifestOf,
  manifestsOf,
  podOf,
  providerObjectsOf,
  yamlOf,
} from "../../constructs/kubernetes/fixtures";
import { checkVaultEnvironment, ofVault } from "../vault-environment";

const root = join(__dirname, "../../..");
const fixtures = join(root, "test/environments");

function developmentEnvironment(): VaultEnvironment {
  const { CHARTS_DIR } = process.env;
  delete process.env.CHARTS_DIR;
  try {
    return ofVault(readEnvironment(fixtures, "dev").environment);
  } finally {
    if (CHARTS_DIR !== undefined) process.env.CHARTS_DIR = CHARTS_DIR;
  }
}

const development = developmentEnvironment();

/** Parts of what signs Aidbox's tokens. */
const keyParts = ["private", "public", "secret"];

const production = checkVaultEnvironment("prod", {
  kubeContext: "prod",
  mountPath: "/mnt/secrets",
  rotationBound: "5m",
  namespaces: { aidbox: "prod-aidbox", vault: "prod-vault" },
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "db-password", path: "aidbox/db", key: "password", environment: "BOX_DB_PASSWORD" },
    { name: "license", path: "aidbox/box", environment: "BOX_LICENSE" },
    { name: "tls-key", path: "aidbox/tls", file: "tls/key.pem" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  ],
  vault: {
    mode: "external",
    address: "https://vault.example.com",
    addressFromHere: "https://localhost:8200",
    vaultNamespace: "health",
    caCertPath: "/vault/tls/ca.crt",
    role: "aidbox-prod",
    audience: "vault-prod",
    kvMount: { path: "teams/kv" },
    login: { method: "jwt", mount: "clusters/prod", keys: { discoveryUrl: "https://issuer.example.com" } },
  },
  aidbox: {
    name: "box",
    image: "registry.example.com:5000/aidboxone:2603",
    replicas: 3,
    readOnlyRootFilesystem: false,
    resources: { cpuRequest: "1500m", memoryRequest: "1.5Gi", memoryLimit: "6Gi" },
    environment: { BOX_WEB_BASE_URL: "https://aidbox.example.com" },
  },
});

function aidboxOf(environment: VaultEnvironment, vaultAddress?: string): Chart {
  return aidboxChart(Testing.app(), environment, vaultAddress);
}

function namespacesOf(environment: VaultEnvironment, labels?: Record<string, string>): Chart {
  return namespacesChart(Testing.app(), environment, labels);
}

describe.each([development, production])("the environment $name", (environment) => {
  it("has these namespaces", () => {
    expect(yamlOf(namespacesOf(environment))).toMatchSnapshot();
  });

  it("has this Aidbox", () => {
    expect(yamlOf(aidboxOf(environment))).toMatchSnapshot();
  });

  it("is the same YAML each time", () => {
    expect(yamlOf(aidboxOf(environment))).toBe(yamlOf(aidboxOf(environment)));
  });
});

describe("the namespaces", () => {
  it.each([
    { environment: development, vault: "vault", aidbox: "aidbox" },
    { environment: production, vault: "prod-vault", aidbox: "prod-aidbox" },
  ])("$vault and $aidbox are restricted, the CSI provider's own is not", ({ environment, vault, aidbox }) => {
    const levels = manifestsOf(namespacesOf(environment)).map(({ metadata }) => [
      metadata.name,
      metadata.labels?.["pod-security.kubernetes.io/enforce"],
    ]);
    const provider = environment.vault.csiProvider ? { "vault-csi-provider": "privileged" } : {};
    expect(Object.fromEntries(levels)).toEqual({ [vault]: "restricted", [aidbox]: "restricted", ...provider });
  });

  it("all have the given labels", () => {
    const labels = { "aidbox-secrets/stack": "dev" };
    const namespaces = manifestsOf(namespacesOf(development, labels));
    expect(namespaces).toHaveLength(3);
    for (const { metadata } of namespaces) expect(metadata.labels).toMatchObject(labels);
  });
});

describe("the CSI provider's right to make tokens", () => {
  const guards = (change: object = {}): Chart =>
    guardsChart(Testing.app(), checkVaultEnvironment("dev", { ...minimal, ...change }));
  const minimal = {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  };

  it("is ended, for its account alone", () => {
    const [policy, binding] = manifestsOf(guards()).filter(({ kind }) => kind.startsWith("ValidatingAdmission"));
    expect(policy).toMatchObject({
      metadata: { name: "vault-node-csi-provider-tokens" },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules: [{ operations: ["CREATE"], resources: ["serviceaccounts/token"] }] },
        matchConditions: [
          {
            expression:
              'request.userInfo.username == "system:serviceaccount:vault-csi-provider:vault-node-csi-provider"',
          },
        ],
        validations: [{ expression: "false" }],
      },
    });
    expect(policy!.metadata).not.toHaveProperty("namespace");
    expect(binding).toMatchObject({
      spec: { policyName: "vault-node-csi-provider-tokens", validationActions: ["Deny"] },
    });
  });

  it("is named after its release, and left alone where the provider is another's", () => {
    const named = guards({ vault: { mode: "dev", release: "store" }, namespaces: { csiProvider: "nodes" } });
    expect(yamlOf(named)).toContain("system:serviceaccount:nodes:store-node-csi-provider");
    const allowFrom = [{ podLabels: { app: "provider" } }];
    expect(yamlOf(guards({ vault: { mode: "dev", csiProvider: false, allowFrom } }))).not.toContain("Validating");
  });
});

describe("development and production, from the same code", () => {
  const dev = aidboxOf(development);
  const prod = aidboxOf(production);
  const parametersOf = (chart: Chart) => manifestOf(chart, "SecretProviderClass").spec!.parameters!;

  it("log in at the cluster's own Vault, and at the external one", () => {
    const loginOf = (chart: Chart) => ({ ...parametersOf(chart), objects: undefined });
    expect(loginOf(dev)).toEqual({
      vaultAddress: "http://vault.vault:8200",
      roleName: "aidbox",
      audience: "vault",
      vaultAuthMountPath: "kubernetes",
    });
    expect(loginOf(prod)).toEqual({
      vaultAddress: "https://vault.example.com",
      roleName: "aidbox-prod",
      audience: "vault-prod",
      vaultAuthMountPath: "clusters/prod",
      vaultNamespace: "health",
      vaultCACertPath: "/vault/tls/ca.crt",
    });
  });

  it("fetch the secrets of their own tables", () => {
    expect(providerObjectsOf(dev)).toEqual([
      { objectName: "client-secret", secretPath: "secret/data/aidbox/client", secretKey: "client-secret" },
    ]);
    expect(providerObjectsOf(prod)).toEqual([
      { objectName: "client-secret", secretPath: "teams/kv/data/aidbox/client", secretKey: "client-secret" },
      { objectName: "db-password", secretPath: "teams/kv/data/aidbox/db", secretKey: "password" },
      { objectName: "license", secretPath: "teams/kv/data/aidbox/box", secretKey: "license" },
      { objectName: "tls/key.pem", secretPath: "teams/kv/data/aidbox/tls", secretKey: "tls-key" },
      ...keyParts.map((part) => ({
        objectName: `auth-keys-${part}`,
        secretPath: "teams/kv/data/aidbox/auth-keys",
        secretKey: part,
      })),
    ]);
  });

  it("sync to a Kubernetes Secret only where a secret must be environment", () => {
    expect(manifestOf(dev, "SecretProviderClass").spec).not.toHaveProperty("secretObjects");
    expect(manifestOf(prod, "SecretProviderClass").spec!.secretObjects).toEqual([
      {
        secretName: "box-environment",
        type: "Opaque",
        data: [
          { objectName: "db-password", key: "BOX_DB_PASSWORD" },
          { objectName: "license", key: "BOX_LICENSE" },
          ...keyParts.map((part) => ({
            objectName: `auth-keys-${part}`,
            key: `BOX_SECURITY_AUTH_KEYS_${part.toUpperCase()}`,
          })),
        ],
      },
    ]);
    expect(environmentOf(prod)).toMatchObject({
      BOX_DB_PASSWORD: { valueFrom: { secretKeyRef: { name: "box-environment", key: "BOX_DB_PASSWORD" } } },
      BOX_LICENSE: { valueFrom: { secretKeyRef: { name: "box-environment", key: "BOX_LICENSE" } } },
    });
  });

  it("mount the files read-only, each in its own folder", () => {
    for (const [chart, name, mountPath] of [
      [dev, "aidbox", "/run/vault-secrets"],
      [prod, "box", "/mnt/secrets"],
    ] as const) {
      expect(environmentOf(chart, name).AIDBOX_SECRET_FILES_DIRS).toEqual({ value: mountPath });
      expect(containerOf(chart, name).volumeMounts).toContainEqual({
        name: "vault-secrets",
        mountPath,
        readOnly: true,
      });
    }
  });

  it("lie in their own namespaces under their own names", () => {
    expect(manifestOf(dev, "Deployment", "aidbox").metadata.namespace).toBe("aidbox");
    expect(manifestOf(prod, "Deployment", "box").metadata.namespace).toBe("prod-aidbox");
    expect(podOf(prod).serviceAccountName).toBe("box");
  });

  it("run their own image, size and settings", () => {
    expect(manifestOf(dev, "Deployment", "aidbox").spec!.replicas).toBe(1);
    expect(containerOf(dev, "aidbox")).toMatchObject({
      image: "healthsamurai/aidboxone:2605",
      resources: { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "4096Mi" } },
      securityContext: { readOnlyRootFilesystem: true },
    });

    expect(manifestOf(prod, "Deployment").spec!.replicas).toBe(3);
    expect(containerOf(prod)).toMatchObject({
      image: "registry.example.com:5000/aidboxone:2603",
      resources: { requests: { cpu: "1500m", memory: "1536Mi" }, limits: { memory: "6144Mi" } },
      securityContext: { readOnlyRootFilesystem: false },
    });
    expect(environmentOf(prod).BOX_WEB_BASE_URL).toEqual({ value: "https://aidbox.example.com" });
  });

  it("log in where the program says, if it knows Vault's address better", () => {
    expect(parametersOf(aidboxOf(development, "http://10.0.0.1:8200")).vaultAddress).toBe("http://10.0.0.1:8200");
  });

  it("can be in one app, with no object twice", () => {
    const app = Testing.app();
    const charts = [namespacesChart(app, development), aidboxChart(app, development)];
    const objects = charts.flatMap((chart) =>
      manifestsOf(chart).map(({ kind, metadata }) => `${kind} ${String(metadata.name)}`),
    );
    expect(objects).toHaveLength(16);
    expect(new Set(objects).size).toBe(16);
  });
});

describe("an environment with tenants", () => {
  const clinic = (name: string, change: object = {}) => ({
    name,
    secrets: [{ name: "client-secret", path: `${name}/client` }],
    ...change,
  });
  const withTenants = checkVaultEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
    tenants: [clinic("north"), clinic("south", { namespace: "southern", aidbox: { name: "box", servicePort: 80 } })],
  });
  const all = [withTenants, ...withTenants.tenants];
  const [first, north, south] = all.map((environment) => aidboxOf(environment)) as [Chart, Chart, Chart];

  it("has a restricted namespace for each Aidbox, and for Vault, and one for the CSI provider", () => {
    const labels = { "aidbox-secrets/stack": "dev" };
    const namespaces = manifestsOf(namespacesOf(withTenants, labels)).map(({ metadata }) => metadata);
    expect(namespaces.map(({ name, labels: own }) => [name, own!["pod-security.kubernetes.io/enforce"]])).toEqual([
      ["vault", "restricted"],
      ["vault-csi-provider", "privileged"],
      ["aidbox", "restricted"],
      ["aidbox-north", "restricted"],
      ["southern", "restricted"],
    ]);
    for (const { labels: own } of namespaces) expect(own).toMatchObject(labels);
  });

  it("has a chart for each Aidbox, named after its tenant", () => {
    expect(all.map((each) => chartName(each))).toEqual(["aidbox", "aidbox-north", "aidbox-south"]);
    expect([first, north, south].map(({ node }) => node.id)).toEqual(["aidbox", "aidbox-north", "aidbox-south"]);
  });

  it("has each Aidbox in its own namespace, as it wants to be", () => {
    const deployments = [
      { chart: first, name: "aidbox", namespace: "aidbox", replicas: 1 },
      { chart: north, name: "aidbox", namespace: "aidbox-north", replicas: 1 },
      { chart: south, name: "box", namespace: "southern", replicas: 1 },
    ];
    for (const { chart, name, namespace, replicas } of deployments) {
      expect(manifestOf(chart, "Deployment", name)).toMatchObject({ metadata: { namespace }, spec: { replicas } });
      const elsewhere = manifestsOf(chart).filter(({ metadata }) => metadata.namespace !== namespace);
      expect(elsewhere.map(({ kind }) => kind)).toEqual([
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
      ]);
    }
  });

  it("has each log in at the one Vault by a role of its own, for its own path alone", () => {
    const login = (chart: Chart) => {
      const { vaultAddress, roleName, vaultAuthMountPath } = manifestOf(chart, "SecretProviderClass").spec!.parameters!;
      return [vaultAddress, vaultAuthMountPath, roleName];
    };
    const at = ["http://vault.vault:8200", "kubernetes"];
    expect([first, north, south].map(login)).toEqual([
      [...at, "aidbox"],
      [...at, "aidbox-north"],
      [...at, "aidbox-south"],
    ]);
    expect([first, north, south].flatMap((chart) => providerObjectsOf(chart))).toMatchObject([
      { secretPath: "secret/data/aidbox/client" },
      { secretPath: "secret/data/north/client" },
      { secretPath: "secret/data/south/client" },
    ]);
  });

  it("has a Republisher for each, which sees its own namespace alone", () => {
    expect(
      [
        [first, "aidbox-republisher"] as const,
        [north, "aidbox-republisher"] as const,
        [south, "box-republisher"] as const,
      ].map(([chart, name]) => environmentOf(chart, name).NAMESPACE),
    ).toEqual([{ value: "aidbox" }, { value: "aidbox-north" }, { value: "southern" }]);
  });

  it("has no object twice", () => {
    const app = Testing.app();
    const charts = [namespacesChart(app, withTenants), ...all.map((each) => aidboxChart(app, each))];
    const objects = charts.flatMap((chart) =>
      manifestsOf(chart).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${String(metadata.name)}`),
    );
    expect(objects).toHaveLength(5 + 3 * 12);
    expect(new Set(objects).size).toBe(objects.length);
  });
});

describe("the Republisher", () => {
  const republisher = "box-republisher";
  const withBound = (rotationBound: string, change: Record<string, unknown> = {}): Chart =>
    aidboxOf(
      checkVaultEnvironment("dev", {
        development: true,
        kubeContext: "kind-aidbox",
        secrets: [{ name: "client-secret", path: "aidbox/client" }],
        vault: { mode: "dev" },
        aidbox: { name: "box", image: "healthsamurai/aidboxone:2605" },
        rotationBound,
        ...change,
      }),
    );

  it.each([
    { bound: "30s", interval: "25" },
    { bound: "10s", interval: "5" },
    { bound: "1m", interval: "55" },
    { bound: "89s", interval: "84" },
  ])("keeps the bound $bound by an interval of $interval s, which leaves 5 s for the work", ({ bound, interval }) => {
    expect(environmentOf(withBound(bound), republisher).INTERVAL).toEqual({ value: interval });
  });

  it.each(["90s", "2m", "1h"])("is left out where the bound is %s, which kubelet keeps by itself", (bound) => {
    expect(yamlOf(withBound(bound))).not.toContain("republish");
  });

  it("runs the environment's image, by default that of the curl project", () => {
    expect(containerOf(withBound("30s"), republisher).image).toBe("docker.io/curlimages/curl:8.17.0");
    const image = "registry.example.com/curl:8";
    expect(containerOf(withBound("30s", { republisher: { image } }), republisher).image).toBe(image);
  });

  it("rolls Aidbox for what is environment too, and else nothing", () => {
    const secrets = [
      { name: "client-secret", path: "aidbox/client" },
      { name: "license", path: "aidbox/box", file: "aidbox/license", environment: "BOX_LICENSE" },
    ];
    expect(environmentOf(withBound("30s", { secrets }), republisher)).toMatchObject({
      ROLL_DEPLOYMENT: { value: "box" },
      ROLL_CLASS: { value: "box-vault-secrets" },
      ROLL_OBJECTS: { value: "aidbox/license" },
    });
    expect(environmentOf(withBound("30s"), republisher).ROLL_DEPLOYMENT).toEqual({ value: "" });
  });

  it("is development's, whose file says no bound, and not production's", () => {
    expect(environmentOf(aidboxOf(development), "aidbox-republisher").INTERVAL).toEqual({ value: "25" });
    expect(yamlOf(aidboxOf(production))).not.toContain("republish");
  });
});

describe("the database", () => {
  const withDatabase = (database: object, change: Record<string, unknown> = {}): VaultEnvironment =>
    checkVaultEnvironment("dev", {
      development: true,
      kubeContext: "kind-aidbox",
      namespaces: { aidbox: "health" },
      secrets: [
        { name: "client-secret", path: "aidbox/client" },
        { name: "db-password", path: "aidbox/db", key: "password", environment: "BOX_DB_PASSWORD" },
      ],
      vault: { mode: "dev", role: "box-role" },
      aidbox: { name: "box", image: "healthsamurai/aidboxone:2605" },
      database,
      ...change,
    });
  const everyKey = {
    mode: "development",
    name: "fhir",
    user: "fhir-user",
    image: "registry:5000/postgres:17.9",
    storage: { size: "1.5Gi", storageClass: "fast" },
  };
  const postgresOf = (environment: VaultEnvironment, vaultAddress?: string): Chart =>
    postgresChart(Testing.app(), environment, vaultAddress);
  const own = withDatabase({ mode: "development" });

  it("for development is this PostgreSQL", () => {
    expect(yamlOf(postgresOf(withDatabase(everyKey)))).toMatchSnapshot();
  });

  it("for development lies beside Aidbox, which reaches it by its Service, with its database and user", () => {
    const environment = withDatabase(everyKey);
    const postgres = postgresOf(environment);
    const service = manifestOf(postgres, "Service").metadata;
    expect(service).toMatchObject({ name: "box-postgres", namespace: "health" });
    const { env } = manifestOf(postgres, "StatefulSet").spec!.template.spec!.initContainers![1]!;
    expect(env).toEqual(
      expect.arrayContaining([
        { name: "POSTGRES_DB", value: "fhir" },
        { name: "POSTGRES_USER", value: "fhir-user" },
      ]),
    );
    expect(manifestOf(aidboxOf(environment), "Deployment", "box").metadata.namespace).toBe("health");
    expect(environmentOf(aidboxOf(environment), "box")).toMatchObject({
      BOX_DB_HOST: { value: service.name },
      BOX_DB_PORT: { value: "5432" },
      BOX_DB_DATABASE: { value: "fhir" },
      BOX_DB_USER: { value: "fhir-user" },
      BOX_DB_PASSWORD: { valueFrom: { secretKeyRef: { name: "box-environment", key: "BOX_DB_PASSWORD" } } },
      AIDBOX_DB_PARAM_SSLMODE: { value: "disable" },
    });
  });

  it("for development takes image, size and class", () => {
    const postgres = postgresOf(withDatabase(everyKey));
    expect(manifestOf(postgres, "StatefulSet").spec!.template.spec!.containers[0]!.image).toBe(everyKey.image);
    expect(manifestOf(postgres, "PersistentVolumeClaim").spec).toMatchObject({
      storageClassName: "fast",
      resources: { requests: { storage: "1536Mi" } },
    });
  });

  it("for development logs in by a role of its own, and fetches its password alone", () => {
    const { parameters } = manifestOf(postgresOf(own), "SecretProviderClass").spec!;
    expect(parameters).toMatchObject({ roleName: "box-role-database", vaultAddress: "http://vault.vault:8200" });
    expect(manifestOf(aidboxOf(own), "SecretProviderClass").spec!.parameters!.roleName).toBe("box-role");
    expect(providerObjectsOf(postgresOf(own))).toEqual([
      { objectName: "db-password", secretPath: "secret/data/aidbox/db", secretKey: "password" },
    ]);
    const given = manifestOf(postgresOf(own, "http://10.0.0.1:8200"), "SecretProviderClass").spec!.parameters!;
    expect(given.vaultAddress).toBe("http://10.0.0.1:8200");
  });

  it("for development logs in as Aidbox does at an external Vault", () => {
    const vault = {
      mode: "external",
      address: "https://vault.example.com",
      vaultNamespace: "health",
      caCertPath: "/vault/tls/ca.crt",
      audience: "vault-prod",
      login: { method: "kubernetes", mount: "clusters/prod" },
    };
    const environment = withDatabase({ mode: "development" }, { vault });
    const loginOf = (chart: Chart) => ({
      ...manifestOf(chart, "SecretProviderClass").spec!.parameters!,
      objects: undefined,
    });
    expect(loginOf(postgresOf(environment))).toEqual({
      ...loginOf(aidboxOf(environment)),
      roleName: "aidbox-database",
    });
    expect(loginOf(postgresOf(environment))).toMatchObject({ vaultCACertPath: "/vault/tls/ca.crt" });
  });

  it.each([
    { rotationBound: "30s", interval: "25" },
    { rotationBound: "90s", interval: undefined },
  ])("for development has the new password within $rotationBound too", ({ rotationBound, interval }) => {
    const chart = postgresOf(withDatabase({ mode: "development" }, { rotationBound }));
    if (interval === undefined) expect(yamlOf(chart)).not.toContain("republish");
    else expect(environmentOf(chart, "box-postgres-republisher").INTERVAL).toEqual({ value: interval });
  });

  it("for development has no object that Aidbox or the namespaces have", () => {
    const app = Testing.app();
    const charts = [namespacesChart(app, own), postgresChart(app, own), aidboxChart(app, own)];
    const objects = charts.flatMap((chart) =>
      manifestsOf(chart).map(({ kind, metadata }) => `${kind} ${String(metadata.name)}`),
    );
    expect(new Set(objects).size).toBe(objects.length);
  });

  it("that is there already is reached as the config says, its certificate checked by the CA of the ConfigMap", () => {
    const environment = withDatabase({
      mode: "external",
      host: "postgres.example.com",
      port: 6432,
      tls: { mode: "verify-full", caConfigMap: "postgres-ca", caKey: "root.pem" },
    });
    const chart = aidboxOf(environment);
    expect(environmentOf(chart, "box")).toMatchObject({
      BOX_DB_HOST: { value: "postgres.example.com" },
      BOX_DB_PORT: { value: "6432" },
      AIDBOX_DB_PARAM_SSLMODE: { value: "verify-full" },
      AIDBOX_DB_PARAM_SSLROOTCERT: { value: "/etc/aidbox-database/ca.crt" },
    });
    expect(podOf(chart, "box").volumes).toContainEqual({
      name: "database-ca",
      configMap: { name: "postgres-ca", items: [{ key: "root.pem", path: "ca.crt" }] },
    });
    expect(() => postgresOf(environment)).toThrow(new Error('The environment "dev" has no PostgreSQL for development'));
  });

  it("is none of the stack's by default", () => {
    expect(environmentOf(aidboxOf(production))).not.toHaveProperty("BOX_DB_HOST");
    expect(() => postgresOf(development)).toThrow(new Error('The environment "dev" has no PostgreSQL for development'));
  });

  it("for development is written with the others' YAML", () => {
    const folder = mkdtempSync(join(tmpdir(), "synth-"));
    try {
      writeYamlIn(folder, own);
      expect(readdirSync(join(folder, "dist/dev")).sort()).toEqual([
        "aidbox.k8s.yaml",
        "guards.k8s.yaml",
        "namespaces.k8s.yaml",
        "postgres.k8s.yaml",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** It writes to where it runs. */
function writeYamlIn(folder: string, environment: Environment): void {
  const cwd = process.cwd();
  process.chdir(folder);
  try {
    writeYaml(environment);
  } finally {
    process.chdir(cwd);
  }
}

describe("without Pulumi", () => {
  /** What a process has loaded after each of some modules, that it loads one after the other. */
  function filesLoadedAfter(modules: readonly string[], cwd: string): string[][] {
    const paths = JSON.stringify(modules.map((module) => join(root, module)));
    const script = `console.log(JSON.stringify(${paths}.map((path) => (require(path), Object.keys(require.cache)))))`;
    const output = execFileSync(
      process.execPath,
      ["--require", join(root, "test/jest/typescript.js"), "--eval", script],
      {
        cwd,
        encoding: "utf8",
        env: { ...process.env, AIDBOX_ENV: undefined, CHARTS_DIR: undefined },
      },
    );
    return JSON.parse(output) as string[][];
  }

  const modules = [
    "constructs/secrets/index.ts",
    "constructs/kubernetes/index.ts",
    "infra/config/environment-file.ts",
    "infra/stack/charts.ts",
    "infra/operate/index.ts",
    "infra/cli/operator-commands.ts",
    "infra/cli/vault-commands.ts",
  ];
  const platform = "constructs/platform/index.ts";
  const synth = "infra/program/synth.ts";
  let folder: string;
  let loaded: string[][];
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "synth-"))); // synth writes to where it runs
    copyFileSync(join(fixtures, "Pulumi.dev.yaml"), join(folder, "Pulumi.dev.yaml"));
    loaded = filesLoadedAfter([...modules, synth, platform], folder);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const written = (): string[] => readdirSync(join(folder, "dist/dev")).sort();

  it.each(modules)("%s loads", (module) => {
    const files = loaded[modules.indexOf(module)]!;
    expect(files).toContain(join(root, module));
    expect(files.filter((file) => file.includes("@pulumi"))).toEqual([]);
  });

  describe(synth, () => {
    it("writes an environment's YAML", () => {
      const files = loaded.at(-2)!;
      expect(files).toContain(join(root, synth));
      expect(files.filter((file) => file.includes("@pulumi"))).toEqual([]);
      expect(written()).toEqual(["aidbox.k8s.yaml", "guards.k8s.yaml", "namespaces.k8s.yaml"]);
    });

    it("writes a file more for each tenant", () => {
      const file = join(folder, "Pulumi.dev.yaml");
      const dev = parseDocument(readFileSync(file, "utf8"));
      const tenants = ["north", "south"].map((name) => ({
        name,
        secrets: [{ name: "client-secret", path: `${name}/client` }],
      }));
      dev.setIn(["config", "aidbox-secrets:tenants"], tenants);
      writeFileSync(file, dev.toString());
      writeYamlIn(folder, readEnvironment(folder, "dev").environment);
      expect(written()).toEqual([
        "aidbox-north.k8s.yaml",
        "aidbox-south.k8s.yaml",
        "aidbox.k8s.yaml",
        "guards.k8s.yaml",
        "namespaces.k8s.yaml",
      ]);
      const yaml = (name: string): string => readFileSync(join(folder, "dist/dev", name), "utf8");
      expect(yaml("aidbox-north.k8s.yaml")).toContain("secret/data/north/client");
      expect(yaml("aidbox-north.k8s.yaml")).not.toMatch(/south|aidbox\/client/);
      expect(yaml("namespaces.k8s.yaml").match(/^kind: Namespace$/gm)).toHaveLength(5);
    });
  });

  it(`${platform} does not load, which shows that this test would see Pulumi`, () => {
    expect(loaded.at(-1)!.some((file) => file.includes("@pulumi"))).toBe(true);
  });
});
