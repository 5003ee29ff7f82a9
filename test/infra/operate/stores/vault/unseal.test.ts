import { InvalidRequestError, UnreachableError } from "../../../../../infra/operate/errors";
import type { VaultServerPod } from "../../../../../infra/operate/stores/vault/servers";
import {
  type NextShare,
  type SealedServer,
  sharesOf,
  unseal,
  type Unsealing,
  unsealServers,
  waitUntilServing,
} from "../../../../../infra/operate/stores/vault/unseal";
import { errorOf } from "../../../../mocks";
import { type StoredServer, StoredVault } from "../../../../stored-vault";
import { pods, SleepersClock, StoredSite } from "./stored-site";

const mockClock = new SleepersClock();

let vault: StoredVault;
let servers: VaultServerPod[];
let shares: readonly string[];
let progress: string[];
beforeEach(async () => {
  mockClock.start();
  vault = await StoredVault.start({ pods });
  servers = vault.pods();
  vault.initialise();
  shares = vault.keyShares.slice(0, 3);
  progress = [];
});
afterEach(async () => {
  mockClock.stop();
  await vault.stop();
});

const open = (given = shares): Promise<Unsealing> =>
  unsealServers(servers, sharesOf(given), { onProgress: (text) => progress.push(text) });
const unsealed: Unsealing = { servers: pods, sealed: [] };
const sealed = (): boolean[] => vault.servers.map((each) => each.sealed);
const unseals = ({ writes }: StoredServer): number => writes.filter((each) => each === "POST sys/unseal").length;

describe("unsealing", () => {
  test("gives each share to every server in its turn, and says so", async () => {
    expect(await open()).toEqual(unsealed);
    expect(sealed()).toEqual([false, false, false]);
    expect(progress).toEqual(
      ["1 of 3 key shares", "2 of 3 key shares", "unsealed"].flatMap((text) => pods.map((pod) => `${pod}: ${text}`)),
    );
    expect(vault.servers.map(unseals)).toEqual([3, 3, 3]);
  });

  test("needs no report of its progress", async () => {
    expect(await unsealServers(servers, sharesOf(shares), {})).toEqual(unsealed);
  });

  test("gives no server a share that it does not need any more", async () => {
    await open(vault.keyShares);
    expect(vault.servers.map(unseals)).toEqual([3, 3, 3]);
  });

  test("leaves servers alone that are open", async () => {
    vault.servers[0]!.sealed = false;
    vault.servers[2]!.sealed = false;
    expect(await open()).toEqual(unsealed);
    expect(vault.servers.map(unseals)).toEqual([0, 3, 0]);
  });

  test("does nothing where all are open", async () => {
    for (const server of vault.servers) server.sealed = false;
    expect(await open([])).toEqual(unsealed);
    expect(vault.servers.flatMap(({ writes }) => writes)).toEqual([]);
  });

  test("waits for a server that joins the others only later", async () => {
    vault.servers[2]!.joinsAfter = 10;
    expect(await open()).toEqual(unsealed);
    expect(sealed()).toEqual([false, false, false]);
    expect(mockClock.sleeps.length).toBeGreaterThanOrEqual(3);
  });

  test("gives a server all shares again whose last one only had it join", async () => {
    let joins = true;
    vault.intercept = ({ path, body }, server) => {
      if (server.pod !== "store-1" || path !== "sys/unseal" || body?.key !== shares[2] || !joins) return undefined;
      joins = false;
      server.given = [];
      return { status: 200, body: { initialized: true, sealed: true, t: 3, n: 5, progress: 0 } };
    };
    expect(await open()).toEqual(unsealed);
    expect(unseals(vault.servers[1]!)).toBe(6);
  });

  test("goes on where some shares were given before", async () => {
    await servers[0]!.client.unseal(shares[0]!);
    expect(await open()).toEqual(unsealed);
  });

  test("waits until every server knows the active one", async () => {
    vault.servers[1]!.isLost = true;
    let asked = 0;
    vault.intercept = ({ path }, server) => {
      if (server.pod === "store-1" && path === "sys/leader" && ++asked === 5) server.isLost = false;
      return undefined;
    };
    expect(await open()).toEqual(unsealed);
    expect(asked).toBeGreaterThanOrEqual(5);
  });
});

