import { gzipSync } from "node:zlib";
import type { VaultClient } from "../../../constructs/stores/vault/api/client";
import { type Adoptable, findAdoptable } from "../../../infra/adopt/adoptable";
import { importedOf, importFile, missingAncestors } from "../../../infra/adopt/deployment";
import { differencesOf } from "../../../infra/adopt/differences";
import { fitOf } from "../../../infra/adopt/fit";
import type { Installation } from "../../../infra/adopt/installation";
import { takeFields } from "../../../infra/adopt/take-fields";
import { vaultMisfits } from "../../../infra/adopt/vault-content";
import { type FoundRelease, parseRelease } from "../../../infra/cluster/helm-releases";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { keyVaultProvider } from "../../../infra/config/stores/azure-key-vault/provider";
import { type PlannedResource, recordPlan } from "../../../infra/plan/record";
import { checkKeyVaultEnvironment } from "../key-vault-environment";
import { checkVaultEnvironment } from "../vault-environment";

const id = "11111111-1111-1111-1111-111111111111";
const clientSecret = { name: "client-secret", path: "aidbox/client" };
const base = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [clientSecret],
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const external = {
  mode: "external",
  address: "http://vault.default:8200",
  serversRelease: { name: "vault", namespace: "default" },
  login: { method: "kubernetes" },
};
/** A config that fits the guide's install. */
const fitting = {
  ...base,
  vault: external,
  namespaces: { aidbox: "default", options: { aidbox: { create: false }, vault: { create: false } } },
};

const release = (name: string, namespace: string, chart: string, values: object): FoundRelease => ({
  name,
  namespace,
  chart,
  chartVersion: chart === "vault" ? "0.34.1" : "1.6.1",
  values: values as Record<string, unknown>,
});
const kept = release("vault", "default", "vault", { csi: { enabled: true } });
/** What the vendor's guide has one install, but with a Vault that keeps what it holds. */
const guide: Installation = {
  driver: release("csi", "kube-system", "secrets-store-csi-driver", { enableSecretRotation: true }),
  hasDriver: true,
  vaults: [kept],
  providers: [],
  mounting: [{ namespace: "default", name: "aidbox", role: "aidbox" }],
};

function fit(config: object, installation: Installation = guide, chartVersion = "0.34.1"): ReturnType<typeof fitOf> {
  return fitOf(checkVaultEnvironment("dev", config as Record<string, unknown>), installation, chartVersion);
}

describe("a config", () => {
  test("that names what the guide names fits", () => {
    expect(fit(fitting)).toEqual({ misfits: [], refusals: [] });
  });

  test.each<[what: string, config: object, installation: Installation, lines: readonly string[]]>([
    [
      "another release of the driver",
      fitting,
      { ...guide, driver: { ...guide.driver!, name: "secrets", namespace: "csi" } },
      ["csiDriver: { release: secrets, namespace: csi }"],
    ],
    [
      "a driver that Helm knows nothing of",
      fitting,
      { ...guide, driver: undefined },
      ["csiDriver: { install: false }"],
    ],
    [
      "a Vault of others",
      { ...fitting, vault: { mode: "standalone" }, namespaces: {} },
      { ...guide, mounting: [] },
      [
        "vault:",
        "  mode: external",
        "  address: http://vault.default:8200",
        "  addressFromHere: http://127.0.0.1:8200 # while `kubectl -n default port-forward svc/vault 8200` runs",
        "  serversRelease: { name: vault, namespace: default }",
        "  login: { method: kubernetes }",
        "namespaces: { options: { vault: { create: false } } }",
        "allowPlaintext: [vault.address, vault.addressFromHere] # UNSAFE: this Vault has no TLS",
      ],
    ],
    [
      "servers with TLS, several, by another name",
      { ...fitting, vault: { mode: "standalone" }, namespaces: {} },
      {
        ...guide,
        mounting: [],
        vaults: [
          release("store", "safe", "vault", { global: { tlsDisable: false }, server: { ha: { enabled: true } } }),
        ],
      },
      [
        "vault:",
        "  mode: external",
        "  address: https://store-vault-active.safe:8200",
        "  addressFromHere: https://127.0.0.1:8200 # while `kubectl -n safe port-forward svc/store-vault 8200` runs",
        "  login: { method: kubernetes }",
        "namespaces: { options: { vault: { create: false } } }",
      ],
    ],
    [
      "a provider beside the servers",
      { ...fitting, vault: { ...external, serversRelease: undefined } },
      guide,
      [
        "vault.serversRelease: { name: vault, namespace: default }",
        "or, and the provider stays where it is, vault.csiProvider: false",
      ],
    ],
    [
      "another version of the chart, which would change the servers too",
      fitting,
      { ...guide, vaults: [{ ...kept, chartVersion: "0.28.0" }] },
      ['vault.chart: { repository: "https://helm.releases.hashicorp.com", version: 0.28.0 }'],
    ],
    [
      "an Aidbox elsewhere, which the role admits",
      fitting,
      { ...guide, mounting: [{ namespace: "health", name: "box", role: "aidbox" }] },
      ["namespaces: { aidbox: health, options: { aidbox: { create: false } } }", "aidbox.name: box"],
    ],
    [
      "another role",
      fitting,
      { ...guide, mounting: [{ namespace: "default", name: "aidbox", role: "fhir" }] },
      ["vault.role: fhir"],
    ],
  ])("is told the lines that fit %s", (_, config, installation, lines) => {
    const { misfits } = fit(config, installation);
    expect(misfits.map((misfit) => misfit.lines)).toEqual([lines]);
  });

  test("may leave the provider where it is", () => {
    const vault = { ...external, serversRelease: undefined, csiProvider: false };
    expect(fit({ ...fitting, vault })).toEqual({ misfits: [], refusals: [] });
  });

  test("may leave alone who mounts by another role", () => {
    const mounting = [...guide.mounting, { namespace: "shop", name: "shop", role: "shop" }];
    expect(fit(fitting, { ...guide, mounting }).misfits).toEqual([]);
  });
});

