import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { App } from "cdk8s";
import { KeyVaultError } from "../../../constructs/stores/azure-key-vault";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { type KeyVaultEnvironment } from "../../../infra/config/environment";
import { readEnvironment } from "../../../infra/config/environment-file";
import type { StackValues } from "../../../infra/config/managed-values";
import { aidboxChart, namespacesChart } from "../../../infra/stack/charts";
import { deployStack, kubernetesProvider } from "../../../infra/stack/stack";
import type { KeyVaultStackArgs } from "../../../infra/stack/stack-args";
import { Engine, errorsOf, type Registration } from "../../mocks";

const chartsDir = process.env.CHARTS_DIR;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

const fixtures = resolve(__dirname, "../../environments");
const read = (name: string) => readEnvironment(fixtures, name).environment;

function ofKeyVault(environment = read("azure")): KeyVaultEnvironment {
  if (environment.azureKeyVault === undefined) throw new Error("its store is another");
  return environment;
}

/** All secrets of a key vault, in memory: what the stack asks of it, and nothing of its protocol. */
class MemoryKeyVault {
  public readonly values = new Map<string, string>();

  public read(name: string): Promise<{ value: string; version: string } | undefined> {
    const value = this.values.get(name);
    return Promise.resolve(value === undefined ? undefined : { value, version: "1" });
  }

  public state(name: string): ReturnType<ReturnType<KeyVaultStackArgs["keyVault"]>["state"]> {
    const version = { version: "1", enabled: true, createdAt: new Date(0), tags: {} };
    const versions = this.values.has(name) ? [version] : [];
    return Promise.resolve({ versions, isNewestKnown: true, isDeleted: false });
  }

  public write(name: string, value: string): Promise<{ version: string; others: string[] }> {
    this.values.set(name, value);
    return Promise.resolve({ version: "1", others: [] });
  }

  public recover(): Promise<void> {
    return Promise.reject(new Error("nothing is deleted"));
  }
}

const release = "kubernetes:helm.sh/v3:Release";
const types = Object.fromEntries(
  [
    "pulumi:providers:kubernetes",
    "cdk8s-pulumi:index:DeployedChart",
    "aidbox-secrets:platform:CsiDriver",
    "aidbox-secrets:platform:AzureCsiProvider",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:Service",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
  ].map((type) => [type, {}]),
);

interface Deployed {
  readonly engine: Engine;
  readonly keyVault: MemoryKeyVault;
  /** What of DaemonSets was waited for. */
  readonly awaited: string[];
}

async function deploy(
  environment: KeyVaultEnvironment,
  run: "up" | "first preview" = "up",
  keyVault = new MemoryKeyVault(),
): Promise<Deployed> {
  const awaited: string[] = [];
  const engine = await Engine.start({ run, types: { ...types, [release]: { status: { status: "deployed" } } } });
  const args: KeyVaultStackArgs = {
    environment,
    kubernetes: kubernetesProvider(environment),
    cluster: {
      repairs: {},
      daemonSetReady: ({ namespace, name }) => {
        awaited.push(`${namespace}/${name}`);
        return Promise.resolve();
      },
      secretsServed: () => Promise.resolve(),
    },
    owner: "aidbox-secrets.azure",
    managedValues: pulumi.secret<StackValues>({ smtp: "hunter2" }),
    keyVault: () => keyVault,
  };
  deployStack(args);
  await engine.finished();
  return { engine, keyVault, awaited };
}

const releases = ({ engine }: Deployed): Registration[] => engine.registrations.filter(({ type }) => type === release);

test("where the platform assigns users, the driver's pods and those of Azure's provider may be privileged", async () => {
  const privileged = async (assignsUsers: boolean): Promise<unknown[]> => {
    const { engine } = await deploy({ ...ofKeyVault(), assignsUsers });
    return engine.registrations.filter(({ name }) => name.endsWith("-privileged")).map(({ inputs }) => inputs);
  };
  const roleRef = { kind: "ClusterRole", name: "system:openshift:scc:privileged" };
  expect(await privileged(true)).toMatchObject([
    { metadata: { namespace: "kube-system" }, roleRef, subjects: [{ name: "secrets-store-csi-driver" }] },
    { metadata: { namespace: "azure-csi-provider" }, roleRef, subjects: [{ kind: "Group" }] },
  ]);
  expect(await privileged(false)).toEqual([]);
});

test("one up installs the driver and Azure's provider, and makes what is seeded", async () => {
  const deployed = await deploy(ofKeyVault());
  expect(releases(deployed).map(({ inputs }) => [inputs.chart, inputs.version, inputs.name, inputs.namespace])).toEqual(
    [
      ["secrets-store-csi-driver", "1.6.1", "csi", "kube-system"],
      ["csi-secrets-store-provider-azure", "1.8.2", "azure-node", "azure-csi-provider"],
    ],
  );
  expect(releases(deployed)[0]!.inputs.values).toMatchObject({
    tokenRequests: [{ audience: "api://AzureADTokenExchange" }],
  });
  expect([...deployed.keyVault.values.keys()]).toEqual(["aidbox-client"]);
  expect(deployed.keyVault.values.get("aidbox-client")).toMatch(/^[\w-]{32}$/);
  expect(deployed.awaited.sort()).toEqual([
    "azure-csi-provider/azure-node",
    "kube-system/csi-secrets-store-csi-driver",
  ]);
});

