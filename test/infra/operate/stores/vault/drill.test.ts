import * as portForward from "../../../../../infra/cluster/port-forward";
import type { VaultEnvironment } from "../../../../../infra/config/environment";
import { InvalidRequestError } from "../../../../../infra/operate/errors";
import { type Drill, drill } from "../../../../../infra/operate/stores/vault/drill";
import { errorOf, type VaultAnswer } from "../../../../mocks";
import { certificatePem } from "../../../../pems";
import { StoredVault } from "../../../../stored-vault";
import { checkVaultEnvironment } from "../../../vault-environment";
import { SnapshotSite } from "./snapshot-site";
import { config, forwardTo, SleepersClock, StoredSite } from "./stored-site";

const mockClock = new SleepersClock();
let mockSite: StoredSite;
let mockOpened: StoredVault;

type Values = Record<string, Record<string, string>>;
const values: Values = { "aidbox/client": { "client-secret": "one" }, "aidbox/admin": { "admin-password": "two" } };

/** Has a Vault serve these values to its pods' login, and to whoever has a root token. */
function serve(vault: StoredVault, held: Values): void {
  vault.intercept = ({ method, path }): VaultAnswer | undefined => {
    if (path === "auth/kubernetes/login") return { status: 200, body: { auth: { client_token: "hvs.pod" } } };
    const [, read] = /^secret\/data\/([^?]*)/.exec(path) ?? [];
    if (method !== "GET" || read === undefined) return undefined;
    const data = held[read];
    if (data === undefined) return { status: 404, body: { errors: [] } };
    return { status: 200, body: { data: { data, metadata: { version: 1 } } } };
  };
}

let site: SnapshotSite;
let shares: readonly string[];
beforeEach(async () => {
  mockClock.start();
  mockSite = await StoredSite.start({}, { ...config.vault, snapshots: {} });
  const openForward = jest.mocked(portForward.openPortForward).getMockImplementation()!;
  jest.mocked(portForward.openPortForward).mockImplementation((api, target, sticks) => {
    const isDrill = target.labelSelector === "batch.kubernetes.io/controller-uid=uid-of-store-drill";
    return isDrill ? Promise.resolve(forwardTo(mockOpened.first.fake.port)) : openForward(api, target, sticks);
  });
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  mockSite.cluster.add({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "aidbox", namespace: "health" },
  });
  site = new SnapshotSite(mockSite);
  mockSite.vault.initialise(3, 2);
  for (const server of mockSite.vault.servers) server.sealed = false;
  site.take("20261126T060000Z.snap");
  mockOpened = await StoredVault.start({ pods: ["drill"] });
  Object.assign(mockOpened, { keyShares: mockSite.vault.keyShares, threshold: 2 });
  shares = mockSite.vault.keyShares.slice(0, 2);
  serve(mockSite.vault, values);
  serve(mockOpened, values);
});
afterEach(async () => {
  mockClock.stop();
  delete process.env.KUBECONFIG;
  while (mockSite.cluster.leashed.size > 0) await new Promise((done) => setImmediate(done));
  await Promise.all([mockSite.stop(), mockOpened.stop()]);
});

const run = (given = shares): Promise<Drill> => drill(mockSite.environment, { shares: () => Promise.resolve(given) });
const ended = (): string[] =>
  mockSite.cluster.requests.flatMap(({ verb, resource, name }) => (verb === "delete" ? [`${resource} ${name!}`] : []));

test("every secret is read from the snapshot, and is as the live one", async () => {
  const found = await run();
  expect(found).toMatchObject({
    snapshot: "20261126T060000Z.snap",
    takenAt: new Date("2026-11-26T06:00:00Z"),
    secrets: [
      { secret: "client-secret", state: "same" },
      { secret: "admin-password", state: "same" },
    ],
  });
  expect(found.lostSeconds).toBe(Math.round((Date.now() - found.takenAt.getTime()) / 1000) - found.seconds);
  expect(JSON.stringify(found)).not.toMatch(/"(one|two)"/);
  expect(ended()).toEqual(["jobs store-drill"]);
});

test.each<[what: string, live: Values, opened: Values, state: string]>([
  ["was changed after it", { ...values, "aidbox/client": { "client-secret": "new" } }, values, "differs"],
  ["was made after it", values, { "aidbox/admin": values["aidbox/admin"]! }, "not in the snapshot"],
  ["is gone since", { "aidbox/admin": values["aidbox/admin"]! }, values, "not live"],
])("a secret that %s is named", async (_, live, opened, state) => {
  serve(mockSite.vault, live);
  serve(mockOpened, opened);
  expect((await run()).secrets).toEqual([
    { secret: "client-secret", state },
    { secret: "admin-password", state: "same" },
  ]);
});

