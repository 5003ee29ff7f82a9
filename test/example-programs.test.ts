import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ResourceValidationArgs } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { parseAllDocuments } from "yaml";
import { Aidbox } from "../examples/component/aidbox";
import { policies } from "../examples/programs/policy-pack/policies";
import { recordPlan } from "../infra/plan/record";
import { checkVaultEnvironment } from "./infra/vault-environment";
import { Engine, promiseOf, secret } from "./mocks";

const examples = resolve(__dirname, "../examples");
const folder = join(examples, "programs");
const yamlPrograms = ["argo-cd", "guide", "keycloak", "pulumi-operator", "tenants"];
const programs = [...yamlPrograms, "bridge", "external-vault", "policy-pack/policies", "stack"];
const otherFiles = ["component/aidbox.ts", "python/__main__.py", "template/index.ts", "yaml/Pulumi.yaml"];

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

/** Runs a program that writes YAML, in this process. */
function synthesized(program: string): KubernetesObject[] {
  const outdir = mkdtempSync(join(tmpdir(), "example-"));
  const before = process.env.CDK8S_OUTDIR;
  process.env.CDK8S_OUTDIR = outdir;
  try {
    jest.requireActual(join(folder, program));
    return readdirSync(outdir).flatMap((file) =>
      parseAllDocuments(readFileSync(join(outdir, file), "utf8")).map((each) => each.toJS() as KubernetesObject),
    );
  } finally {
    if (before === undefined) delete process.env.CDK8S_OUTDIR;
    else process.env.CDK8S_OUTDIR = before;
    rmSync(outdir, { recursive: true });
  }
}

const objects = Object.fromEntries(yamlPrograms.map((program) => [program, synthesized(program)]));

test("the README names each program, with the lines that a stranger writes", () => {
  const readme = readFileSync(join(examples, "README.md"), "utf8");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.sort()).toEqual([...programs, "policy-pack/index"].map((program) => `${program}.ts`).sort());
  const counted = [...programs.map((program) => `programs/${program}.ts`), ...otherFiles].map((file) => {
    const lines = readFileSync(join(examples, file), "utf8").split("\n");
    return `${file} ${lines.filter((line) => !/^\s*(\/\/|\/\*|\*|#|$)/.test(line)).length}`;
  });
  const rows = [...readme.matchAll(/^\| \[.*?\]\((\S+)\) .*\| +(\d+) +\|$/gm)];
  expect(rows.map(([, file, lines]) => `${file!} ${lines!}`).sort()).toEqual(counted.sort());
});

describe.each(yamlPrograms)("%s.ts", (program) => {
  test("writes these objects, and no secret", () => {
    const names = objects[program]!.map(
      ({ kind, metadata: { namespace = "", name } }) => `${kind} ${namespace}/${name}`,
    );
    expect(names.filter((name) => name.startsWith("Secret "))).toEqual([]);
    expect(names.sort()).toMatchSnapshot();
  });
});

test("argo-cd.ts has Argo CD make what the pods mount before it starts them", () => {
  const waves = objects["argo-cd"]!.map(({ kind, metadata: { annotations } }) => [
    kind,
    annotations?.["argocd.argoproj.io/sync-wave"],
  ]);
  expect(waves).toContainEqual(["SecretProviderClass", "0"]);
  expect(waves).toContainEqual(["ServiceAccount", "0"]);
  expect(waves.filter(([, wave]) => wave !== "0")).toEqual([
    ["Deployment", "1"],
    ["Deployment", "1"],
  ]);
});