test("a Vault in dev mode is refused, with the way to copy its secrets to one that stays", () => {
  const dev = release("vault", "default", "vault", { server: { dev: { enabled: true } }, csi: { enabled: true } });
  const { refusals } = fit(fitting, { ...guide, vaults: [dev] });
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toContain("default/vault is a Vault in dev mode: it is in memory");
  expect(refusals[0]).toContain(
    "kubectl --context kind-aidbox -n default exec vault-0 -- vault kv get -mount=secret -field=client-secret aidbox/client" +
      " | npm run write -- client-secret",
  );
  expect(refusals[0]).toContain("helm --kube-context kind-aidbox uninstall csi --namespace kube-system");
});

test("a driver that a stack has made is nobody's to adopt", () => {
  const { refusals } = fit(fitting, { ...guide, driverOwner: "aidbox-secrets.prod" });
  expect(refusals).toEqual([expect.stringContaining("belongs to the stack aidbox-secrets.prod")]);
});

/** A Vault that has what is at some paths. */
function vaultWith(
  content: Readonly<Record<string, Record<string, unknown>>>,
  roles: readonly string[] = [],
): VaultClient {
  return {
    read: (path: string) => Promise.resolve(content[path]),
    hasAuthMount: (mount: string) => Promise.resolve(`auth/${mount}` in content),
    request: () => Promise.resolve({ data: { keys: roles } }),
  } as unknown as VaultClient;
}

describe("of Vault is left alone, with the line that says so,", () => {
  const environment = (config: object) => checkVaultEnvironment("dev", { ...fitting, ...config });

  test("an auth mount with roles of others, which would go with the stack", async () => {
    const vault = vaultWith({ "auth/kubernetes": {} }, ["aidbox", "shop"]);
    expect(await vaultMisfits(vault, environment({}))).toEqual([expect.stringContaining("vault.login.owned: false")]);
    const owned = { ...external, login: { method: "kubernetes", owned: false } };
    expect(await vaultMisfits(vault, environment({ vault: owned }))).toEqual([]);
    expect(await vaultMisfits(vaultWith({ "auth/kubernetes": {} }, ["aidbox"]), environment({}))).toEqual([]);
  });

  test("a KV mount, with what it holds", async () => {
    const vault = vaultWith({ "sys/mounts": { "secret/": {} } });
    const config = { vault: { ...external, kvMount: { owned: true } } };
    expect(await vaultMisfits(vault, environment(config))).toEqual([expect.stringContaining("vault.kvMount.owned")]);
    expect(await vaultMisfits(vault, environment({}))).toEqual([]);
  });

  test.each(["seeded", "managed"])("a secret that a row of source %s would write to", async (source) => {
    const vault = vaultWith({ "secret/metadata/aidbox/client": {} });
    expect(await vaultMisfits(vault, environment({ secrets: [{ ...clientSecret, source }] }))).toEqual([
      `secret/metadata/aidbox/client is there, and client-secret of source ${source} would write to it: write source: external`,
    ]);
    expect(await vaultMisfits(vault, environment({}))).toEqual([]);
  });
});