test("its pod reaches nobody: no name, no token, a port inside the pod alone; and it goes with whoever made it", async () => {
  await run();
  const [job] = site.jobs;
  expect(job!.spec).toMatchObject({
    ttlSecondsAfterFinished: 0,
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "vault-drill", "app.kubernetes.io/instance": "store" } },
      spec: {
        automountServiceAccountToken: false,
        dnsPolicy: "None",
        volumes: [
          { persistentVolumeClaim: { readOnly: true } },
          { emptyDir: { medium: "Memory" } },
          { emptyDir: { medium: "Memory" } },
          { emptyDir: { medium: "Memory" } },
        ],
      },
    },
  });
  const [, , script, , vaultConfig, again, file] = site.ran.find(([program]) => program === "sh")!;
  expect(script).toContain("snapshot restore -force");
  expect(script).toContain("export TMPDIR=/drill"); // nothing else in the pod can be written to
  expect(JSON.parse(vaultConfig!)).toMatchObject({ listener: { tcp: { address: "127.0.0.1:8200" } } });
  expect(again).toBe(vaultConfig);
  expect(file).toBe("/snapshots/20261126T060000Z.snap");
  expect(JSON.stringify(site.ran)).not.toContain(shares[0]);
});

test.each<[what: string, given: () => readonly string[], message: string]>([
  ["wrong shares", () => ["d3Jvbmc=", "d3JvbmcgMg=="], "the drill's Vault refuses the key shares"],
  ["too few shares", () => shares.slice(0, 1), "the drill's Vault has 1 of 2 key shares: give more of them"],
])("%s end it, and leave nothing", async (_, given, message) => {
  const error = await errorOf(run(given()));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toContain(message);
  expect(ended()).toEqual(["jobs store-drill"]);
});

test("a pod of the run before that is ending still is left alone", async () => {
  site.addEndingPod("store-drill");
  expect((await run()).snapshot).toBe("20261126T060000Z.snap");
});

test("a damaged snapshot ends it before a share is asked for", async () => {
  site.damaged.add("20261126T060000Z.snap");
  const ask = jest.fn();
  const error = await errorOf(drill(mockSite.environment, { shares: ask }));
  expect(error.message).toContain("20261126T060000Z.snap is damaged");
  expect(ask).not.toHaveBeenCalled();
});

describe("a Vault that unseals itself", () => {
  const sealed = (seal: object): VaultEnvironment =>
    checkVaultEnvironment("test", { ...config, vault: { ...config.vault, seal, snapshots: {} } });
  const ca = `${certificatePem}\n`;
  const transit = { type: "transit", address: "https://10.1.2.3:8300", keyName: "unseal", ca };

  test("by another Vault's key is opened by it: with the servers' token for that, and recovery shares for a root token", async () => {
    await mockOpened.stop();
    mockOpened = await StoredVault.start({ pods: ["drill"], recoverySeal: true });
    mockOpened.initialise(3, 2);
    mockOpened.first.sealed = false; // by the seal
    serve(mockOpened, values);
    const recovery = (): Promise<readonly string[]> => Promise.resolve(mockOpened.keyShares.slice(0, 2));
    const { secrets } = await drill(sealed(transit), { shares: recovery });
    expect(secrets.map(({ state }) => state)).toEqual(["same", "same"]);
    const secretKeyRef = { name: "store-seal-token", key: "token" };
    expect(site.jobs[0]!.spec).toMatchObject({
      template: {
        spec: { dnsPolicy: "None", containers: [{ env: [{ name: "SEAL_TOKEN", valueFrom: { secretKeyRef } }] }] },
      },
    });
    expect(JSON.stringify(site.jobs)).toContain(
      '"secret":{"items":[{"key":"ca.crt","path":"ca.crt"}],"secretName":"store-seal-token"}',
    );
    const [, , , , before, after] = site.ran.find(([program]) => program === "sh")!;
    expect(JSON.parse(before!)).not.toHaveProperty("seal");
    expect(JSON.parse(after!)).toMatchObject({
      seal: { transit: { address: "https://10.1.2.3:8300", key_name: "unseal", disable_renewal: "true" } },
    });
  });

  test("at a name resolves names", async () => {
    const ask = jest.fn(() => Promise.reject(new Error("enough")));
    await errorOf(drill(sealed({ ...transit, address: "https://other.example" }), { shares: ask }));
    expect(JSON.stringify(site.jobs)).not.toContain("dnsPolicy");
  });

  test("by a cloud's key is refused: a drill's pod does not get the servers' identity", async () => {
    const error = await errorOf(
      drill(sealed({ type: "awskms", region: "eu-central-1", kmsKeyId: "1234" }), { shares: jest.fn() }),
    );
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toContain("a cloud's key opens the snapshots");
    expect(site.jobs).toEqual([]);
  });
});