describe("is refused, and asks no other server:", () => {
  test("a share that is none of them", async () => {
    const error = await errorOf(open([shares[0]!, shares[1]!, Buffer.alloc(33, 7).toString("base64")]));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(
      "store-0 refuses the key shares: Unseal failed, invalid key. Where it had enough of them, it begins anew",
    );
    expect(sealed()).toEqual([true, true, true]);
    expect(mockClock.sleeps).toEqual([]);
  });

  test("wrong shares, whatever Vault's words", async () => {
    const words = "failed to decrypt keys from storage: cipher: message authentication failed";
    vault.intercept = ({ path }) => (path === "sys/unseal" ? { status: 400, body: { errors: [words] } } : undefined);
    expect((await errorOf(open())).message).toContain(`store-0 refuses the key shares: ${words}`);
  });

  test("shares in what it says", async () => {
    const wrong = Buffer.alloc(33, 7).toString("base64");
    const { message } = await errorOf(open([wrong, shares[1]!, shares[2]!]));
    for (const share of [...shares, wrong]) expect(message).not.toContain(share);
  });
});

// "'key' must be a valid hex or base64 string" is asked again for two minutes, and then fails as a VaultError.
test("a share with a slip of the pen is refused at once", async () => {
  const error = await errorOf(open([shares[0]!, "not base64!", shares[1]!]));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(mockClock.sleeps).toEqual([]);
});

// The first line is the last one too: it is taken for the last share, and what follows is not given.
test("a share that is given twice counts once, and does not end the others", async () => {
  expect(await open([shares[0]!, shares[1]!, shares[0]!, shares[2]!, shares[0]!])).toEqual(unsealed);
});

describe("shares that come one after another", () => {
  const standing = (given: number): SealedServer => ({ pod: "store-0", given, needed: 3 });

  /** Shares as their holders bring them; what each is told by then. */
  function holders(...brought: readonly string[]): { next: NextShare; told: (readonly SealedServer[])[] } {
    const rest = [...brought];
    const told: (readonly SealedServer[])[] = [];
    const next: NextShare = (left) => {
      told.push(left);
      return Promise.resolve(rest.shift());
    };
    return { next, told };
  }

  test("tell how far each server is, and are asked for no longer than they are needed", async () => {
    for (const server of vault.servers.slice(1)) server.joinsAfter = 12;
    const { next, told } = holders(...vault.keyShares);
    expect(await unsealServers(servers, next, {})).toEqual(unsealed);
    expect(told.map(([first]) => first)).toEqual([standing(0), standing(1), standing(2)]);
  });

  test("are given to all servers that have data, side by side", async () => {
    const { next, told } = holders(shares[0]!);
    const { sealed: left } = await unsealServers(servers, next, {});
    expect(left).toEqual(pods.map((pod) => ({ pod, given: 1, needed: 3 })));
    expect(told).toHaveLength(2);
    expect(mockClock.sleeps).toEqual([]);
  });

  test("may come over several runs: Vault keeps those that it has", async () => {
    for (const [index, share] of shares.entries()) {
      const { servers: serving, sealed: left } = await open([share]);
      expect([serving.length, left.length]).toEqual(index < 2 ? [0, 3] : [3, 0]);
    }
  });

  test("one that a server has already does not count twice", async () => {
    await open([shares[0]!]);
    const { next, told } = holders(shares[0]!, shares[1]!, shares[2]!);
    expect(await unsealServers(servers, next, {})).toEqual(unsealed);
    expect(told.map(([first]) => first)).toEqual([standing(1), standing(1), standing(2)]);
  });

  test("a server that lost its data does not hold up the others, and joins them with the shares at hand", async () => {
    vault.servers[0]!.joinsAfter = 9;
    expect((await open()).sealed).toEqual([]);
    expect(sealed()).toEqual([false, false, false]);
  });

  test("none at all leaves all as it is", async () => {
    const { sealed: left } = await open([]);
    expect(left).toEqual(pods.map((pod) => ({ pod, given: 0, needed: 3 })));
    expect(vault.servers.flatMap(({ writes }) => writes)).toEqual([]);
  });
});

