import { KubeApi } from "../../../infra/cluster/kube-api";
import { takeVersionKeyAlong } from "../../../infra/cluster/version-key";

class ApiException extends Error {
  public readonly code = 404;
}

/** What the client makes a Secret with. */
class FakeSecret {
  declare public readonly metadata: object;
}

interface Asked {
  readonly namespace: string;
  readonly name: string;
}

/** A cluster with a key in some namespaces. */
function clusterWith(keys: Readonly<Record<string, string>>): { readonly api: KubeApi; readonly created: object[] } {
  const created: object[] = [];
  const core = {
    readNamespacedSecret: ({ namespace, name }: Asked): Promise<object> =>
      namespace in keys && name === "vault-csi-provider-hmac-key"
        ? Promise.resolve({ data: { key: keys[namespace] } })
        : Promise.reject(new ApiException()),
    createNamespacedSecret: (request: object): Promise<void> => {
      created.push(request);
      return Promise.resolve();
    },
  };
  const api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException, V1Secret: FakeSecret },
    config: { makeApiClient: () => core },
  });
  return { api, created };
}

test("a provider that moves goes on with its key, so that no version changes", async () => {
  const { api, created } = clusterWith({ vault: "a2V5" });
  await takeVersionKeyAlong(api, "vault", "nodes");
  expect(created).toEqual([
    {
      namespace: "nodes",
      body: { metadata: { name: "vault-csi-provider-hmac-key" }, immutable: true, data: { key: "a2V5" } },
    },
  ]);
});

test.each<[what: string, keys: Readonly<Record<string, string>>]>([
  ["there is none yet, which the provider makes by itself", {}],
  ["it has one already", { vault: "a2V5", nodes: "b3RoZXI=" }],
  ["it alone has one", { nodes: "b3RoZXI=" }],
])("nothing is written where %s", async (_, keys) => {
  const { api, created } = clusterWith(keys);
  await takeVersionKeyAlong(api, "vault", "nodes");
  expect(created).toEqual([]);
});