const stack = "urn:pulumi:dev::aidbox-secrets::pulumi:pulumi:Stack::aidbox-secrets-dev";
const urn = (type: string, name: string): string => `urn:pulumi:dev::aidbox-secrets::${type}::${name}`;
function planned(type: string, name: string, inputs: object = {}, parent?: string): PlannedResource {
  const own = { type, name, parent, dependencies: [], inputs: inputs as Record<string, unknown> };
  return { urn: type === "pulumi:pulumi:Stack" ? stack : urn(type, name), ...own };
}
const chart = planned("cdk8s-pulumi:index:DeployedChart", "aidbox");
const object = (kind: string, name: string, namespace = "default"): PlannedResource =>
  planned(
    `kubernetes:apps/v1:${kind}`,
    name,
    { apiVersion: "apps/v1", kind, metadata: { name, namespace } },
    chart.urn,
  );
const plan = [
  planned("pulumi:pulumi:Stack", "aidbox-secrets-dev"),
  planned("pulumi:providers:kubernetes", "kubernetes"),
  planned("pulumi:providers:vault", "vault"),
  chart,
  planned("kubernetes:helm.sh/v3:Release", "csi-driver", { name: "csi", namespace: "kube-system" }),
  planned("kubernetes:helm.sh/v3:Release", "vault-csi-provider", { name: "vault-node", namespace: "provider" }),
  object("Deployment", "aidbox"),
  object("Deployment", "republisher"),
  object("Deployment", "elsewhere", "other"),
  object("Secret", "password"),
  planned("vault:index/policy:Policy", "policy", { name: "aidbox" }),
  planned("vault:index/authBackend:AuthBackend", "auth", { path: "kubernetes" }),
  planned("vault:kubernetes/authBackendConfig:AuthBackendConfig", "config", { backend: "kubernetes" }),
  planned("vault:kubernetes/authBackendRole:AuthBackendRole", "role", { backend: "kubernetes", roleName: "aidbox" }),
  planned("vault:jwt/authBackendRole:AuthBackendRole", "absent", { backend: "jwt", roleName: "aidbox" }),
  planned("vault:kv/secretV2:SecretV2", "value", { mount: "secret", name: "aidbox/client" }),
  planned("vault:index/mount:Mount", "kv", { path: "secret" }),
];

/** A cluster with these objects. */
function apiWith(there: readonly string[]): KubeApi {
  return Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException: class extends Error {} },
    find: (found: unknown) => Promise.resolve(found),
    config: {
      makeApiClient: () => ({
        read: ({ kind, metadata }: { kind: string; metadata: { name: string; namespace: string } }) =>
          there.includes(`${kind} ${metadata.namespace}/${metadata.name}`) ? {} : undefined,
      }),
    },
  });
}

async function find(state: Parameters<typeof findAdoptable>[2] = []): Promise<readonly Adoptable[]> {
  const api = apiWith(["Deployment default/aidbox", "Deployment other/elsewhere", "Secret default/password"]);
  const content = {
    "sys/policies/acl/aidbox": {},
    "auth/kubernetes": {},
    "auth/kubernetes/config": {},
    "auth/kubernetes/role/aidbox": {},
    "secret/metadata/aidbox/client": {},
  };
  const surroundings = { api, releases: [guide.driver!, kept], vault: vaultWith(content) };
  return findAdoptable(checkVaultEnvironment("dev", fitting), plan, state, surroundings);
}

