import type { k8s } from "cdk8s-plus-28";
import { InvalidRequestError, UnreachableError } from "../../../../../infra/operate/errors";
import { type Restoration, restore, type RestoreOptions } from "../../../../../infra/operate/stores/vault/restore";
import { errorOf } from "../../../../mocks";
import { SnapshotSite } from "./snapshot-site";
import { config, pods, SleepersClock, StoredSite } from "./stored-site";

const mockClock = new SleepersClock();
let mockSite: StoredSite;

const snapshots = { ...config.vault, snapshots: {} };
let site: SnapshotSite;
let original: readonly string[];

/** A Vault of which there are two snapshots, that was initialised anew since. */
async function start(vault: object = snapshots): Promise<void> {
  mockSite = await StoredSite.start({ recoverySeal: "seal" in vault }, vault);
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  site = new SnapshotSite(mockSite);
  mockSite.vault.initialise(3, 2);
  original = mockSite.vault.keyShares.slice(0, 2);
  for (const name of ["20261125T060000Z.snap", "20261126T060000Z.snap"]) site.take(name);
}

beforeEach(async () => {
  mockClock.start();
  await start();
});
afterEach(async () => {
  mockClock.stop();
  delete process.env.KUBECONFIG;
  while (mockSite.cluster.leashed.size > 0) await new Promise((done) => setImmediate(done));
  await mockSite.stop();
});

/** Initialises it anew, and unseals it. */
function initialiseAnew(): readonly string[] {
  mockSite.vault.initialise(5, 3);
  for (const server of mockSite.vault.servers) server.sealed = false;
  return mockSite.vault.keyShares.slice(0, 3);
}

const asked: string[] = [];
function run(present: readonly string[], options: Partial<RestoreOptions> = {}): Promise<Restoration> {
  asked.length = 0;
  return restore(mockSite.environment, {
    confirm: ({ name }) => {
      asked.push(`confirm ${name}`);
      return Promise.resolve();
    },
    shares: ({ initialised, unsealsItself }) => {
      asked.push(`shares of a Vault that is ${initialised ? "" : "not "}initialised${unsealsItself ? ", itself" : ""}`);
      return Promise.resolve({ present, original });
    },
    ...options,
  });
}
const writes = (): string[] => mockSite.vault.servers.flatMap((server) => server.writes);
const ended = (): string[] =>
  mockSite.cluster.requests.flatMap(({ verb, resource, name }) => (verb === "delete" ? [`${resource} ${name!}`] : []));

test("the newest one takes the place of a Vault with other keys, whose servers start anew and take the original shares", async () => {
  const present = initialiseAnew();
  const { seconds, ...restored } = await run(present);
  expect(restored).toEqual({
    snapshot: "20261126T060000Z.snap",
    takenAt: new Date("2026-11-26T06:00:00Z"),
    servers: pods,
  });
  expect(seconds).toBeGreaterThanOrEqual(0);
  expect(asked).toEqual(["confirm 20261126T060000Z.snap", "shares of a Vault that is initialised"]);
  expect(mockSite.vault.restored).toEqual(["20261126T060000Z.snap"]);
  expect(ended()).toEqual(["jobs store-restore", ...pods.map((pod) => `pods ${pod}`)]);
  expect(mockSite.vault.servers.every(({ sealed }) => !sealed)).toBe(true);
});

test("a server that does not run is left out, and named", async () => {
  const present = initialiseAnew();
  mockSite.addPod("store-2", "Pending");
  expect(await run(present)).toMatchObject({ servers: ["store-0", "store-1"], missing: ["store-2"] });
  expect(ended()).not.toContain("pods store-2");
});

test("a Vault with the same keys takes them twice", async () => {
  for (const server of mockSite.vault.servers) server.sealed = false;
  expect((await run(original, { snapshot: "20261125T060000Z.snap" })).servers).toEqual(pods);
  expect(mockSite.vault.restored).toEqual(["20261125T060000Z.snap"]);
});

test("a sealed one is unsealed first, by its own shares", async () => {
  initialiseAnew();
  const present = mockSite.vault.keyShares.slice(0, 3);
  for (const server of mockSite.vault.servers) server.sealed = true;
  expect((await run(present)).servers).toEqual(pods);
});

test("an empty one is initialised for it, by keys that are gone then", async () => {
  mockSite.vault.keyShares = [];
  expect((await run([])).servers).toEqual(pods);
  expect(asked[1]).toBe("shares of a Vault that is not initialised");
  expect(mockSite.vault.initialisedWith).toEqual({ secret_shares: 1, secret_threshold: 1 });
  expect(mockSite.vault.keyShares.slice(0, 2)).toEqual(original);
});