test("tenants.ts gives each tenant a role and paths of its own", () => {
  const classes = objects.tenants!.filter(({ kind }) => kind === "SecretProviderClass");
  for (const [index, tenant] of ["aidbox-north", "aidbox-south"].entries()) {
    const { parameters } = classes[index]!.spec as { parameters: { roleName: string; objects: string } };
    expect(parameters.roleName).toBe(tenant);
    expect([...parameters.objects.matchAll(/secretPath: (\S+)\//g)].map(([, path]) => path)).toEqual([
      `secret/data/${tenant}`,
      `secret/data/${tenant}`,
    ]);
  }
});

test("external-vault.ts has Aidbox wait until Vault lets it in", async () => {
  const engine = await Engine.start({
    run: "first preview",
    types: {
      "pulumi:providers:vault": {},
      "pulumi:providers:kubernetes": {},
      "aidbox-secrets:vault:VaultAccess": {},
      "cdk8s-pulumi:index:DeployedChart": {},
      "vault:index/policy:Policy": {},
      "vault:jwt/authBackend:AuthBackend": {},
      "vault:jwt/authBackendRole:AuthBackendRole": {},
      "vault:generic/endpoint:Endpoint": {},
      "kubernetes:core/v1:ServiceAccount": {},
      "kubernetes:core/v1:ConfigMap": {},
      "kubernetes:core/v1:Service": {},
      "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": {},
      "kubernetes:apps/v1:Deployment": {},
    },
  });
  pulumi.runtime.setAllConfig({
    "aidbox-secrets:vaultAddress": "https://vault.example.com:8200",
    "aidbox-secrets:vaultToken": "hvs.the-token",
    "aidbox-secrets:clusterKey": "-----BEGIN PUBLIC KEY-----\nkey\n-----END PUBLIC KEY-----",
    "aidbox-secrets:context": "production",
  });
  jest.requireActual(join(folder, "external-vault"));
  await engine.finished();
  expect(engine.registrations.map(({ type, name }) => `${type} ${name}`).sort()).toMatchSnapshot();
  expect(engine.resource("vault").inputs.token).toEqual(secret("hvs.the-token"));
  expect(engine.resourceOf("kubernetes:apps/v1:Deployment").dependsOn).toEqual(
    expect.arrayContaining(["access-policy", "access-role", "access/aidbox/client", "access/aidbox/admin"]),
  );
  const made = engine.registrations.flatMap(({ type }) => {
    const [, group, kind] = /^kubernetes:(.+)\/.+:(.+)$/.exec(type) ?? [];
    return kind === undefined ? [] : [`${group === "core" ? "" : group!}/${kind.toLowerCase()}`];
  });
  expect(operatorRights("create")).toEqual([...new Set(made)].sort());
});

/** What the operator's ServiceAccount may do in Aidbox's namespace, each as GROUP/KIND. */
function operatorRights(verb: string): string[] {
  const { rules } = objects["pulumi-operator"]!.find(({ kind }) => kind === "Role") as unknown as {
    rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  };
  return rules
    .filter(({ verbs }) => verbs.includes(verb))
    .flatMap(({ apiGroups: [group], resources }) =>
      resources.map((each) => `${group!}/${each.replace(/(?<=ss)es$|s$/, "")}`),
    )
    .sort();
}

test("pulumi-operator.ts gives its program each value that it requires, and no right of the whole cluster but to ask who calls", () => {
  const program = readFileSync(join(folder, "external-vault.ts"), "utf8");
  const required = [...program.matchAll(/config\.require(?:Secret)?\("(\w+)"\)/g)].map(([, key]) => key!);
  const { config, secretsRef, projectRepo } = objects["pulumi-operator"]!.find(({ kind }) => kind === "Stack")!
    .spec as {
    config: object;
    secretsRef: object;
    projectRepo: string;
  };
  // The operator refuses a path of one part alone.
  expect(new URL(projectRepo).pathname).toMatch(/^\/[^/]+\/[^/]+\.git$/);
  // The operator's pod has no kubeconfig, and so no context.
  const given = ["context", ...Object.keys({ ...config, ...secretsRef }).map((key) => key.replace("aidbox:", ""))];
  expect(given.sort()).toEqual([...new Set(required)].sort());
  const bindings = objects["pulumi-operator"]!.filter(({ kind }) => kind === "ClusterRoleBinding");
  expect(bindings).toMatchObject([{ roleRef: { kind: "ClusterRole", name: "system:auth-delegator" } }]);
});

test("bridge.ts keeps what is secret, and gives out what the cluster says", async () => {
  const engine = await Engine.start({
    types: {
      "pulumi:providers:kubernetes": {},
      "pulumi:pulumi:StackReference": { outputs: { host: "db.example.com" }, secretOutputNames: [] },
      "cdk8s-pulumi:index:DeployedChart": {},
      "kubernetes:core/v1:Secret": {},
      "kubernetes:apps/v1:Deployment": {},
      "kubernetes:core/v1:Service": { status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } } },
    },
  });
  pulumi.runtime.setAllConfig(
    {
      "aidbox-secrets:context": "production",
      "aidbox-secrets:databaseStack": "database",
      "aidbox-secrets:image": "nginxinc/nginx-unprivileged:1.29",
      "aidbox-secrets:password": "the-password",
    },
    ["aidbox-secrets:password"],
  );
  const { address } = jest.requireActual<{ readonly address: pulumi.Output<string> }>(join(folder, "bridge"));
  expect(await promiseOf(address)).toBe("192.0.2.7");
  await engine.finished();
  expect(engine.resourceOf("kubernetes:core/v1:Secret").inputs.stringData).toEqual(
    secret({ password: "the-password" }),
  );
  const { inputs } = engine.resourceOf("kubernetes:apps/v1:Deployment");
  expect(JSON.stringify(inputs)).toContain('"jdbc:postgresql://db.example.com/web"');
});

