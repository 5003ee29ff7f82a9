import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { App, YamlOutputType } from "cdk8s";
import { parseAllDocuments, stringify } from "yaml";
import { aidboxChart, namespacesChart, postgresChart } from "../../infra/charts";
import type { ManagedValues } from "../../constructs/vault";
import type { Cluster } from "../../infra/cluster/cluster";
import type { Environment } from "../../infra/config/environment";
import { readEnvironment } from "../../infra/config/environment-file";
import { configuredCa, isStored } from "../../infra/config/vault-server";
import { deployStack, kubernetesProvider } from "../../infra/stack";
import { Engine, FakeVault, type JsonObject, type Registration } from "../mocks";

const root = resolve(__dirname, "../..");
const names = ["dev", "staging", "prod"] as const;
const production = ["staging", "prod"] as const;

const chartsDir = process.env.CHARTS_DIR;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

const read = (name: string): Environment => readEnvironment(root, name).environment;

/** The Kubernetes YAML of an environment, as `npm run synth` writes it. */
function yamlOf(name: string): string {
  const environment = read(name);
  const app = new App({ yamlOutputType: YamlOutputType.FILE_PER_APP });
  namespacesChart(app, environment);
  for (const each of [environment, ...environment.tenants]) {
    if (each.database?.mode === "development") postgresChart(app, each);
    aidboxChart(app, each);
  }
  return app.synthYaml();
}

const release = "kubernetes:helm.sh/v3:Release";
const types = Object.fromEntries(
  [
    "pulumi:providers:kubernetes",
    "pulumi:providers:vault",
    "cdk8s-pulumi:index:DeployedChart",
    "aidbox-secrets:platform:CsiDriver",
    "aidbox-secrets:platform:Vault",
    "aidbox-secrets:platform:VaultCsiProvider",
    "aidbox-secrets:platform:VaultTls",
    "aidbox-secrets:vault:VaultAccess",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:Secret",
    "kubernetes:core/v1:Service",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
    "vault:index/policy:Policy",
    "vault:index/authBackend:AuthBackend",
    "vault:index/mount:Mount",
    "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    "vault:kubernetes/authBackendRole:AuthBackendRole",
    "vault:kv/secretV2:SecretV2",
    "vault:generic/endpoint:Endpoint",
  ].map((type) => [type, type === release ? { status: { status: "deployed" } } : {}]),
);

interface Deployed {
  readonly engine: Engine;
  readonly environment: Environment;
  /** Address by which the program reaches Vault, as by a port-forward. */
  readonly vaultAddress: string;
}

const deployments = new Map<string, Promise<Deployed>>();

/** An environment as it is in the repository, deployed on mocks once. */
function deploy(name: string): Promise<Deployed> {
  const deployed = deployments.get(name) ?? deployAnew(name);
  deployments.set(name, deployed);
  return deployed;
}

async function deployAnew(name: string): Promise<Deployed> {
  const vault = await FakeVault.start();
  const vaultAddress = vault.address;
  vault.secrets.set("aidbox/client", { version: 1, data: { "client-secret": "hunter2" } });
  const environment = read(name);
  const certificates: Cluster["certificates"] = isStored(environment.vault)
    ? {
        ca: { cert: "the CA", key: "the CA's key" },
        server: { cert: "the certificate", key: "its key" },
        former: "",
        trusted: "the CA",
      }
    : undefined;
  const engine = await Engine.start({ types: { ...types, [release]: { status: { status: "deployed" } } } });
  const reachable = { initialized: true, sealed: false, standby: false, version: "2.0.4", clusterId: "1b4f0e98" };
  deployStack({
    environment,
    kubernetes: kubernetesProvider(environment),
    cluster: {
      reachVault: () => Promise.resolve({ address: vaultAddress, ...reachable }),
      daemonSetReady: () => Promise.resolve(),
      repairs: {},
      movesCsiProvider: false,
      prepareCsiProvider: () => Promise.resolve(),
      certificates,
      // None, where the stack's CA would be: the Vault of this test has no TLS.
      vaultCa: configuredCa(environment),
      sealToken: undefined,
    },
    owner: `aidbox-secrets.${name}`,
    managedValues: pulumi.secret<ManagedValues>({}),
    externalVaultToken: pulumi.secret("hvs.stack"),
    sealToken: pulumi.secret(""),
    vaultCommand: "vault",
  });
  await engine.finished();
  await vault.stop();
  return { engine, environment, vaultAddress };
}

const isVaultRelease = ({ type, parent }: Registration): boolean => type === release && parent === "vault";
const vaultRelease = (engine: Engine): Registration => engine.registrations.find(isVaultRelease)!;

const vaultComponent = (engine: Engine): Registration => engine.resourceOf("aidbox-secrets:platform:Vault");

test("these are all environments of the repository", () => {
  const found = readdirSync(root).flatMap((each) => /^Pulumi\.(.+)\.yaml$/.exec(each)?.[1] ?? []);
  expect(found.sort()).toEqual([...names].sort());
});

