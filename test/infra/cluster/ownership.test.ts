import { KubeApi } from "../../../infra/cluster/kube-api";
import { checkOwnership, OwnershipError } from "../../../infra/cluster/ownership";
import { checkEnvironment } from "../../../infra/config/check-environment";
import type { StateResource } from "../../../infra/state/stack-state";

/** An answer of the API server that is an error. */
class ApiException extends Error {
  public constructor(public readonly code: number) {
    super(`HTTP ${code}`);
  }
}

const driver = "CSIDriver secrets-store.csi.k8s.io";
const vaultBinding = "ClusterRoleBinding vault-server-binding";
const providerBinding = "ClusterRoleBinding vault-node-csi-provider-clusterrolebinding";
const clientSecret = (path: string): object => ({ name: "client-secret", path });
const dev = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [clientSecret("aidbox/client")],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const tenants = [
  { name: "north", secrets: [clientSecret("north/client")] },
  { name: "south", namespace: "southern", secrets: [clientSecret("south/client")] },
];

/** The objects of the cluster, by kind and name. */
let objects: Map<string, object>;
/** What lists return, by method and namespace. */
let lists: Record<string, readonly object[]>;
let asked: string[];
beforeEach(() => {
  objects = new Map();
  lists = {};
  asked = [];
});

/** What is read by a client of one kind, or by the one of all kinds. */
type Request = { readonly name: string } | { readonly kind: string; readonly metadata: { readonly name: string } };

function kubeApi(): KubeApi {
  const read = (method: string) => {
    if (method.startsWith("list")) {
      return ({ namespace = "" }: { readonly namespace?: string }) =>
        Promise.resolve({ items: lists[method + namespace] ?? [] });
    }
    return (request: Request): Promise<object> => {
      const what =
        "kind" in request
          ? `${request.kind} ${request.metadata.name}`
          : `${method.replace(/^read(Namespaced(?=.))?/, "")} ${request.name}`;
      asked.push(what);
      const found = objects.get(what);
      return found === undefined ? Promise.reject(new ApiException(404)) : Promise.resolve(found);
    };
  };
  return Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException },
    config: { makeApiClient: () => new Proxy({}, { get: (_, method) => read(String(method)) }) },
  });
}

function add(what: string, labels: Readonly<Record<string, string>> = {}, more: object = {}): void {
  objects.set(what, { metadata: { labels }, ...more });
}

const ours = { "aidbox-secrets/stack": "aidbox-secrets.dev" };

function check(config: Readonly<Record<string, unknown>>, state: readonly StateResource[] = []): Promise<void> {
  return checkOwnership(kubeApi(), checkEnvironment("dev", { ...dev, ...config }), "aidbox-secrets.dev", state);
}

/** Lines of the error with which a check fails, but for the first. */
async function clashesOf(config: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const error: unknown = await check(config).catch((reason: unknown) => reason);
  if (!(error instanceof OwnershipError)) throw new Error(`no clash, but ${String(error)}`);
  const [title, ...clashes] = error.message.split("\n");
  expect(title).toBe("The cluster has objects already that this stack would make:");
  return clashes;
}

test("an empty cluster has no clash, and is asked for all that there could be one with", async () => {
  await check({ tenants });
  expect(asked.sort()).toEqual([
    driver,
    providerBinding,
    vaultBinding,
    "Namespace aidbox",
    "Namespace aidbox-north",
    "Namespace southern",
    "Namespace vault",
    "Namespace vault-csi-provider",
  ]);
});

test("what the stack has made itself is no clash", async () => {
  for (const name of ["aidbox", "vault", "vault-csi-provider", "aidbox-north", "southern"]) {
    add(`Namespace ${name}`, ours);
  }
  add(driver, ours);
  objects.set(vaultBinding, { metadata: { annotations: { "meta.helm.sh/release-namespace": "vault" } } });
  objects.set(providerBinding, {
    metadata: { annotations: { "meta.helm.sh/release-namespace": "vault-csi-provider" } },
  });
  await check({ tenants });
});

test("each namespace that is another's is named, with the key to set, the store's first", async () => {
  add("Namespace vault", { "aidbox-secrets/stack": "aidbox-secrets.prod" });
  for (const name of ["aidbox", "aidbox-north", "southern"]) add(`Namespace ${name}`);
  expect(await clashesOf({ tenants })).toEqual([
    "  Namespace vault belongs to the stack aidbox-secrets.prod: set namespaces.vault to another name, or " +
      "namespaces.options.vault.create: false to use it",
    "  Namespace aidbox belongs to somebody else: set namespaces.aidbox to another name, or " +
      "namespaces.options.aidbox.create: false to use it",
    "  Namespace aidbox-north belongs to somebody else: set tenants[0].namespace to another name, or " +
      "tenants[0].namespaceOptions.create: false to use it",
    "  Namespace southern belongs to somebody else: set tenants[1].namespace to another name, or " +
      "tenants[1].namespaceOptions.create: false to use it",
  ]);
});