test("the component for other languages gives out names and the policy, and makes what AidboxChart makes", async () => {
  const engine = await Engine.start({
    types: {
      "aidbox-components:index:Aidbox": {},
      "cdk8s-pulumi:index:DeployedChart": {},
      "kubernetes:core/v1:ServiceAccount": {},
      "kubernetes:core/v1:ConfigMap": {},
      "kubernetes:core/v1:Service": {},
      "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": {},
      "kubernetes:apps/v1:Deployment": {},
    },
  });
  const { deployment, service, secretProviderClass, policy } = new Aidbox("aidbox", {
    namespace: "aidbox",
    image: "healthsamurai/aidboxone:2605",
    vaultAddress: pulumi.output("https://vault.example.com:8200"),
    secrets: [{ name: "client-secret", path: "aidbox/client", resourceType: "Client" }],
  });
  await engine.finished();
  expect(await promiseOf(pulumi.all([deployment, service, secretProviderClass, policy]))).toEqual([
    "aidbox",
    "aidbox",
    "aidbox-vault-secrets",
    expect.stringContaining('path "secret/data/aidbox/client" {\n  capabilities = ["read"]\n}'),
  ]);
  const { inputs } = engine.resourceOf("kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass");
  expect(inputs).toMatchObject({ spec: { parameters: { vaultAddress: "https://vault.example.com:8200" } } });
});

describe("policy-pack", () => {
  /** What the pack says of a resource, by the rule's name. */
  function judge(type: string, props: Readonly<Record<string, unknown>>, protect = false): [string, string][] {
    const args = { type, props, name: "resource", urn: "urn", opts: { protect } } as unknown as ResourceValidationArgs;
    return policies.flatMap(({ name, validateResource }) => {
      const found: [string, string][] = [];
      for (const validate of [validateResource ?? []].flat()) {
        void validate(args, (message: string) => found.push([name, message]));
      }
      return found;
    });
  }

  const digest = `nginx@sha256:${"0".repeat(64)}`;
  const deployment = (image: string, value: string): [string, Readonly<Record<string, unknown>>] => [
    "kubernetes:apps/v1:Deployment",
    { spec: { template: { spec: { containers: [{ name: "web", image, env: [{ name: "API_KEY", value }] }] } } } },
  ];

  test("takes an image by its digest, without a secret", () => {
    expect(judge(...deployment(digest, ""))).toEqual([]);
  });

  test("refuses a plain secret and a tag, and shows no value", () => {
    expect(judge(...deployment("nginx:1.29", "swordfish"))).toEqual([
      ["no-plain-secret", "web: API_KEY holds a secret in plain text: give it a row of the table, with environment"],
      ["pinned-images", "web: nginx:1.29 has no digest: write image@sha256:…"],
    ]);
  });

  const common = {
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded" }],
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  };

  /** What it says of this project's own Vault, as the program registers it. */
  async function ofOwnVault(config: object, protect: boolean): Promise<string[]> {
    const { resources } = await recordPlan(checkVaultEnvironment("test", { ...common, ...config }));
    const releases = resources.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    return releases.flatMap(({ type, inputs }) => judge(type, inputs, protect)).map(([name]) => name);
  }

  test("refuses this project's Vault in dev mode", async () => {
    expect(await ofOwnVault({ development: true, vault: { mode: "dev" } }, false)).toEqual(["no-dev-vault"]);
  });

  test("wants this project's Vault with storage protected", async () => {
    const config = { vault: { mode: "standalone", storage: { size: "1Gi" } } };
    expect(await ofOwnVault(config, false)).toEqual(["protected-vault"]);
    expect(await ofOwnVault(config, true)).toEqual([]);
  });
});
