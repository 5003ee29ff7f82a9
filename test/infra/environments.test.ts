import { resolve } from "node:path";
import { App, YamlOutputType } from "cdk8s";
import { parseAllDocuments, stringify } from "yaml";
import type { Environment } from "../../infra/config/environment";
import { readEnvironment } from "../../infra/config/environment-file";
import { aidboxChart, namespacesChart, postgresChart } from "../../infra/stack/charts";
import type { Engine, JsonObject, Registration } from "../mocks";
import { type DeployedOnMocks, deployOnMocks } from "./deploy-on-mocks";

const fixtures = resolve(__dirname, "../environments");
const names = ["dev", "staging", "prod"] as const;
const production = ["staging", "prod"] as const;

const chartsDir = process.env.CHARTS_DIR;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

const read = (name: string): Environment => readEnvironment(fixtures, name).environment;

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

interface Deployed extends DeployedOnMocks {
  readonly environment: Environment;
}

const deployments = new Map<string, Promise<Deployed>>();

/** An environment, deployed on mocks once. */
function deploy(name: string): Promise<Deployed> {
  const environment = read(name);
  const deployed = deployments.get(name) ?? deployOnMocks(environment).then((each) => ({ ...each, environment }));
  deployments.set(name, deployed);
  return deployed;
}

const isVaultRelease = ({ type, parent }: Registration): boolean => type === release && parent === "vault";
const vaultRelease = (engine: Engine): Registration => engine.registrations.find(isVaultRelease)!;

const vaultComponent = (engine: Engine): Registration => engine.resourceOf("aidbox-secrets:platform:Vault");

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

  test("keeps its Vault: the release cannot be deleted by accident, and one command lets it go", async () => {
    const { engine } = await deploy(name);
    expect(vaultRelease(engine).protect).toBe(true);
    expect(vaultComponent(engine).protect).toBe(false); // it would hold what lies beside the release too
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