test("a tenant's namespace alone is a clash", async () => {
  add("Namespace southern", { "aidbox-secrets/stack": "aidbox-secrets.prod" });
  expect(await clashesOf({ tenants })).toEqual([
    "  Namespace southern belongs to the stack aidbox-secrets.prod: set tenants[1].namespace to another name, or " +
      "tenants[1].namespaceOptions.create: false to use it",
  ]);
});

test("a namespace of no tenant is nobody's business", async () => {
  add("Namespace aidbox-north");
  add("Namespace southern");
  await check({});
  expect(asked).not.toContain("Namespace southern");
});

describe("a namespace that is given", () => {
  const given = { namespaces: { options: { aidbox: { create: false }, csiProvider: { create: false } } } };
  const level = (name: string) => ({ "pod-security.kubernetes.io/enforce": name });

  beforeEach(() => {
    add("Namespace aidbox", level("restricted"));
    add("Namespace aidbox-north");
    add("Namespace southern", level("baseline"));
    add("Namespace vault-csi-provider", level("privileged"));
  });

  test("is used, tenants' too, where nothing in it has a name of the stack's", async () => {
    await check({ ...given, tenants });
    expect(asked).toEqual(expect.arrayContaining(["Deployment aidbox", "ConfigMap aidbox-secrets-stack"]));
  });

  test("must be there, and stay", async () => {
    objects.delete("Namespace aidbox");
    objects.set("Namespace southern", { metadata: { deletionTimestamp: "2026-11-26T00:00:00Z" } });
    expect(await clashesOf({ ...given, tenants })).toEqual([
      "  Namespace aidbox is not there: have its owner make it, or leave namespaces.options.aidbox.create out",
      "  Namespace southern is being deleted: wait until it is gone, and have its owner make it again",
    ]);
  });

  test("must have a level that admits its pods", async () => {
    add("Namespace vault-csi-provider", level("baseline"));
    add("Namespace drivers", level("restricted"));
    const fix = "have its owner set the label pod-security.kubernetes.io/enforce=privileged, or set";
    const need = "the driver and its providers need privileged for their host paths";
    expect(await clashesOf({ ...given, csiDriver: { namespace: "drivers" } })).toEqual([
      `  Namespace vault-csi-provider enforces the Pod Security level baseline, and ${need}: ${fix} namespaces.csiProvider to another name`,
      `  Namespace drivers enforces the Pod Security level restricted, and ${need}: ${fix} csiDriver.namespace to another name`,
    ]);
  });

  test("that another stack uses is a clash", async () => {
    add("ConfigMap aidbox-secrets-stack", { "aidbox-secrets/stack": "aidbox-secrets.prod" });
    expect(await clashesOf(given)).toEqual([
      "  Namespace vault-csi-provider is used by the stack aidbox-secrets.prod: set namespaces.csiProvider to another name",
      "  Namespace aidbox is used by the stack aidbox-secrets.prod: set namespaces.aidbox to another name",
    ]);
  });

  test("has objects of others that the stack does not take over", async () => {
    add("Deployment aidbox");
    add("ServiceAccount aidbox");
    expect(await clashesOf({ namespaces: { options: { aidbox: { create: false } } } })).toContain(
      "  Deployment aidbox/aidbox is somebody else's: write another name at aidbox.name",
    );
  });

  test("has objects of others that the stack takes over where it has adopted them", async () => {
    add("Deployment aidbox");
    const adopted = {
      urn: "",
      type: "kubernetes:apps/v1:Deployment",
      inputs: { metadata: { namespace: "aidbox", name: "aidbox" } },
      retainOnDelete: false,
      protect: false,
    };
    await check(given, [adopted]);
    await expect(check(given)).rejects.toThrow("Deployment aidbox/aidbox is somebody else's");
  });

  test("is known again by its mark, with all that the stack made in it", async () => {
    add("ConfigMap aidbox-secrets-stack", ours);
    add("Deployment aidbox");
    await check(given);
  });
});