describe("an empty one that does not take it", () => {
  const discard = expect.stringMatching(
    /^.*\bno\b.*\.\nIf Vault is initialised now, nobody has its keys\. It holds nothing yet: delete its storage, and begin anew:\n {2}kubectl /,
  ) as string;

  test.each<[what: string, path: string, status: number, told: string]>([
    ["is said to hold nothing, by keys that nobody has", "sys/storage/raft/snapshot-force", 400, discard],
    ["or was not to be unsealed, likewise", "sys/unseal", 400, discard],
    [
      "for sure is not: it may be in place",
      "sys/storage/raft/snapshot-force",
      502,
      "Vault answered POST sys/storage/raft/snapshot-force with 502: no",
    ],
  ])("%s", async (_, path, status, told) => {
    mockSite.vault.keyShares = [];
    mockSite.vault.intercept = (request) => (request.path === path ? { status, body: { errors: ["no"] } } : undefined);
    expect((await errorOf(run([]))).message).toEqual(told);
  });
});

test("one that a killed run left behind, with a threshold that it remembers, is restored again", async () => {
  initialiseAnew();
  Object.assign(mockSite.vault, { keyShares: [...original, "third"], threshold: 2 });
  for (const server of mockSite.vault.servers) Object.assign(server, { sealed: true, remembers: 3, given: [] });
  expect((await run(original)).servers).toEqual(pods);
});

test("a Vault that unseals itself needs no shares of the snapshot's", async () => {
  await mockSite.stop();
  const seal = { type: "transit", address: "https://other.example", keyName: "unseal" };
  await start({ ...snapshots, seal });
  expect((await run(original, {})).servers).toEqual(pods);
  expect(asked[1]).toBe("shares of a Vault that is initialised, itself");
  expect(writes().filter((each) => each.endsWith("sys/unseal"))).toEqual([]);
});

describe("nothing is overwritten", () => {
  const untouched = async (running: Promise<unknown>): Promise<string> => {
    const error = await errorOf(running);
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(mockSite.vault.restored).toEqual([]);
    expect(ended().filter((each) => each.startsWith("pods"))).toEqual([]);
    return error.message;
  };
  let present: readonly string[];
  beforeEach(() => {
    present = initialiseAnew();
  });

  test("where the snapshot is damaged, before anything is asked", async () => {
    site.damaged.add("20261126T060000Z.snap");
    expect(await untouched(run(present))).toBe(
      'snapshot 20261126T060000Z.snap is damaged, and was not used: Error reading snapshot: hash check failed for "state.bin". ' +
        "Name an earlier one",
    );
    expect(asked).toEqual([]);
    expect(ended()).toEqual(["jobs store-restore"]);
  });

  test("where there is none of the name", async () => {
    expect(await untouched(run(present, { snapshot: "20260101T000000Z.snap" }))).toBe(
      'there is no snapshot "20260101T000000Z.snap" on the volume, but 20261126T060000Z.snap, 20261125T060000Z.snap',
    );
  });

  test("where there is none at all, or no volume", async () => {
    site.snapshots.clear();
    expect(await untouched(run(present))).toBe("there is no snapshot yet on the volume");
    mockSite.cluster.delete("PersistentVolumeClaim", "store-snapshots");
    expect(await untouched(run(present))).toBe(
      "there are no snapshots: namespace vault-servers has no volume claim store-snapshots. vault.snapshots takes some",
    );
  });

  test("where the pod that reads the snapshots does not run, and its Job goes", async () => {
    const asBefore = mockSite.cluster.onCreate;
    mockSite.cluster.onCreate = (object) => {
      asBefore(object);
      if (object.kind !== "Job") return;
      const status = { phase: "Failed", containerStatuses: null };
      mockSite.cluster.change("Pod", `${object.metadata.name}-pod`, { status });
    };
    const error = await errorOf(run(present));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toContain("the pod of Job store-restore in namespace vault-servers does not run: Failed");
    expect(ended()).toEqual(["jobs store-restore"]);
    expect(mockSite.vault.restored).toEqual([]);
  });

  test("where nobody confirms", async () => {
    const confirm = (): Promise<never> => Promise.reject(new InvalidRequestError("no"));
    expect(await untouched(run(present, { confirm }))).toBe("no");
    expect(writes()).toEqual([]);
  });

  test("where the shares of the present Vault are wrong", async () => {
    const wrong = ["d3Jvbmc=", "d3JvbmcgMg==", "d3JvbmcgMw=="];
    expect(await untouched(run(wrong))).toContain("Vault refuses the key shares: invalid key");
  });

  test("where another run is under way", async () => {
    mockSite.cluster.add({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "store-restore", namespace: "vault-servers" },
    });
    expect(await untouched(run(present))).toContain("another run is under way, by Job store-restore");
  });
});

