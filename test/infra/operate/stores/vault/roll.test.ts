import timers from "node:timers/promises";
import { InvalidRequestError, UnreachableError } from "../../../../../infra/operate/errors";
import { PermissionDeniedError } from "../../../../../infra/operate/permission-denied";
import { rollServers, type ServerRoll } from "../../../../../infra/operate/stores/vault/roll";
import { checkVault } from "../../../../../infra/operate/stores/vault/server-link";
import { outdatedNotice, serverRevisions } from "../../../../../infra/operate/stores/vault/server-revisions";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { sharesOf } from "../../../../../infra/operate/stores/vault/unseal";
import { errorOf } from "../../../../mocks";
import { config, pods, SleepersClock, StoredSite } from "./stored-site";

const mockClock = new SleepersClock();
let mockSite: StoredSite;

beforeEach(() => {
  mockClock.start();
});
afterEach(async () => {
  mockClock.stop();
  delete process.env.KUBECONFIG;
  await mockSite.stop();
});

const seal = { type: "transit", address: "https://other.example", keyName: "unseal" };

/** A Vault that serves, of whose servers some run what an earlier up wrote. A pod that ends comes back, sealed but for a seal. */
async function start(outdated: readonly string[], vault: object = config.vault): Promise<void> {
  const unsealsItself = "seal" in vault;
  mockSite = await StoredSite.start({ recoverySeal: unsealsItself }, vault);
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
  for (const pod of outdated) {
    mockSite.cluster.delete("Pod", pod);
    mockSite.addPod(pod, "Running", "store-before");
  }
  mockSite.cluster.onPodEnd = (pod) => {
    mockSite.addPod(pod, "Running");
    const server = mockSite.vault.servers.find((each) => each.pod === pod)!;
    server.sealed = !unsealsItself;
    server.given = [];
  };
}

const progress: string[] = [];
const shares = (): readonly string[] => mockSite.vault.keyShares.slice(0, 3);
const roll = (given = shares()): Promise<ServerRoll> => {
  progress.length = 0;
  return rollServers(mockSite.environment, sharesOf(given), { onProgress: (text) => progress.push(text) });
};
const ended = (): string[] =>
  mockSite.cluster.requests.flatMap(({ verb, name }) => (verb === "delete" ? [name ?? ""] : []));
const notice = async () => outdatedNotice(await VaultSession.open(mockSite.environment));
const revisions = async () => serverRevisions(await VaultSession.open(mockSite.environment));

test("servers that run what an earlier up wrote are told from the others", async () => {
  await start(["store-2", "store-0"]);
  expect(await revisions()).toEqual({
    all: pods,
    outdated: ["store-0", "store-2"],
    formerImages: [],
    image: "hashicorp/vault:1.21.4",
    containers: ["vault", "audit-log-rotator"],
  });
});

test("a StatefulSet whose change the cluster has not noticed yet is waited for", async () => {
  await start(["store-1"]);
  const before = { observedGeneration: 1, updateRevision: "store-before" };
  mockSite.cluster.change("StatefulSet", "store", { status: before });
  const sleeping = jest.spyOn(timers, "setTimeout").mockImplementation(() => {
    mockSite.cluster.change("StatefulSet", "store", { status: { observedGeneration: 2, updateRevision: "store-now" } });
    return Promise.resolve();
  });
  expect((await revisions()).outdated).toEqual(["store-1"]);
  expect(sleeping).toHaveBeenCalledTimes(1);
});

test("the pod of before alone is deleted, not one that has taken its place meanwhile", async () => {
  await start(["store-1"]);
  await roll();
  const bodies = mockSite.cluster.requests.flatMap(({ verb, body }) => (verb === "delete" ? [body] : []));
  expect(bodies).toEqual([expect.objectContaining({ preconditions: { uid: "store-1 of store-before" } })]);
});

test("an up that leaves servers as they were says so, with the command, and verify too", async () => {
  await start(["store-0", "store-2"]);
  const words = "store-0, store-2 of 3 servers of Vault run what an earlier up wrote";
  expect(await notice()).toBe(`${words}: npm run vault:roll -- --env test`);
  const error = await errorOf(checkVault(await VaultSession.open(mockSite.environment)));
  expect(error).toMatchObject({ message: words, fix: "npm run vault:roll -- --env test" });
});