describe("with Azure Key Vault as the store", () => {
  const azure = checkKeyVaultEnvironment({
    secrets: [{ name: "client-secret", path: "client" }],
    namespaces: { aidbox: "default", options: { aidbox: { create: false } } },
    csiDriver: { release: "csi", namespace: "kube-system" },
    azureKeyVault: { name: "kv-aidbox", tenantId: id, identity: { type: "workload", clientId: id } },
  });
  const provider = (name: string, namespace: string): FoundRelease =>
    release(name, namespace, "csi-secrets-store-provider-azure", {});

  test("a provider by another release is left where it is, by a key, and one by the stack's name fits", () => {
    const beside: Installation = { ...guide, vaults: [], mounting: [] };
    const found = fitOf(azure, { ...beside, providers: [provider("csi", "kube-system")] }, undefined);
    expect(found).toEqual({
      misfits: [
        {
          found: "the store's CSI provider, by the Helm release kube-system/csi",
          lines: ["azureKeyVault.csiProvider: there"],
        },
      ],
      refusals: [],
    });
    const { releaseName, namespace } = keyVaultProvider(azure)!;
    expect(fitOf(azure, { ...beside, providers: [provider(releaseName, namespace)] }, undefined).misfits).toEqual([]);
  });

  test("driver, provider and Aidbox are taken over, and nothing of Vault is asked for", async () => {
    const { resources } = await recordPlan(azure);
    const { releaseName, namespace } = keyVaultProvider(azure)!;
    const releases = [guide.driver!, provider(releaseName, namespace)];
    const surroundings = { api: apiWith(["Deployment default/aidbox"]), releases, vault: undefined };
    const found = await findAdoptable(azure, resources, [], surroundings);
    expect(found.map(({ what }) => what).sort()).toEqual([
      "Deployment default/aidbox",
      `Helm release ${namespace}/${releaseName}`,
      "Helm release kube-system/csi",
    ]);
  });
});

describe("taken over", () => {
  test("is what is there of driver, provider, mount, policy, role and Aidbox, and never what holds values", async () => {
    expect((await find()).map(({ what, id }) => [what, id])).toEqual([
      ["Helm release kube-system/csi", "kube-system/csi"],
      ["Deployment default/aidbox", "default/aidbox"],
      ["policy aidbox", "aidbox"],
      ["auth mount auth/kubernetes", "kubernetes"],
      ["config of auth/kubernetes", "auth/kubernetes/config"],
      ["role aidbox of auth/kubernetes", "auth/kubernetes/role/aidbox"],
    ]);
  });

  test("is nothing twice: what the state has stays as it is there", async () => {
    const state = plan.map(({ urn: own, type }) => ({
      urn: own,
      type,
      inputs: {},
      retainOnDelete: false,
      protect: false,
    }));
    expect(await find(state)).toEqual([]);
  });

  test("comes after the stack, its providers and the components that it is in", async () => {
    const adoptables = await find();
    const empty = { version: 3, deployment: {} };
    const providers = { "pulumi:providers:kubernetes": { context: "kind-aidbox" }, "pulumi:providers:vault": {} };
    const ancestors = missingAncestors(empty, plan, adoptables, providers);
    expect(ancestors.map((each) => each.urn.split("::").pop())).toEqual([
      "aidbox-secrets-dev",
      "kubernetes",
      "vault",
      "aidbox",
    ]);
    const known = { version: 3, deployment: { resources: ancestors } };
    expect(missingAncestors(known, plan, adoptables, providers)).toEqual([]);
    expect(importFile(plan, adoptables)).toMatchObject({
      resources: expect.arrayContaining([
        {
          type: "kubernetes:apps/v1:Deployment",
          name: "aidbox",
          id: "default/aidbox",
          provider: plan[1]!.urn,
          parent: chart.urn,
        },
        { type: "vault:index/policy:Policy", name: "policy", id: "aidbox", provider: plan[2]!.urn },
      ]) as unknown,
    });
  });

  test("goes into the state without the values of servers of others, which stay with the stack gone", () => {
    const values = { server: { seal: { token: "hunter2" } }, csi: { enabled: true, token: "hunter2" } };
    const servers = {
      urn: urn("kubernetes:helm.sh/v3:Release", "vault-servers"),
      type: "kubernetes:helm.sh/v3:Release",
      custom: true,
      id: "default/vault",
      inputs: { name: "vault", namespace: "default", chart: "vault", version: "0.34.1", values },
      outputs: { name: "vault", namespace: "default", chart: "vault", version: "0.34.1", values, __inputs: { values } },
    };
    const policy = { urn: urn("vault:index/policy:Policy", "policy"), type: "vault:index/policy:Policy" };
    const after = { version: 3, deployment: { resources: [policy, servers] } };
    const isKept = (resource: { readonly urn: string }): boolean => resource.urn === servers.urn;
    const [first, second, ...more] = importedOf(after, { version: 3, deployment: {} }, isKept);
    expect([first, more]).toEqual([policy, []]);
    expect(second).toMatchObject({ id: "default/vault", retainOnDelete: true });
    expect(second?.inputs?.values).toEqual({ csi: { enabled: true } });
    expect(JSON.stringify(second)).not.toContain("hunter2");
  });
});

