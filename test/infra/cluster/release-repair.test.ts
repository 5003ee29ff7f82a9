import { KubeApi } from "../../../infra/cluster/kube-api";
import { repairOf } from "../../../infra/cluster/release-repair";
import { connectVaultCluster } from "../../../infra/cluster/vault-cluster";
import { Engine } from "../../mocks";
import { checkVaultEnvironment } from "../vault-environment";
import { helmRecord, type Rendered } from "./helm-record";

/** An answer of the API server that is an error. */
class ApiException extends Error {
  public constructor(public readonly code: number) {
    super(`HTTP ${code}`);
  }
}

interface Asked {
  readonly namespace: string;
  readonly name: string;
}

/** A cluster with some objects, named as `DaemonSet kube-system/csi`. */
class FakeApi {
  public readonly objects = new Map<string, object>();
  /** What was asked for, whether it is there or not. */
  public readonly asked: string[] = [];
  /** Objects that may not be read. */
  public readonly forbidden = new Set<string>();
  /** How the list of an API's kinds is answered that is asked for a PodMonitor. */
  public discovery = 404;
  /** Helm's records by namespace. */
  private readonly records = new Map<string, object[]>();

  public readonly api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException },
    config: { makeApiClient: () => new Proxy({}, { get: (_, method) => this.answer(String(method)) }) },
  });

  /** Has Helm record a release, at a revision. */
  public record(namespace: string, releaseName: string, rendered: readonly Rendered[], revision = 1): void {
    const record = helmRecord(namespace, releaseName, rendered, revision);
    this.records.set(namespace, [...(this.records.get(namespace) ?? []), record]);
  }

  private answer(method: string): (asked: Asked & { labelSelector: string }) => Promise<object> {
    if (method === "listNamespacedSecret") {
      return ({ namespace, labelSelector }) => {
        const items = (this.records.get(namespace) ?? []).filter((record) => {
          const { labels } = (record as { metadata: { labels: Record<string, string> } }).metadata;
          return labelSelector.split(",").every((each) => labels[each.split("=")[0]!] === each.split("=")[1]);
        });
        return Promise.resolve({ items });
      };
    }
    if (method.startsWith("list")) return () => Promise.resolve({ items: [] });
    if (method === "read") return ((object: Rendered) => this.read(object)) as never;
    const kind = /^read(?:Namespaced)?(\w+)$/.exec(method)![1]!;
    return ({ namespace, name }) => this.find(kind, namespace, name);
  }

  /** As the client reads an object of any kind: the namespace counts only where the kind has one. */
  private read({ apiVersion, kind, metadata: { name, namespace } }: Rendered): Promise<object> {
    if (apiVersion === undefined) return Promise.reject(new Error("no apiVersion"));
    if (kind === "ServiceMonitor") {
      return Promise.reject(new Error(`Unrecognized API version and kind: ${apiVersion} ${kind}`));
    }
    if (kind === "PodMonitor") {
      const error = new ApiException(this.discovery);
      error.message = `Failed to fetch resource metadata for ${apiVersion}/${kind}: HTTP ${this.discovery}`;
      return Promise.reject(error);
    }
    return this.find(kind, /^Cluster|^CSIDriver/.test(kind) ? undefined : namespace, name);
  }

  private find(kind: string, namespace: string | undefined, name: string): Promise<object> {
    const what = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    this.asked.push(what);
    if (this.forbidden.has(what)) return Promise.reject(new ApiException(403));
    const found = this.objects.get(what);
    return found === undefined ? Promise.reject(new ApiException(404)) : Promise.resolve(found);
  }
}

const now = "2026-03-04T05:06:07.890Z";
const lastRepair = "2026-02-03T04:05:06.789Z";
const mark = "ConfigMap vault/vault-in-pulumi-state";
const release = { namespace: "vault", releaseName: "vault" };