test("where these run another image, it and the new one are named", async () => {
  await start(["store-1"]);
  mockSite.cluster.delete("Pod", "store-1");
  mockSite.addPod("store-1", "Running", "store-before", "hashicorp/vault:1.21.1");
  expect(await notice()).toBe(
    "store-1 of 3 servers of Vault runs what an earlier up wrote (hashicorp/vault:1.21.1, and not hashicorp/vault:1.21.4): " +
      "npm run vault:roll -- --env test",
  );
});

test("nothing is said where all run the newest", async () => {
  await start([]);
  expect(await notice()).toBe("");
});

test("nothing is made anew where all run the newest", async () => {
  await start([]);
  expect(await roll()).toEqual({ rolled: [] });
  expect(ended()).toEqual([]);
});

test("standbys are made anew first, then the leader, and each takes the shares that were given once", async () => {
  await start(pods);
  expect(await roll()).toEqual({ rolled: ["store-1", "store-2", "store-0"] });
  expect(ended()).toEqual(["store-1", "store-2", "store-0"]);
  expect(mockSite.vault.servers.map(({ sealed }) => sealed)).toEqual([false, false, false]);
  expect(progress.filter((text) => /anew|serves/.test(text))).toEqual([
    "store-1: made anew",
    "store-1: serves",
    "store-2: made anew",
    "store-2: serves",
    "store-0: made anew, the leader",
    "store-0: serves",
  ]);
});

test("only servers that are not the newest are made anew", async () => {
  await start(["store-2"]);
  expect(await roll()).toEqual({ rolled: ["store-2"] });
});

test("with auto-unseal no share is asked for", async () => {
  await start(pods, { ...config.vault, seal });
  expect(await roll([])).toEqual({ rolled: ["store-1", "store-2", "store-0"] });
});

test("it stops at a server that lacks shares, and leaves the rest as they were", async () => {
  await start(pods);
  expect(await roll(shares().slice(0, 2))).toEqual({
    rolled: ["store-1"],
    sealed: { pod: "store-1", given: 2, needed: 3 },
  });
  expect(ended()).toEqual(["store-1"]);
});

test("no server goes while another does not serve", async () => {
  await start(pods);
  mockSite.vault.servers[2]!.sealed = true;
  const error = await errorOf(roll());
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    "store-2 does not serve, and another that goes could end Vault: first npm run vault:unseal -- --env test",
  );
  expect(ended()).toEqual([]);
});

test("a server that a lost connection kept silent is asked again", async () => {
  await start(["store-1"]);
  let lost = 1;
  mockSite.vault.intercept = ({ path }, { pod }) =>
    pod === "store-2" && path.startsWith("sys/health") && lost-- > 0
      ? { status: 500, body: { errors: [] } }
      : undefined;
  expect(await roll()).toEqual({ rolled: ["store-1"] });
});

test("no server goes while another does not run", async () => {
  await start(["store-1"]);
  mockSite.addPod("store-2", "Pending");
  const error = await errorOf(roll());
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    "store-2 does not run, and another that goes could end Vault: first " +
      "kubectl --context somewhere -n vault-servers describe pod store-2",
  );
  expect(ended()).toEqual([]);
});

test("a server that does not come back ends it, and the others are not touched", async () => {
  await start(pods);
  mockSite.cluster.onPodEnd = (pod) => {
    mockSite.addPod(pod, "Pending");
  };
  const error = await errorOf(roll());
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toBe(
    "store-1 is not back after 600 s: kubectl --context somewhere -n vault-servers describe pod store-1",
  );
  expect(ended()).toEqual(["store-1"]);
});

test("who may not delete pods is told so, and nothing is touched", async () => {
  await start(["store-1"]);
  mockSite.cluster.intercept = ({ verb }) =>
    verb === "delete"
      ? { status: 403, body: { kind: "Status", message: 'pods "store-1" is forbidden', code: 403 } }
      : undefined;
  expect(await errorOf(roll())).toBeInstanceOf(PermissionDeniedError);
});
