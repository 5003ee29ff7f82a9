import { presentAuditPlace } from "../../../infra/cluster/audit-place";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { FakeKubernetes } from "../operate/fake-kubernetes";
import { checkVaultEnvironment } from "../vault-environment";

const environment = checkVaultEnvironment("test", {
  kubeContext: "somewhere",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  namespaces: { vault: "vault-servers" },
  vault: { mode: "ha", release: "store" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
});

let cluster: FakeKubernetes;
beforeEach(async () => {
  cluster = await FakeKubernetes.start("somewhere");
  process.env.KUBECONFIG = cluster.kubeconfig;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  await cluster.stop();
});

const place = async (): Promise<string | undefined> =>
  presentAuditPlace(await KubeApi.connect("somewhere"), environment);

function addServers(...volumes: readonly string[]): void {
  cluster.add({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "store", namespace: "vault-servers" },
    spec: { volumeClaimTemplates: volumes.map((name) => ({ metadata: { name } })) },
  });
}

function addClaim(name: string): void {
  cluster.add({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace: "vault-servers" } });
}

test("servers that are yet to be made have none", async () => {
  expect(await place()).toBeUndefined();
});

test("that of servers which are there stays what it is", async () => {
  addServers("data", "audit");
  expect(await place()).toBe("volume");
  addServers("data");
  expect(await place()).toBe("storage");
});

test("that of servers whose StatefulSet somebody deleted stays too: Vault knows the file's path, and pods may be left", async () => {
  addClaim("data-store-0");
  expect(await place()).toBe("storage");
  addClaim("audit-store-0");
  expect(await place()).toBe("volume");
});