describe("the driver", () => {
  const serving = (requiresRepublish: boolean, ...audiences: readonly string[]): void => {
    add(driver, {}, { spec: { requiresRepublish, tokenRequests: audiences.map((audience) => ({ audience })) } });
  };

  test("of somebody else is a clash where the stack would install one", async () => {
    serving(true, "vault");
    expect(await clashesOf()).toEqual([
      `  ${driver} belongs to somebody else: a cluster has one: set csiDriver.install: false to use it`,
    ]);
  });

  test("that Helm installed by hand is used once it is adopted, and until then it is told how", async () => {
    const annotations = {
      "meta.helm.sh/release-name": "csi",
      "meta.helm.sh/release-namespace": "kube-system",
    };
    objects.set(driver, { metadata: { annotations }, spec: {} });
    expect(await clashesOf()).toEqual([expect.stringMatching(/take it over by `npm run adopt`$/)]);
    const release = {
      urn: "",
      type: "kubernetes:helm.sh/v3:Release",
      inputs: { name: "csi", namespace: "kube-system" },
      retainOnDelete: false,
      protect: false,
    };
    await check({}, [release]);
    await expect(check({}, [{ ...release, inputs: { name: "csi", namespace: "drivers" } }])).rejects.toThrow(
      OwnershipError,
    );
  });

  test("and the release of an external Vault's servers is never installed, only adopted", async () => {
    const serversRelease = { name: "store", namespace: "safe" };
    const login = { method: "kubernetes" };
    const vault = { mode: "external", address: "http://store.safe:8200", serversRelease, login };
    expect(await clashesOf({ vault })).toEqual([
      "  Helm release safe/store is not in the stack's state: take it over by `npm run adopt`, or leave vault.serversRelease out",
    ]);
    const type = "kubernetes:helm.sh/v3:Release";
    await check({ vault }, [{ urn: "", type, inputs: serversRelease, retainOnDelete: true, protect: false }]);
  });

  test("of somebody else is used where the config says so", async () => {
    serving(true, "other", "vault");
    await check({ csiDriver: { install: false }, tenants });
  });

  test.each([
    { what: "without rotation", requiresRepublish: false, audiences: ["vault"] },
    { what: "for another audience", requiresRepublish: true, audiences: ["other"] },
    { what: "without tokens", requiresRepublish: true, audiences: [] },
  ])("$what is of no use", async ({ requiresRepublish, audiences }) => {
    serving(requiresRepublish, ...audiences);
    expect(await clashesOf({ csiDriver: { install: false } })).toEqual([
      `  ${driver} is there, but without what this stack needs of it: install it with ` +
        "enableSecretRotation=true and tokenRequests[0].audience=vault; or, where its owner gives no tokens, set " +
        "vault.csiProviderMakesTokens: true, and read what that opens",
    ]);
  });

  // As Microsoft documents it: kubectl get pods -n kube-system -l 'app in (secrets-store-csi-driver, secrets-store-provider-azure)'
  describe("of AKS's add-on, which polls by itself, and is of before 1.6,", () => {
    const addOn = (name: string, wanted: number, ...args: readonly string[]): object => ({
      metadata: { namespace: "kube-system", name, labels: { app: "secrets-store-csi-driver" } },
      spec: { template: { spec: { containers: [{ name: "secrets-store", args }] } } },
      status: { desiredNumberScheduled: wanted },
    });
    const azure = {
      secrets: [clientSecret("client")],
      vault: undefined,
      csiDriver: { install: false },
      azureKeyVault: {
        name: "aidbox-prod",
        tenantId: "11111111-1111-1111-1111-111111111111",
        identity: { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" },
        csiProvider: "there",
      },
    };
    beforeEach(() => {
      add(driver, {}, { spec: { tokenRequests: [{ audience: "api://AzureADTokenExchange" }] } });
    });
    const install = (...args: readonly string[]): void => {
      lists.listDaemonSetForAllNamespaces = [
        addOn("aks-secrets-store-csi-driver-windows", 0),
        addOn("aks-secrets-store-csi-driver", 3, ...args),
      ];
    };

    test("is used, where the bound is one that its poll keeps", async () => {
      install("--enable-secret-rotation=true", "--rotation-poll-interval=2m");
      await check({ ...azure, rotationBound: "150s" });
      install("--enable-secret-rotation=true"); // 2m is the driver's own default
      await check({ ...azure, rotationBound: "3m" });
    });

    test.each([
      ["2m", "30s", 150],
      ["1h0m0s", "5m", 3630],
      ["10s", "30s", 90],
    ])("polling each %s does not keep %s", async (poll, rotationBound, least) => {
      install("--enable-secret-rotation=true", `--rotation-poll-interval=${poll}`);
      expect(await clashesOf({ ...azure, rotationBound })).toEqual([
        expect.stringContaining(`nothing has it look sooner: write rotationBound: ${least}s or more`),
      ]);
    });

    test.each([[[]], [["--enable-secret-rotation=false", "--rotation-poll-interval=2m"]]])(
      "is of no use without rotation: %p",
      async (args) => {
        install(...args);
        expect(await clashesOf({ ...azure, rotationBound: "3m" })).toEqual([
          expect.stringContaining("install it with enableSecretRotation=true"),
        ]);
      },
    );
  });

  test.each([
    ["is others' and makes its own", { csiProvider: false, allowFrom: [{ cidr: "10.0.0.0/8" }] }],
    ["may make its own", { csiProviderMakesTokens: true }],
  ])("needs no audience of ours where the provider %s", async (_, vault) => {
    serving(true);
    await check({ csiDriver: { install: false }, vault: { mode: "dev", ...vault } });
    serving(false);
    expect(await clashesOf({ csiDriver: { install: false }, vault: { mode: "dev", ...vault } })).toEqual([
      `  ${driver} is there, but without what this stack needs of it: install it with enableSecretRotation=true`,
    ]);
  });

  test("that is not there cannot be used", async () => {
    expect(await clashesOf({ csiDriver: { install: false } })).toEqual([
      `  ${driver} is not there: set csiDriver.install: true`,
    ]);
  });
});

describe("a release", () => {
  const standing = (binding: string, namespace: string): void => {
    objects.set(binding, { metadata: { annotations: { "meta.helm.sh/release-namespace": namespace } } });
  };
  const external = { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } };

  test.each([
    { what: "of Vault's servers, in dev mode", vault: dev.vault, binding: vaultBinding, key: "vault" },
    { what: "of Vault's servers with storage", vault: { mode: "ha" }, binding: vaultBinding, key: "vault" },
    { what: "of the CSI provider", vault: dev.vault, binding: providerBinding, key: "csiProvider" },
    { what: "of the CSI provider alone", vault: external, binding: providerBinding, key: "csiProvider" },
  ])("$what of the same name in another namespace is a clash", async ({ vault, binding, key }) => {
    standing(binding, "store");
    expect(await clashesOf({ vault })).toEqual([
      `  ${binding} belongs to namespace store: set vault.release to another name`,
    ]);
    expect(await clashesOf({ vault, namespaces: { [key]: "other" } })).toHaveLength(1);
    await check({ vault, namespaces: { [key]: "store" } });
    await check({ vault: { ...vault, release: "other" } });
  });

  test("that the stack does not install is no clash", async () => {
    standing(vaultBinding, "store");
    standing(providerBinding, "store");
    add("Namespace vault-csi-provider");
    await check({ vault: { ...external, csiProvider: false } });
  });
});

