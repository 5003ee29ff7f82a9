import { presentAuditPlace } from "../../../infra/cluster/audit-place";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { checkVolumes, type VolumeGrowth, VolumesError } from "../../../infra/cluster/volumes";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { FakeKubernetes } from "../operate/fake-kubernetes";
import { ofVault } from "../vault-environment";

const config = {
  kubeContext: "somewhere",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "ha", replicas: 3, storage: { size: "10Gi" } },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const password = { name: "db", path: "aidbox/db", environment: "BOX_DB_PASSWORD", source: "seeded" };
const database = { mode: "development", storage: { size: "2Gi" } };
const inDevelopment = { development: true, secrets: [...config.secrets, password], database };

let cluster: FakeKubernetes;
beforeEach(async () => {
  cluster = await FakeKubernetes.start("somewhere");
  process.env.KUBECONFIG = cluster.kubeconfig;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  await cluster.stop();
});

function wanting(vault: object = {}, more: object = {}) {
  return checkEnvironment("test", { ...config, ...more, vault: { ...config.vault, ...vault } });
}

async function check(...wanted: Parameters<typeof wanting>): Promise<VolumeGrowth> {
  return checkVolumes(await KubeApi.connect("somewhere"), wanting(...wanted));
}

/** What a config is refused for. */
async function refusals(...wanted: Parameters<typeof wanting>): Promise<string[]> {
  const error: unknown = await check(...wanted).catch((reason: unknown) => reason);
  if (!(error instanceof VolumesError)) throw new Error(`not refused, but ${JSON.stringify(error)}`);
  expect(cluster.writes).toEqual([]);
  const [title, ...lines] = error.message.split("\n");
  expect(title).toBe("Volumes that are there cannot become these, so nothing was touched:");
  return lines.map((line) => line.trim());
}

function addClass(name: string, allowVolumeExpansion: boolean): void {
  cluster.add({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name }, allowVolumeExpansion });
}

function claimOf(storage: string, storageClassName?: string) {
  return { resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) };
}

function addClaim(name: string, storage: string, { namespace = "vault", phase = "Bound", of = "standard" } = {}): void {
  const spec = claimOf(storage, of);
  cluster.add({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec,
    status: { phase },
  });
}

/** Three servers with their volumes, as Helm and Kubernetes made them. */
function addServers(size = "10Gi", storageClass?: string, volumes: readonly string[] = ["data", "audit"]): void {
  cluster.add({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "vault", namespace: "vault" },
    spec: {
      volumeClaimTemplates: volumes.map((name) => ({
        metadata: { name },
        spec: claimOf(name === "data" ? size : "10Gi", storageClass),
      })),
    },
  });
  for (const volume of volumes) {
    for (const index of [0, 1, 2]) addClaim(`${volume}-vault-${index}`, volume === "data" ? size : "10Gi");
  }
}

function claimedBy(name: string): string {
  return (cluster.object("PersistentVolumeClaim", name).spec as ReturnType<typeof claimOf>).resources.requests.storage;
}

test("nothing is to be done where nothing is there, or all is as it should be", async () => {
  addClass("standard", true);
  for (const add of [() => undefined, addServers]) {
    add();
    expect(await check()).toMatchObject({ larger: [], makeWay: undefined });
  }
  addClaim("data-others-0", "1Gi");
  expect(await check({ storage: { size: "10240Mi" } })).toMatchObject({ larger: [], makeWay: undefined });
});

test("larger ones grow in place, and the StatefulSet makes way without its pods", async () => {
  addClass("standard", true);
  addServers();
  const growth = await check({ storage: { size: "20Gi" } });
  expect(growth.larger).toEqual([0, 1, 2].map((index) => `vault/data-vault-${index} from 10Gi to 20Gi`));
  expect(cluster.writes).toEqual([]);
  await growth.grow();
  expect(["data-vault-0", "data-vault-2", "audit-vault-0"].map(claimedBy)).toEqual(["20Gi", "20Gi", "10Gi"]);
  cluster.requests.length = 0;
  await growth.makeWay!();
  expect(cluster.writes).toEqual(["delete statefulsets vault"]);
  expect(cluster.requests[0]!.query.get("propagationPolicy")).toBe("Orphan");
  // As where a run was killed in between.
  expect(await check({ storage: { size: "20Gi" } })).toMatchObject({ larger: [], makeWay: undefined });
});

test("what somebody grew by hand needs the StatefulSet alone, in the size that the chart's values say too", async () => {
  addServers();
  for (const index of [0, 1, 2])
    cluster.change("PersistentVolumeClaim", `data-vault-${index}`, { spec: claimOf("20Gi") });
  const { larger, makeWay } = await check({ values: { server: { dataStorage: { size: "20Gi" } } } });
  expect({ larger, makesWay: makeWay !== undefined }).toEqual({ larger: [], makesWay: true });
});