describe("is given up after two minutes:", () => {
  test("a server that never joins", async () => {
    vault.servers[1]!.joinsAfter = Infinity;
    const error = await errorOf(open());
    expect(error.message).toBe("Vault answered POST sys/unseal with 400: Vault is not initialized");
    expect(sealed()).toEqual([false, true, false]);
    expect(mockClock.sleeps.reduce((sum, each) => sum + each, 0)).toBe(121_000);
  });

  test("a server that stays sealed though it takes all shares", async () => {
    vault.intercept = ({ path }) =>
      path === "sys/unseal"
        ? { status: 200, body: { initialized: true, sealed: true, t: 3, n: 5, progress: 0 } }
        : undefined;
    const error = await errorOf(open());
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe("store-0 is still sealed after 120 s");
  });

  test("a server that finds no active one", async () => {
    vault.servers[2]!.isLost = true;
    const error = await errorOf(open());
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe("store-2 does not serve after 120 s");
  });

  test("waiting for servers that nobody unseals", async () => {
    expect((await errorOf(waitUntilServing(servers))).message).toBe("store-0 does not serve after 120 s");
  });

  test("waiting for a server that does not answer", async () => {
    for (const server of vault.servers) server.sealed = false;
    await vault.servers[1]!.fake.stop();
    expect((await errorOf(waitUntilServing(servers))).message).toBe("store-1 does not serve after 120 s");
    vault.servers[1]!.fake.stop = () => Promise.resolve();
  });
});

describe("in a cluster", () => {
  let site: StoredSite;
  beforeEach(async () => {
    site = await StoredSite.start();
    process.env.KUBECONFIG = site.cluster.kubeconfig;
    site.vault.initialise(3, 2);
  });
  afterEach(async () => {
    delete process.env.KUBECONFIG;
    await site.stop();
  });

  test("each server is reached by a way of its own, by TLS with the stack's CA", async () => {
    expect(await unseal(site.environment, sharesOf(site.vault.keyShares.slice(1)))).toEqual(unsealed);
    expect(site.vault.servers.map((each) => each.sealed)).toEqual([false, false, false]);
    expect(site.vault.servers.map(unseals)).toEqual([2, 2, 2]);
  });

  test("nobody's token is sent", async () => {
    process.env.VAULT_TOKEN = "hvs.somebody";
    await unseal(site.environment, sharesOf(site.vault.keyShares.slice(1)));
    delete process.env.VAULT_TOKEN;
    const sent = site.vault.servers.flatMap(({ fake }) => fake.requests.map(({ headers }) => headers["x-vault-token"]));
    expect(new Set(sent)).toEqual(new Set([""]));
  });

  test("a Vault that is not initialised is no case for shares", async () => {
    site.vault.keyShares = [];
    const error = await errorOf(unseal(site.environment, sharesOf(["c2hhcmU="])));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe("Vault is not initialised: npm run vault:init -- --env test");
  });

  const unsealAll = (): Promise<Unsealing> =>
    unseal(site.environment, sharesOf(site.vault.keyShares), { onProgress: (text) => progress.push(text) });
  /** Has a pod run once the servers were looked at some times. */
  function runsLater(pod: string): void {
    let asked = 0;
    site.cluster.intercept = ({ verb, resource }) => {
      if (verb === "list" && resource === "pods" && ++asked === 5) site.addPod(pod, "Running");
      return undefined;
    };
  }

  test("a server whose pod is only being made is waited for", async () => {
    site.addPod("store-2", "Pending");
    runsLater("store-2");
    expect(await unsealAll()).toEqual(unsealed);
    expect(progress.filter((text) => text.startsWith("waiting"))).toEqual(["waiting for store-2 to run"]);
    expect(site.vault.servers[2]!.sealed).toBe(false);
  });

  test("a server whose pod is gone is waited for", async () => {
    site.cluster.delete("Pod", "store-0");
    runsLater("store-0");
    expect(await unsealAll()).toEqual(unsealed);
  });

  test("a server whose pod is being deleted is waited for, though it still runs", async () => {
    site.cluster.change("Pod", "store-1", { metadata: { deletionTimestamp: "2026-11-26T12:00:00Z" } });
    runsLater("store-1");
    expect(await unsealAll()).toEqual(unsealed);
    expect(progress).toContain("waiting for store-1 to run");
  });

  test("a server that does not run after a minute is left out, and named", async () => {
    site.addPod("store-2", "Pending");
    expect(await unsealAll()).toEqual({ servers: ["store-0", "store-1"], sealed: [], missing: ["store-2"] });
    expect(site.vault.servers[2]!.fake.requests).toEqual([]);
    expect(mockClock.sleeps.reduce((sum, each) => sum + each, 0)).toBe(61_000);
  });

  test("a server that the StatefulSet is scaled to do without is not waited for", async () => {
    site.cluster.change("StatefulSet", "store", { spec: { replicas: 2 } }).delete("Pod", "store-2");
    expect(await unsealAll()).toEqual({ servers: ["store-0", "store-1"], sealed: [] });
    expect(mockClock.sleeps).toEqual([]);
  });
});