/** What a chart renders for an object that is named as `Service vault/vault`. */
function rendered(what: string): Rendered {
  const [kind = "", path = ""] = what.split(" ");
  const [name = "", namespace] = path.split("/").reverse();
  return { apiVersion: "v1", kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** What a release of Vault installs, of each kind. */
const installed = [
  "StatefulSet vault/vault",
  "Service vault/vault",
  "ServiceAccount vault/vault",
  "ConfigMap vault/vault-config",
  "Role vault/vault-discovery-role",
  "ClusterRoleBinding vault-server-binding",
];

let cluster: FakeApi;
let warn: jest.SpyInstance;
beforeEach(() => {
  cluster = new FakeApi();
  warn = jest.spyOn(console, "warn").mockImplementation();
  jest.useFakeTimers({ now: Date.parse(now), doNotFake: ["nextTick", "setImmediate"] });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** Records the release of Vault, with all that it installs there but some. */
function install(...lost: readonly string[]): void {
  cluster.record("vault", "vault", installed.map(rendered));
  add(...installed.filter((each) => !lost.includes(each)));
}

function add(...objects: readonly string[]): void {
  for (const each of objects) cluster.objects.set(each, {});
}

/** Warnings that were given, without the SDK's words before them. */
function warnings(): string[] {
  return warn.mock.calls.map(([text]) => String(text).replace("warning: [runtime] ", ""));
}

describe("a release that has all that it installed", () => {
  test.each<[what: string, content: object, repair: string | undefined]>([
    ["that never was repaired, needs none", {}, undefined],
    ["that never was repaired, needs none, whatever else its mark says", { data: { other: "1" } }, undefined],
    ["that was repaired, keeps the time, so that nothing changes", { data: { "repaired-at": lastRepair } }, lastRepair],
  ])("and %s", async (_, content, repair) => {
    cluster.objects.set(mark, content);
    install();
    expect(await repairOf(cluster.api, release)).toBe(repair);
    expect(warnings()).toEqual([]);
  });

  test("is looked at for each object of its record", async () => {
    add(mark);
    install();
    await repairOf(cluster.api, release);
    expect(cluster.asked).toEqual([mark, ...installed]);
  });

  test("is looked at in its own namespace for what its chart gives none", async () => {
    add(mark, "Service vault/vault");
    cluster.record("vault", "vault", [rendered("Service vault")]);
    expect(await repairOf(cluster.api, release)).toBeUndefined();
    expect(cluster.asked).toEqual([mark, "Service vault/vault"]);
  });

  test("is looked at by the newest of its records, and by no other release's", async () => {
    add(mark, "Service vault/vault");
    cluster.record("vault", "vault", [rendered("Service vault/of-before")], 9);
    cluster.record("vault", "vault", [rendered("Service vault/vault")], 10);
    cluster.record("vault", "other", [rendered("Service vault/other")], 11);
    cluster.record("elsewhere", "vault", [rendered("Service elsewhere/vault")], 12);
    expect(await repairOf(cluster.api, release)).toBeUndefined();
    expect(cluster.asked).toEqual([mark, "Service vault/vault"]);
  });

  test.each<[what: string, rendered: readonly Rendered[] | undefined]>([
    ["has no record", undefined],
    ["has installed nothing", []],
    [
      "has installed only what the cluster no longer has a kind, or an API, for",
      [rendered("ServiceMonitor vault/vault"), rendered("PodMonitor vault/vault")],
    ],
  ])("may be one that %s", async (_, objects) => {
    cluster.objects.set(mark, { data: { "repaired-at": lastRepair } });
    if (objects !== undefined) cluster.record("vault", "vault", objects);
    expect(await repairOf(cluster.api, release)).toBe(lastRepair);
    expect(warnings()).toEqual([]);
  });
});

describe.each(installed)("a release that lacks %s", (lost) => {
  test.each<[what: string, content: object]>([
    ["for the first time", {}],
    ["once more", { data: { "repaired-at": lastRepair } }],
  ])("is repaired %s, at the time of now, with one warning that names it", async (__, content) => {
    cluster.objects.set(mark, content);
    install(lost);
    expect(await repairOf(cluster.api, release)).toBe(now);
    const name = lost.replace("vault/", "");
    expect(warnings()).toEqual([
      `Helm release vault/vault has lost ${name}: Helm puts back what is gone` +
        (lost.startsWith("ServiceAccount")
          ? "; restart the pods that run by that ServiceAccount, since the cluster refuses the tokens that they have"
          : ""),
    ]);
  });
});

test("a release that lacks several objects is repaired with one warning that names all", async () => {
  add(mark);
  install("Service vault/vault", "ClusterRoleBinding vault-server-binding");
  expect(await repairOf(cluster.api, release)).toBe(now);
  expect(warnings()).toEqual([
    "Helm release vault/vault has lost Service vault, ClusterRoleBinding vault-server-binding: Helm puts back what is gone",
  ]);
});

test("a release without a mark is none of this stack's to repair", async () => {
  install("Service vault/vault");
  expect(await repairOf(cluster.api, release)).toBeUndefined();
  expect(cluster.asked).toEqual([mark]);
  expect(warnings()).toEqual([]);
});

test.each([mark, ...installed])("%s that may not be read is not taken for one that is gone", async (forbidden) => {
  add(mark);
  install();
  cluster.forbidden.add(forbidden);
  await expect(repairOf(cluster.api, release)).rejects.toThrow(new ApiException(403));
  expect(warnings()).toEqual([]);
});

test("an API whose kinds cannot be listed is not taken for one that is gone", async () => {
  add(mark);
  cluster.record("vault", "vault", [rendered("PodMonitor vault/vault")]);
  cluster.discovery = 503;
  await expect(repairOf(cluster.api, release)).rejects.toThrow("HTTP 503");
});

describe("the cluster of an environment", () => {
  const owner = "aidbox-secrets.test";
  const dev = {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  };
  const external = {
    ...dev,
    development: false,
    vault: { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" } },
  };
  const driverMark = "ConfigMap kube-system/csi-in-pulumi-state";
  const driverDaemonSet = "DaemonSet kube-system/csi-secrets-store-csi-driver";
  const providerMark = "ConfigMap vault-csi-provider/vault-node-in-pulumi-state";
  const provider = "DaemonSet vault-csi-provider/vault-node-csi-provider";
  const server = "StatefulSet vault/vault";
  /** Where stacks had the CSI provider before it got a namespace of its own. */
  const formerProviders = ["DaemonSet vault/vault-csi-provider", "DaemonSet secrets/store-csi-provider"];

  const connect = (config: Record<string, unknown>) =>
    connectVaultCluster(cluster.api, checkVaultEnvironment("test", config), owner);

  async function repairsOf(config: Record<string, unknown>) {
    return (await connect(config)).repairs;
  }

  const workloadsAsked = (): string[] =>
    cluster.asked.filter((what) => /^(DaemonSet|StatefulSet) /.test(what) && !formerProviders.includes(what)).sort();

  /** Has Helm record that each of the releases has installed one object. */
  function recordEach(): void {
    cluster.record("kube-system", "csi", [rendered(driverDaemonSet)]);
    cluster.record("vault-csi-provider", "vault-node", [rendered(provider)]);
    cluster.record("vault", "vault", [rendered(server)]);
  }

  test("that is empty has nothing to repair, and is asked for no workloads", async () => {
    expect(await repairsOf(dev)).toEqual({ csiDriver: undefined, vault: undefined });
    expect(workloadsAsked()).toEqual([]);
  });

  test.each<[what: string, left: readonly string[], repairs: object, releaseName: string]>([
    ["the driver alone", [provider, server], { csiDriver: now }, "kube-system/csi"],
    ["Vault alone", [driverDaemonSet, provider], { vault: now }, "vault/vault"],
    ["the CSI provider alone", [driverDaemonSet, server], { csiProvider: now }, "vault-csi-provider/vault-node"],
  ])("has %s repaired where that has lost something", async (_, left, repairs, releaseName) => {
    add(driverMark, mark, providerMark, ...left);
    recordEach();
    expect(await repairsOf(dev)).toEqual(repairs);
    expect(warnings()).toEqual([expect.stringContaining(`Helm release ${releaseName} has lost `)]);
  });

  test("hands over dev mode's root token that a killed run has left, and asks for none in other modes", async () => {
    expect((await connect(dev)).devRootToken).toBeUndefined();
    cluster.objects.set("Secret vault/vault-dev-root-token", { data: { token: "bGVmdA==" } });
    expect((await connect(dev)).devRootToken).toBe("left");
    expect((await connect(external)).devRootToken).toBeUndefined();
  });

  const shared = { csiDriver: { install: false } };
  const sharedDriver = "CSIDriver secrets-store.csi.k8s.io";

  test.each<[what: string, config: Record<string, unknown>, looked: readonly string[]]>([
    ["dev mode: driver, provider and server", dev, [driverDaemonSet, provider, server]],
    ["an external Vault: no server", external, [driverDaemonSet, provider]],
    [
      "a CSI provider that the cluster has: none",
      { ...dev, vault: { mode: "dev", csiProvider: false, allowFrom: [{ podLabels: { app: "provider" } }] } },
      [driverDaemonSet, "StatefulSet vault/vault"],
    ],
    ["a driver that the cluster has: none", { ...dev, ...shared }, [provider, server]],
    [
      "names of its own: those",
      {
        ...dev,
        csiDriver: { release: "driver", namespace: "storage" },
        vault: { mode: "dev", release: "store" },
        namespaces: { vault: "secrets", csiProvider: "nodes" },
      },
      [
        "DaemonSet nodes/store-node-csi-provider",
        "DaemonSet storage/driver-secrets-store-csi-driver",
        "StatefulSet secrets/store",
      ],
    ],
  ])("is looked at for what the environment installs, with %s", async (_, config, looked) => {
    add(driverMark, mark, providerMark, "ConfigMap nodes/store-node-in-pulumi-state");
    add("ConfigMap storage/driver-in-pulumi-state", "ConfigMap secrets/store-in-pulumi-state");
    add(...looked);
    recordEach();
    cluster.record("nodes", "store-node", [rendered("DaemonSet nodes/store-node-csi-provider")]);
    cluster.record("storage", "driver", [rendered("DaemonSet storage/driver-secrets-store-csi-driver")]);
    cluster.record("secrets", "store", [rendered("StatefulSet secrets/store")]);
    cluster.objects.set(sharedDriver, {
      metadata: { labels: { "aidbox-secrets/stack": owner } },
      spec: { requiresRepublish: true, tokenRequests: [{ audience: "vault" }] },
    });
    expect(await repairsOf(config)).toEqual({ csiDriver: undefined, vault: undefined });
    expect(workloadsAsked()).toEqual(looked);
    expect(warnings()).toEqual([]);
  });

  test("is looked at in a preview too, so that it shows the repair", async () => {
    await Engine.start({ types: {}, run: "later preview" });
    add(driverMark, driverDaemonSet, mark, providerMark, provider);
    recordEach();
    expect(await repairsOf(dev)).toEqual({ csiDriver: undefined, vault: now });
  });

  test.each([
    ["the stack's own provider is to take its place", dev, true],
    [
      "it is another's",
      { ...dev, vault: { mode: "dev", csiProvider: false, allowFrom: [{ cidr: "10.0.0.0/8" }] } },
      false,
    ],
  ])("has a CSI provider beside Vault's servers that is to go where %s", async (_, config, moves) => {
    expect((await connect(config)).movesCsiProvider).toBe(false);
    add(formerProviders[0]!);
    expect((await connect(config)).movesCsiProvider).toBe(moves);
  });
});