describe("an Aidbox of another stack", () => {
  const password = (owner: string) => ({ name: "db", path: `${owner}/db`, environment: "BOX_DB_PASSWORD" });
  const database = { mode: "external", host: "pg.example.com", tls: { mode: "require" } };
  const deployment = (env: Readonly<Record<string, string>>): object => ({
    metadata: { name: "box" },
    spec: {
      template: { spec: { containers: [{ env: Object.entries(env).map(([name, value]) => ({ name, value })) }] } },
    },
  });
  const theirs = { BOX_DB_HOST: "pg.example.com", BOX_DB_PORT: "5432", BOX_DB_DATABASE: "fhir", BOX_DB_USER: "other" };
  const withTenant = {
    secrets: [password("first")],
    database,
    aidbox: { ...dev.aidbox, ingress: { hosts: ["one.example.com"] } },
    tenants: [{ name: "north", secrets: [password("north")], database: { name: "fhir", user: "north" } }],
  };

  beforeEach(() => {
    const namespace = (name: string, owner: string): object => ({
      metadata: { name, labels: { "aidbox-secrets/stack": owner } },
    });
    lists.listNamespace = [namespace("aidbox", "aidbox-secrets.dev"), namespace("clinic", "aidbox-secrets.clinic")];
    lists.listNamespacedDeploymentaidbox = [deployment(theirs)]; // this stack's own
  });

  test("that has the same database or host is a clash, with the key to set", async () => {
    lists.listNamespacedDeploymentclinic = [deployment({ ...theirs, BOX_WEB_BASE_URL: "https://one.example.com" })];
    const owner = "Aidbox clinic/box of the stack aidbox-secrets.clinic";
    expect(await clashesOf(withTenant)).toEqual([
      `  The host one.example.com belongs to ${owner}: set aidbox.ingress.hosts[0] to another`,
      `  The database pg.example.com:5432/fhir belongs to ${owner}: set tenants[0].database.name to another`,
    ]);
  });

  test("that has others, or a PostgreSQL of its namespace, is none", async () => {
    lists.listNamespacedDeploymentclinic = [
      deployment({ ...theirs, BOX_DB_DATABASE: "other", BOX_DB_USER: "north" }),
      deployment({ ...theirs, BOX_DB_HOST: "aidbox-postgres" }),
    ];
    await check(withTenant);
  });

  test("that has a PostgreSQL of its namespace by the name of ours in our own, is none", async () => {
    const local = { ...database, host: "pg" };
    lists.listNamespacedDeploymentclinic = [deployment({ ...theirs, BOX_DB_HOST: "pg" })];
    await check({ ...withTenant, database: local });
  });
});