describe.each(names)("the environment %s", (name) => {
  test("has this Kubernetes YAML", () => {
    expect(yamlOf(name)).toMatchSnapshot();
  });

  test("has these values of Vault's release, whose configuration is JSON", async () => {
    const { values } = vaultRelease((await deploy(name)).engine).inputs as { values: JsonObject };
    expect(stringify(values)).toMatchSnapshot();
    const { standalone, ha } = values.server as {
      standalone?: { config: string };
      ha?: { raft: { config: string } };
    };
    const config = standalone?.config ?? ha?.raft.config;
    if (config !== undefined) expect(JSON.parse(config)).toMatchSnapshot();
  });

  test("touches one context alone, and no other than its own", async () => {
    const { engine, environment } = await deploy(name);
    expect(engine.resourceOf("pulumi:providers:kubernetes").inputs.context).toBe(environment.kubeContext);
  });
});

describe.each(production)("the environment %s", (name) => {
  test("has no address without TLS in its YAML", () => {
    const yaml = yamlOf(name);
    expect(yaml).not.toContain("http://");
    expect(yaml).toContain("https://vault.vault:8200");
    const [provider] = parseAllDocuments(yaml)
      .map((each) => each.toJS() as { kind: string; spec: { parameters: Record<string, string> } })
      .filter(({ kind }) => kind === "SecretProviderClass");
    expect(provider!.spec.parameters).toMatchObject({
      vaultAddress: "https://vault.vault:8200",
      vaultCACertPath: "/vault/ca/ca.crt",
    });
    expect(provider!.spec.parameters).not.toHaveProperty("vaultSkipTLSVerify");
  });

  test("has no address without TLS in what it deploys", async () => {
    const { engine, vaultAddress } = await deploy(name);
    const said = JSON.stringify(engine.registrations.map(({ inputs }) => inputs)).replaceAll(vaultAddress, "");
    expect(said).not.toContain("http://");
    expect(said).not.toMatch(/"tls_?[dD]isable":\s*(true|1|"true")/);
  });

  test("keeps its Vault: neither the component nor the release can be deleted by accident", async () => {
    const { engine } = await deploy(name);
    expect(vaultRelease(engine).protect).toBe(true);
    expect(vaultComponent(engine).protect).toBe(true);
    expect(vaultRelease(engine).inputs.values).toMatchObject({
      server: { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain" } },
    });
  });

  test("is not for development, and has no root token", async () => {
    const { engine, environment } = await deploy(name);
    expect(environment.development).toBe(false);
    expect(engine.names).not.toContain("vault-dev-root-token");
    expect(vaultRelease(engine).inputs.values).not.toHaveProperty(["server", "dev"]);
  });

  test("has its certificates before its servers, which wait with their component", async () => {
    const { engine } = await deploy(name);
    expect(vaultComponent(engine).dependsOn).toEqual(
      expect.arrayContaining(["vault-tls-server", "vault-tls-ca", "vault-tls-ca-key"]),
    );
    const order = ["vault-tls-server", "vault-tls-ca"].map((each) => engine.names.indexOf(each));
    expect(Math.max(...order)).toBeLessThan(engine.registrations.findIndex(isVaultRelease));
  });

  test("mounts the servers' certificate into the servers, and the CA alone into the CSI provider", async () => {
    const { engine } = await deploy(name);
    const { values } = vaultRelease(engine).inputs as { values: { server: JsonObject } };
    const { projected } = (values.server.volumes as { name: string; projected?: object }[]).find(
      (each) => each.name === "tls",
    )!;
    expect(projected).toMatchObject({
      sources: [{ secret: { name: "vault-tls" } }, { configMap: { name: "vault-ca" } }],
    });
    const provider = engine.registrations.find(
      ({ type, name: each }) => type === release && each === "vault-csi-provider",
    )!;
    const { csi } = (provider.inputs as { values: { csi: JsonObject } }).values;
    expect(csi.volumes).toEqual([{ name: "ca", configMap: { name: "vault-node-ca" } }]);
    expect(engine.resource("vault-csi-provider-ca").inputs).toMatchObject({
      metadata: { namespace: "vault-csi-provider" },
      data: { "ca.crt": "the CA" },
    });
  });

  test("mounts the CA's key nowhere, and only its own Secret has it", async () => {
    const { engine } = await deploy(name);
    const others = engine.registrations.filter(({ name: each }) => each !== "vault-tls-ca-key");
    const said = JSON.stringify(others.map(({ inputs }) => inputs));
    expect(said).not.toContain("vault-ca-key");
    expect(said).not.toContain(Buffer.from("the CA's key").toString("base64"));
  });

  test("goes to Vault with the token that it was given, which is secret", async () => {
    const { engine } = await deploy(name);
    expect(engine.resourceOf("pulumi:providers:vault").inputs.token).toEqual({ secret: "hvs.stack" });
  });
});

test("the Vault for development goes with the stack", async () => {
  const { engine } = await deploy("dev");
  expect(vaultRelease(engine).protect).toBe(false);
});

test("the servers of production lie on nodes of their own, as many as its Aidbox", async () => {
  const { engine, environment } = await deploy("prod");
  expect(environment.aidbox.replicas).toBe(3);
  expect(vaultRelease(engine).inputs.values).toMatchObject({
    server: {
      ha: { enabled: true, replicas: 3 },
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname" }],
        },
      },
    },
  });
});