test("Aidbox comes after its secrets, and no value is among what Pulumi gets", async () => {
  const { engine, keyVault } = await deploy(ofKeyVault());
  expect(engine.registrations.some(({ type }) => type === "kubernetes:apps/v1:Deployment")).toBe(true);
  expect(JSON.stringify(engine.registrations)).not.toContain(keyVault.values.get("aidbox-client"));
});

test("what Key Vault refuses is told in its own words, without a stack trace, and Aidbox is not deployed", async () => {
  const keyVault = new MemoryKeyVault();
  keyVault.write = () =>
    Promise.reject(new KeyVaultError(403, "ForbiddenByRbac", "PUT secrets/aidbox-client", "no role"));
  const registered: Registration[] = [];
  const errors = await errorsOf(async () => {
    registered.push(...(await deploy(ofKeyVault(), "up", keyVault)).engine.registrations);
  });
  const told = errors.filter((error) => pulumi.RunError.isInstance(error)) as Error[];
  expect(told.map(({ message }) => message)).toContain(
    "Key Vault answered PUT secrets/aidbox-client with 403 ForbiddenByRbac: no role",
  );
  const deployments = registered.filter(({ type }) => type === "kubernetes:apps/v1:Deployment");
  expect(deployments.map(({ inputs }) => (inputs.metadata as { name: string }).name)).not.toContain("aidbox");
});

test("a preview asks the key vault for nothing", async () => {
  const { keyVault, awaited } = await deploy(ofKeyVault(), "first preview");
  expect(keyVault.values.size).toBe(0);
  expect(awaited).toEqual([]);
});

test("a provider that is there is not installed, and has no namespace of this stack's", async () => {
  const environment = ofKeyVault();
  const azureKeyVault = { ...environment.azureKeyVault, csiProvider: "there" as const };
  const deployed = await deploy({ ...environment, azureKeyVault });
  expect(releases(deployed)).toHaveLength(1);
  const namespaces = deployed.engine.registrations.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
  expect(namespaces).toHaveLength(1);
});

test("managed values reach the key vault, and a pair is made whole", async () => {
  const environment = ofKeyVault(
    checkEnvironment("azure", {
      kubeContext: "kind-aidbox",
      secrets: [
        { name: "smtp", path: "aidbox/smtp", source: "managed" },
        { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
      ],
      azureKeyVault: read("azure").azureKeyVault!,
      aidbox: { image: "healthsamurai/aidboxone:2605" },
    }),
  );
  const { keyVault } = await deploy(environment);
  expect(keyVault.values.get("aidbox-smtp")).toBe("hunter2");
  expect(keyVault.values.get("aidbox-auth-keys-private")).toContain("PRIVATE KEY");
  expect([...keyVault.values.keys()].sort()).toEqual([
    "aidbox-auth-keys-private",
    "aidbox-auth-keys-public",
    "aidbox-auth-keys-secret",
    "aidbox-smtp",
  ]);
});

/** Objects by kind and name. */
function objectsOf(name: string): Map<string, unknown> {
  const app = new App();
  const environment = read(name);
  const charts = [namespacesChart(app, environment), aidboxChart(app, environment)];
  const objects = charts.flatMap((chart) => chart.toJson() as { kind: string; metadata: { name: string } }[]);
  return new Map(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

test("the same Aidbox comes from Vault and from a key vault: what differs is the store's", () => {
  const [vault, azure] = [objectsOf("dev"), objectsOf("azure")];
  // The checksum of vault-config.json, which has the files' folder.
  const named = (text: string): string =>
    text.replaceAll(/\bazure-secrets\b/g, "vault-secrets").replaceAll(/"[0-9a-f]{64}"/g, '"checksum"');
  const differs = [...azure].filter(
    ([key, object]) => named(JSON.stringify(object)) !== named(JSON.stringify(vault.get(named(key)) ?? null)),
  );
  expect(differs.map(([key]) => key)).toEqual([
    "Namespace azure-csi-provider",
    "SecretProviderClass aidbox-azure-secrets",
  ]);
  expect([...vault.keys()].filter((key) => ![...azure.keys()].map(named).includes(key))).toEqual([
    "Namespace vault",
    "Namespace vault-csi-provider",
  ]);
  expect(azure.get("SecretProviderClass aidbox-azure-secrets")).toMatchObject({
    spec: { provider: "azure", parameters: { keyvaultName: "aidbox-dev" } },
  });
});
