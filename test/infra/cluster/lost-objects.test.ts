import { connectVaultCluster } from "../../../infra/cluster/vault-cluster";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { type ReleaseWorkloads, repairOf } from "../../../infra/cluster/lost-objects";
import { checkVaultEnvironment } from "../vault-environment";
import { Engine } from "../../mocks";

/** An answer of the API server that is an error. */
class ApiException extends Error {
  public constructor(public readonly code: number) {
    super(`HTTP ${code}`);
  }
}

interface Asked {
  readonly namespace?: string;
  readonly name: string;
}

/** A cluster with some objects, named as `DaemonSet kube-system/csi`. */
class FakeApi {
  public readonly objects = new Map<string, object>();
  /** What was asked for, whether it is there or not. */
  public readonly asked: string[] = [];
  /** Objects that may not be read. */
  public readonly forbidden = new Set<string>();

  public readonly api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException },
    config: { makeApiClient: () => new Proxy({}, { get: (_, method) => this.answer(String(method)) }) },
  });

  private answer(method: string): (asked: Asked) => Promise<object> {
    if (method.startsWith("list")) return () => Promise.resolve({ items: [] });
    const kind = /^read(?:Namespaced)?(\w+)$/.exec(method)![1]!;
    return ({ namespace, name }) => {
      const what = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
      this.asked.push(what);
      if (this.forbidden.has(what)) return Promise.reject(new ApiException(403));
      const found = this.objects.get(what);
      return found === undefined ? Promise.reject(new ApiException(404)) : Promise.resolve(found);
    };
  }
}

const now = "2026-03-04T05:06:07.890Z";
const lastRepair = "2026-02-03T04:05:06.789Z";
const mark = "ConfigMap vault/vault-in-pulumi-state";
const workloads = ["DaemonSet vault/vault-csi-provider", "StatefulSet vault/vault"];
const release: ReleaseWorkloads = {
  namespace: "vault",
  releaseName: "vault",
  daemonSets: ["vault-csi-provider"],
  statefulSets: ["vault"],
};

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
    add(...workloads);
    expect(await repairOf(cluster.api, release)).toBe(repair);
    expect(warnings()).toEqual([]);
  });

  test("is looked at by name, in its own namespace", async () => {
    add(mark, ...workloads);
    await repairOf(cluster.api, release);
    expect(cluster.asked).toEqual([mark, ...workloads]);
  });

  test("may have installed nothing that is looked for", async () => {
    cluster.objects.set(mark, { data: { "repaired-at": lastRepair } });
    expect(await repairOf(cluster.api, { ...release, daemonSets: [], statefulSets: [] })).toBe(lastRepair);
    expect(cluster.asked).toEqual([mark]);
  });
});

describe.each<[what: string, left: readonly string[]]>([
  ["DaemonSet", ["StatefulSet vault/vault"]],
  ["StatefulSet", ["DaemonSet vault/vault-csi-provider"]],
  ["DaemonSet and StatefulSet", []],
])("a release that lacks its %s", (_, left) => {
  test.each<[what: string, content: object]>([
    ["for the first time", {}],
    ["once more", { data: { "repaired-at": lastRepair } }],
  ])("is repaired %s, at the time of now, with one warning", async (__, content) => {
    cluster.objects.set(mark, content);
    add(...left);
    expect(await repairOf(cluster.api, release)).toBe(now);
    expect(warnings()).toEqual(["Objects of the Helm release vault/vault are gone: Helm puts them back"]);
  });
});

test.each([
  ["nor anything else", []],
  ["but workloads of the name", workloads],
])("a release without a mark, %s, is none of this stack's to repair", async (_, objects) => {
  add(...objects);
  expect(await repairOf(cluster.api, release)).toBeUndefined();
  expect(cluster.asked).toEqual([mark]);
  expect(warnings()).toEqual([]);
});

test.each([mark, ...workloads])("%s that may not be read is not taken for one that is gone", async (forbidden) => {
  add(mark, ...workloads);
  cluster.forbidden.add(forbidden);
  await expect(repairOf(cluster.api, release)).rejects.toThrow(new ApiException(403));
  expect(warnings()).toEqual([]);
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
  const binding = "ClusterRoleBinding vault-server-binding";
  /** Where stacks had the CSI provider before it got a namespace of its own. */
  const formerProviders = ["DaemonSet vault/vault-csi-provider", "DaemonSet secrets/store-csi-provider"];

  const connect = (config: Record<string, unknown>) =>
    connectVaultCluster(cluster.api, checkVaultEnvironment("test", config), owner);

  async function repairsOf(config: Record<string, unknown>) {
    return (await connect(config)).repairs;
  }

  const workloadsAsked = (): string[] =>
    cluster.asked.filter((what) => /^(DaemonSet|StatefulSet) /.test(what) && !formerProviders.includes(what)).sort();

  test("that is empty has nothing to repair, and is asked for no workloads", async () => {
    expect(await repairsOf(dev)).toEqual({ csiDriver: undefined, vault: undefined });
    expect(workloadsAsked()).toEqual([]);
  });

  test.each<[what: string, left: readonly string[], repairs: object, releaseName: string]>([
    ["the driver alone", [provider, server], { csiDriver: now }, "kube-system/csi"],
    ["Vault alone", [driverDaemonSet, provider], { vault: now }, "vault/vault"],
    ["the CSI provider alone", [driverDaemonSet, server], { csiProvider: now }, "vault-csi-provider/vault-node"],
  ])("has %s repaired where that has lost something", async (_, left, repairs, releaseName) => {
    add(driverMark, mark, providerMark, binding, ...left);
    expect(await repairsOf(dev)).toEqual(repairs);
    expect(warnings()).toEqual([`Objects of the Helm release ${releaseName} are gone: Helm puts them back`]);
  });

  test("has Vault repaired where it lost what lets it check the pods' tokens, unless the config's values leave that out", async () => {
    add(driverMark, mark, providerMark, driverDaemonSet, provider, server);
    expect(await repairsOf(dev)).toEqual({ vault: now });
    const values = { server: { authDelegator: { enabled: false } } };
    expect(await repairsOf({ ...dev, vault: { mode: "dev", values } })).toEqual({});
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
    add(...looked, binding, "ClusterRoleBinding store-server-binding");
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