describe("shown of what differs", () => {
  const step = (type: string, found: object, wanted: object) => ({
    op: "update",
    urn: "",
    oldState: { type, inputs: found as Record<string, unknown>, outputs: found as Record<string, unknown> },
    newState: { type, inputs: wanted as Record<string, unknown> },
  });

  test("of an object are fields that the config says otherwise, and none that it says nothing of", () => {
    const found = { spec: { replicas: 1, selector: { matchLabels: { app: "aidbox" } }, paused: false } };
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const wanted = {
      spec: { replicas: 1, selector: { matchLabels: { name: "aidbox" } }, args: [unknown] },
      id: unknown,
    };
    expect(differencesOf(step("kubernetes:apps/v1:Deployment", found, wanted))).toEqual([
      { path: "spec.selector.matchLabels.name", now: undefined, then: '"aidbox"' },
    ]);
  });

  test("of a release are values that change, and those that fall back to the chart's own", () => {
    const found = {
      chart: "csi",
      values: { interval: "30s", tolerations: [{ operator: "Exists" }], sync: { on: true } },
    };
    const wanted = { chart: "/charts/csi", skipAwait: true, values: { interval: "1s", sync: { on: true } } };
    expect(differencesOf(step("kubernetes:helm.sh/v3:Release", found, wanted))).toEqual([
      { path: "values.interval", now: '"30s"', then: '"1s"' },
      { path: "values.tolerations", now: '[{"operator":"Exists"}]', then: undefined },
    ]);
    const reusing = { ...wanted, reuseValues: true };
    expect(differencesOf(step("kubernetes:helm.sh/v3:Release", found, reusing))).toEqual([
      { path: "values.interval", now: '"30s"', then: '"1s"' },
    ]);
  });
});

test("Helm's record tells chart, version and values", () => {
  const record = {
    name: "csi",
    namespace: "kube-system",
    config: { a: 1 },
    chart: { metadata: { name: "c", version: "1.0.0" } },
  };
  const packed = (content: object): string =>
    Buffer.from(gzipSync(JSON.stringify(content)).toString("base64")).toString("base64");
  const told = { name: "csi", namespace: "kube-system", chart: "c", chartVersion: "1.0.0" };
  expect(parseRelease(packed(record))).toEqual({ ...told, values: { a: 1 } });
  expect(parseRelease(packed({ ...record, config: null }))).toEqual({ ...told, values: {} });
});

test("nobody owns a field of what is taken over, but of Helm releases, and nothing else of it is changed", async () => {
  const patch = jest.fn<Promise<object>, unknown[]>(() => Promise.resolve({}));
  const api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { PatchStrategy: { MergePatch: "merge" } },
    config: { makeApiClient: () => ({ patch }) },
  });
  const metadata = { name: "aidbox", namespace: "clinic", labels: { app: "aidbox" } };
  const adoptable = (type: string, inputs: object): Adoptable =>
    ({ resource: { type, inputs } }) as unknown as Adoptable;
  await takeFields(api, [
    adoptable("kubernetes:apps/v1:Deployment", { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: {} }),
    adoptable("kubernetes:helm.sh/v3:Release", { name: "csi", namespace: "kube-system" }),
    adoptable("vault:index/policy:Policy", { name: "aidbox" }),
  ]);
  expect(patch.mock.calls.map(([body, ...rest]) => [body, rest.at(-1)])).toEqual([
    [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "aidbox", namespace: "clinic", managedFields: [{}] },
      },
      "merge",
    ],
  ]);
});