test("the volumes of the audit log, of snapshots and of a PostgreSQL grow too, a tenant's as well", async () => {
  addClass("standard", true);
  addServers();
  addClaim("vault-snapshots", "10Gi");
  for (const namespace of ["aidbox", "aidbox-north"]) addClaim("aidbox-postgres", "1Gi", { namespace });
  const tenants = [{ name: "north", secrets: [{ ...password, path: "north/db" }], database }];
  const vault = { audit: { size: "12Gi" }, snapshots: { storage: { size: "30Gi" } } };
  const { larger, grow } = await check(vault, { ...inDevelopment, tenants });
  expect(larger).toEqual([
    ...[0, 1, 2].map((index) => `vault/audit-vault-${index} from 10Gi to 12Gi`),
    "vault/vault-snapshots from 10Gi to 30Gi",
    "aidbox/aidbox-postgres from 1Gi to 2Gi",
    "aidbox-north/aidbox-postgres from 1Gi to 2Gi",
  ]);
  await grow();
  expect(claimedBy("vault-snapshots")).toBe("30Gi");
});

test("one that its class lets not grow is refused, with the ways out", async () => {
  addClass("standard", false);
  addServers();
  const helps =
    "where the storage can, have the class' owner set allowVolumeExpansion: true; else move to new volumes as " +
    "docs/backup.md says (npm run vault:restore -- --env test); or write 10Gi";
  expect(await refusals({ storage: { size: "20Gi" } })).toEqual(
    [0, 1, 2].map(
      (index) =>
        `vault.storage.size: "20Gi": the volume claim data-vault-${index} of namespace vault has 10Gi, and its storage class ` +
        `standard lets no volume grow: ${helps}`,
    ),
  );
  cluster.delete("StorageClass", "standard");
  expect((await refusals({ storage: { size: "20Gi" } }))[0]).toContain(
    "and no storage class that lets it grow: else move",
  );
});

test("a smaller one is refused, whatever its class lets it do", async () => {
  addClass("standard", true);
  addServers();
  addClaim("aidbox-postgres", "5Gi", { namespace: "aidbox" });
  expect(await refusals({ storage: { size: "5Gi" } }, { ...inDevelopment })).toEqual([
    ...[0, 1, 2].map(
      (index) =>
        `vault.storage.size: "5Gi": the volume claim data-vault-${index} of namespace vault has 10Gi, and no volume shrinks: ` +
        "write 10Gi",
    ),
    'database.storage.size: "2Gi": the volume claim aidbox-postgres of namespace aidbox has 5Gi, and no volume shrinks: ' +
      "write 5Gi",
  ]);
});

test("one that no pod has mounted yet cannot change", async () => {
  addClass("standard", true);
  addClaim("vault-snapshots", "10Gi", { phase: "Pending" });
  expect(await refusals({ snapshots: { storage: { size: "30Gi" } } })).toEqual([
    'vault.snapshots.storage.size: "30Gi": the volume claim vault-snapshots of namespace vault has no volume yet, and cannot ' +
      "change before it has one: write 10Gi until a pod has mounted it",
  ]);
});

test("another storage class is refused, and the cluster's own may be written by its name", async () => {
  addServers();
  expect((await refusals({ storage: { size: "10Gi", storageClass: "fast" } }))[0]).toBe(
    'vault.storage.storageClass: "fast": the volume claim data-vault-0 of namespace vault has standard for ever: write standard',
  );
  const { larger, makeWay } = await check({ storage: { size: "10Gi", storageClass: "standard" } });
  expect({ larger, makesWay: makeWay !== undefined }).toEqual({ larger: [], makesWay: true });
  addServers("10Gi", "standard");
  expect(await refusals()).toContain(
    "vault.storage.storageClass: was standard, and a volume keeps its storage class: write standard",
  );
});

test("servers without a volume for the audit log get none, and those with one keep it", async () => {
  addServers("10Gi", undefined, ["data"]);
  expect(await check({ audit: { size: "20Gi" } })).toMatchObject({ larger: [], makeWay: undefined });
  addServers();
  expect(await refusals({ audit: { enabled: false } })).toEqual([
    "vault.audit.enabled: false, and the servers of vault have a volume for it that Vault writes to: leave enabled out",
  ]);
});

describe("the place of the audit log", () => {
  const place = async (): Promise<string | undefined> =>
    presentAuditPlace(await KubeApi.connect("somewhere"), ofVault(wanting()));

  test("is open for servers that are yet to be made", async () => {
    expect(await place()).toBeUndefined();
  });

  test("stays what it is for servers that are there", async () => {
    addServers();
    expect(await place()).toBe("volume");
    addServers("10Gi", undefined, ["data"]);
    expect(await place()).toBe("storage");
  });

  test("stays where somebody deleted the StatefulSet: Vault knows the file's path, and pods may be left", async () => {
    addClaim("data-vault-0", "10Gi");
    expect(await place()).toBe("storage");
    addClaim("audit-vault-0", "10Gi");
    expect(await place()).toBe("volume");
  });
});