describe("the root token that is made of the present shares", () => {
  /** Has Vault fail to take a snapshot. */
  const refuse = (): void => {
    mockSite.vault.intercept = ({ path }) =>
      path === "sys/storage/raft/snapshot-force" ? { status: 400, body: { errors: ["no"] } } : undefined;
  };

  test("is revoked where Vault does not take the snapshot", async () => {
    const present = initialiseAnew();
    refuse();
    await errorOf(run(present));
    expect(mockSite.vault.revoked).toEqual([expect.stringMatching(/^hvs\.generated-/)]);
  });

  test("is revoked where no server leads any more", async () => {
    const present = initialiseAnew();
    const asked = jest.fn();
    mockSite.vault.intercept = ({ path }) => {
      if (!path.startsWith("sys/health") || !mockSite.vault.hasGeneratedRoot) return undefined;
      asked();
      return { status: 200, body: { initialized: true, sealed: false, standby: true, version: "2.0.4" } };
    };
    expect((await errorOf(run(present))).message).toBe("no server of Vault is active: try again");
    expect(asked).toHaveBeenCalledTimes(pods.length);
    expect(mockSite.vault.revoked).toEqual([expect.stringMatching(/^hvs\.generated-/)]);
  });

  test("is told of where it cannot be revoked", async () => {
    const present = initialiseAnew();
    const told: string[] = [];
    mockSite.vault.intercept = ({ path }) =>
      ["sys/storage/raft/snapshot-force", "auth/token/revoke-self"].includes(path)
        ? { status: 400, body: { errors: ["no"] } }
        : undefined;
    await errorOf(run(present, { onProgress: (text) => told.push(text) }));
    expect(told.at(-1)).toBe(
      "the root token made for this is NOT revoked: Vault answered POST auth/token/revoke-self with 400: no",
    );
  });
});

describe("from the store of the copies", () => {
  const copies = { image: "rclone/rclone:1.71.2", bucket: "backups", credentialsSecret: "backup-store" };
  const allowTo = [{ peer: { cidr: "192.0.2.1/32" }, ports: [443] }];
  beforeEach(async () => {
    await mockSite.stop();
    await start({ ...config.vault, snapshots: { copies, allowTo } });
    for (const [name, content] of site.snapshots) site.copies.set(name, content);
    site.snapshots.clear();
  });

  test.each([
    ["the newest", undefined, "20261126T060000Z.snap"],
    ["one by its name", "20261125T060000Z.snap", "20261125T060000Z.snap"],
  ])("%s is brought to the volume, and restored", async (_, snapshot, restored) => {
    const present = initialiseAnew();
    expect((await run(present, { fromCopies: true, snapshot })).snapshot).toBe(restored);
    const [fetching] = site.jobs as unknown as { metadata: object; spec: { template: { spec: k8s.PodSpec } } }[];
    expect(fetching!.metadata).toMatchObject({
      name: "store-fetch",
      labels: { "app.kubernetes.io/name": "vault-snapshots", "app.kubernetes.io/instance": "store" },
    });
    const { containers, serviceAccountName, volumes } = fetching!.spec.template.spec;
    expect(serviceAccountName).toBe("store-snapshots");
    expect(volumes![0]!.persistentVolumeClaim).toEqual({ claimName: "store-snapshots" });
    expect(containers).toMatchObject([
      {
        name: "vault",
        image: "rclone/rclone:1.71.2",
        resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "1Gi" } },
        securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        volumeMounts: [{ name: "snapshots", mountPath: "/snapshots" }],
      },
    ]);
    expect(site.jobs.map(({ metadata }) => metadata.name)).toEqual(["store-fetch", "store-restore"]);
  });

  test("a store that refuses is named, and nothing is touched", async () => {
    site.refusesCopies = true;
    const present = initialiseAnew();
    expect(await errorOf(run(present, { fromCopies: true }))).toEqual(
      new UnreachableError("the store of the copies did not give one, and nothing was changed: SignatureDoesNotMatch"),
    );
  });

  test("an empty volume leads to them", async () => {
    expect((await errorOf(run(initialiseAnew()))).message).toBe(
      "there is no snapshot yet on the volume. To take a copy, pass --from-copies",
    );
  });

  test("a name that is none is refused before anything is started", async () => {
    const present = initialiseAnew();
    const error = await errorOf(run(present, { fromCopies: true, snapshot: "../notes" }));
    expect(error.message).toBe('"../notes" is no name of a snapshot: write one as 20261126T060000Z.snap');
    expect(site.jobs).toEqual([]);
  });

  test("there are none where the config asks for none", async () => {
    await mockSite.stop();
    await start();
    const error = await errorOf(run(initialiseAnew(), { fromCopies: true }));
    expect(error).toEqual(new InvalidRequestError("there are no copies: vault.snapshots.copies is not set"));
  });
});

test("wrong original shares leave it in place, sealed, and say so", async () => {
  const present = initialiseAnew();
  original = ["d3Jvbmc=", "d3JvbmcgMg=="];
  const { servers, sealed } = await run(present);
  expect(servers).toEqual([]);
  expect(sealed!.reason).toContain("refuses the key shares");
});

test("too few original shares leave it in place, and say how many are there", async () => {
  const present = initialiseAnew();
  original = original.slice(0, 1);
  expect((await run(present)).sealed!.servers).toContainEqual({ pod: "store-0", given: 1, needed: 2 });
});

test("the pod that reads the snapshots is restricted, reads its volume alone, and ends by itself", async () => {
  await run(initialiseAnew());
  const [job] = site.jobs;
  expect(job!.spec).toMatchObject({
    ttlSecondsAfterFinished: 0,
    activeDeadlineSeconds: 1800,
    template: {
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true },
        containers: [
          {
            securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
            volumeMounts: [{ mountPath: "/snapshots", readOnly: true }],
          },
        ],
      },
    },
  });
});
