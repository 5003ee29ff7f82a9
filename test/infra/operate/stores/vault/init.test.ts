import { InvalidRequestError, LostSecretsError } from "../../../../../infra/operate/errors";
import {
  type FirstSecrets,
  initialise,
  type InitOptions,
  type InitOutcome,
  type OperatorSecrets,
  type StackSecrets,
} from "../../../../../infra/operate/stores/vault/init";
import {
  type NewShares,
  rekey,
  type Rekeying,
  type RekeyOptions,
} from "../../../../../infra/operate/stores/vault/rekey";
import { errorOf } from "../../../../mocks";
import type { StoredVaultOptions } from "../../../../stored-vault";
import { pods, SleepersClock, StoredSite } from "./stored-site";

const mockClock = new SleepersClock();
let mockSite: StoredSite;

let progress: string[];
beforeEach(async () => {
  await start();
});
afterEach(stop);

async function start(options?: StoredVaultOptions): Promise<void> {
  mockSite = await StoredSite.start(options);
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  mockClock.start();
  progress = [];
}

async function stop(): Promise<void> {
  mockClock.stop();
  delete process.env.KUBECONFIG;
  await mockSite.stop();
}

type Options = Partial<InitOptions>;
type Initialisation = FirstSecrets & Partial<StackSecrets & OperatorSecrets> & InitOutcome;

/** What was handed over, and what was known of it by then: the writes that Vault had seen. */
let handed: [secrets: FirstSecrets | OperatorSecrets | StackSecrets, after: readonly string[]][];

/** Initialises, and gives all that is told of it. */
async function run(options: Options = {}): Promise<Initialisation> {
  handed = [];
  const outcome = await initialise(mockSite.environment, {
    onProgress: (text) => progress.push(text),
    onSecrets: (secrets) => handed.push([secrets, writes()]),
    ...options,
  });
  return Object.assign({}, ...handed.map(([secrets]) => secrets), outcome) as Initialisation;
}
const writes = (): string[] => mockSite.vault.servers.flatMap((each) => each.writes);
const sealed = (): boolean[] => mockSite.vault.servers.map((each) => each.sealed);

describe("numbers that do not fit are refused before anybody is asked:", () => {
  const unfit = (threshold: number, shares: number): string =>
    `a threshold of ${threshold} does not fit ${shares} shares: it must be 2 or more, and no more than the shares`;
  test.each<[what: string, options: Options, told: string]>([
    ["a threshold above the shares", { shares: 3, threshold: 4 }, unfit(4, 3)],
    ["a threshold above the default shares", { threshold: 6 }, unfit(6, 5)],
    ["one of several shares", { shares: 3, threshold: 1 }, unfit(1, 3)],
    ["no threshold", { threshold: 0 }, unfit(0, 5)],
    ["no shares", { shares: 0 }, unfit(0, 0)],
    ["fewer than no shares", { shares: -1 }, unfit(-1, -1)],
    [
      "fewer PGP keys than shares",
      { shares: 3, pgpKeys: ["a2V5", "a2V6"] },
      "2 PGP keys for 3 shares: give one for each",
    ],
    [
      "more PGP keys than shares",
      { shares: 1, pgpKeys: ["a2V5", "a2V6"] },
      "2 PGP keys for 1 shares: give one for each",
    ],
    ["a threshold above the PGP keys", { pgpKeys: ["a2V5", "a2V6"], threshold: 3 }, unfit(3, 2)],
  ])("%s", async (_, options, told) => {
    const error = await errorOf(run(options));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(told);
    expect(mockSite.cluster.requests).toEqual([]);
    expect(progress).toEqual([]);
  });
});

test("a Vault that is initialised is left alone, and what comes next is named", async () => {
  mockSite.vault.initialise();
  const error = await errorOf(run());
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    "Vault is initialised already; to go on: npm run vault:unseal -- --env test, or npm run up -- --env test",
  );
  expect(mockSite.vault.servers.flatMap(({ writes }) => writes)).toEqual([]);
});

test("a server that has lost its storage is not made a second Vault beside one that holds data", async () => {
  mockSite.vault.initialise();
  for (const index of [0, 2]) mockSite.vault.servers[index]!.joinsAfter = Infinity;
  const error = await errorOf(run());
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(
    "store-1 of 3 servers of Vault has data, so it is initialised already. The others are to join: " +
      "npm run vault:unseal -- --env test, or npm run up -- --env test. Where no server leads: docs/runbooks.md#lost-quorum",
  );
  expect(writes()).toEqual([]);
});

test("a Vault that cannot be initialised yields nothing, in its own words", async () => {
  mockSite.vault.intercept = ({ path }) =>
    path === "sys/init" ? { status: 500, body: { errors: ["no space left on device"] } } : undefined;
  const error = await errorOf(run());
  expect(error.message).toBe("Vault answered PUT sys/init with 500: no space left on device");
});

describe("with key shares in the hands of operators", () => {
  test("Vault is initialised once, all servers unsealed, and the stack gets a token for the root token", async () => {
    const made = await run();
    const [token, stackToken] = [...mockSite.vault.tokens.keys()];
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: false,
      rootToken: mockSite.vault.rootToken,
      rootTokenEncrypted: false,
      operator: { method: "token", token },
      stackToken,
      rootTokenRevoked: true,
    });
    expect(made.keyShares).toHaveLength(5);
    expect(mockSite.vault.initialisedWith).toEqual({ secret_shares: 5, secret_threshold: 3 });
    expect(sealed()).toEqual([false, false, false]);
    expect(mockSite.vault.revoked).toHaveLength(1);
    expect([...mockSite.vault.policies.keys()]).toEqual(["aidbox-stack", "aidbox-writer"]);
  });

  test("it says how far it is, without a share or a token", async () => {
    const { keyShares, stackToken } = await run();
    const unsealing = ["1 of 3 key shares", "2 of 3 key shares", "unsealed"].flatMap((text) =>
      pods.map((pod) => `${pod}: ${text}`),
    );
    expect(progress).toEqual(["initialising", ...unsealing, "making the stack's token"]);
    for (const each of [...keyShares, stackToken!]) expect(progress.join("\n")).not.toContain(each);
  });

  test("the first server alone is initialised: the others join it", async () => {
    await run();
    expect(mockSite.vault.servers.map(({ writes }) => writes.includes("PUT sys/init"))).toEqual([true, false, false]);
  });

  test("servers may join only later", async () => {
    mockSite.vault.servers[1]!.joinsAfter = 3;
    expect((await run()).stackToken).toBeDefined();
    expect(sealed()).toEqual([false, false, false]);
  });

  test.each<[options: Options, body: object]>([
    [
      { shares: 7, threshold: 4 },
      { secret_shares: 7, secret_threshold: 4 },
    ],
    [{ shares: 2 }, { secret_shares: 2, secret_threshold: 2 }],
    [{ shares: 1 }, { secret_shares: 1, secret_threshold: 1 }],
    [{ threshold: 5 }, { secret_shares: 5, secret_threshold: 5 }],
  ])("%j is as many shares as are wanted", async (options, body) => {
    const { keyShares, stackToken } = await run(options);
    expect(mockSite.vault.initialisedWith).toEqual(body);
    expect(keyShares).toHaveLength((body as { secret_shares: number }).secret_shares);
    expect(stackToken).toBeDefined();
  });

  test("no more shares are given to a server than it needs", async () => {
    const { keyShares } = await run({ shares: 5, threshold: 2 });
    const given = mockSite.vault.first.fake.requests
      .filter(({ path }) => path === "sys/unseal")
      .map(({ body }) => body?.key);
    expect(given).toEqual(keyShares.slice(0, 2));
  });
});

describe("with a seal that opens itself", () => {
  beforeEach(async () => {
    await stop();
    await start({ recoverySeal: true });
  });

  test("the shares are those of the recovery key, no server is unsealed by hand, and the stack gets its token", async () => {
    const made = await run({ shares: 3, threshold: 2 });
    expect(made).toMatchObject({ encrypted: false, recovery: true, rootTokenRevoked: true });
    expect(made.stackToken).toBe([...mockSite.vault.tokens.keys()][1]);
    expect(made.keyShares).toEqual(mockSite.vault.keyShares);
    expect(mockSite.vault.initialisedWith).toEqual({ recovery_shares: 3, recovery_threshold: 2 });
    expect(mockSite.vault.servers.flatMap(({ writes }) => writes)).not.toContain("POST sys/unseal");
    expect(mockSite.vault.revoked).toHaveLength(1);
    expect(progress).toEqual(["initialising", "waiting for Vault to unseal itself", "making the stack's token"]);
  });

  test("shares may be encrypted for their holders, and the stack gets its token all the same", async () => {
    const made = await run({ pgpKeys: ["a2V5", "a2V6"] });
    expect(mockSite.vault.initialisedWith).toEqual({
      recovery_shares: 2,
      recovery_threshold: 2,
      recovery_pgp_keys: ["a2V5", "a2V6"],
    });
    expect(made).toMatchObject({ encrypted: true, recovery: true, rootTokenRevoked: true });
    expect(made.stackToken).toBeDefined();
  });

  test("a Vault that does not unseal itself leaves the shares and the root token", async () => {
    mockSite.vault.intercept = ({ path }, server) => {
      if (!path.startsWith("sys/health")) return undefined;
      server.sealed = true;
      return undefined;
    };
    const made = await run();
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: true,
      rootToken: mockSite.vault.rootToken,
      rootTokenEncrypted: false,
      stopped: "store-0 does not serve after 120 s",
    });
  });
});

describe("with shares that are encrypted for their holders", () => {
  test("nobody here can unseal: the root token is kept for later, and Vault stays sealed", async () => {
    const made = await run({ pgpKeys: ["a2V5", "a2V6", "a2V7"] });
    expect(mockSite.vault.initialisedWith).toEqual({
      secret_shares: 3,
      secret_threshold: 3,
      pgp_keys: ["a2V5", "a2V6", "a2V7"],
    });
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: true,
      recovery: false,
      rootToken: mockSite.vault.rootToken,
      rootTokenEncrypted: false,
      rest: "by hand",
    });
    expect(sealed()).toEqual([true, true, true]);
    expect(mockSite.vault.servers.flatMap(({ writes }) => writes)).toEqual(["PUT sys/init"]);
    expect(mockSite.vault.revoked).toEqual([]);
    expect(progress).toEqual(["initialising"]);
  });
});

describe("with a root token that is encrypted for its holder", () => {
  test("Vault is unsealed, and the stack's token is left to the holder", async () => {
    const made = await run({ rootTokenPgpKey: "a2V5" });
    expect(mockSite.vault.initialisedWith).toMatchObject({ root_token_pgp_key: "a2V5" });
    expect(made).toMatchObject({ rootTokenEncrypted: true, encrypted: false, rest: "by hand" });
    expect(sealed()).toEqual([false, false, false]);
    expect(made.stackToken).toBeUndefined();
    expect(mockSite.vault.revoked).toEqual([]);
  });

  test("a Vault that unseals itself serves, and the rest is left to the holder", async () => {
    await stop();
    await start({ recoverySeal: true });
    const made = await run({ rootTokenPgpKey: "a2V5", pgpKeys: ["a2V5"] });
    expect(mockSite.vault.initialisedWith).toMatchObject({ root_token_pgp_key: "a2V5", recovery_pgp_keys: ["a2V5"] });
    expect(made).toMatchObject({ rootTokenEncrypted: true, encrypted: true, rest: "by hand" });
    expect(progress).toEqual(["initialising", "waiting for Vault to unseal itself"]);
  });
});

describe("what exists once is handed over", () => {
  test("before anything else is asked of Vault", async () => {
    await run();
    expect(handed.map(([secrets, after]) => [Object.keys(secrets), after.at(-1)])).toEqual([
      [["keyShares", "rootToken", "encrypted", "recovery", "rootTokenEncrypted"], "PUT sys/init"],
      [["operator"], expect.any(String)],
      [["stackToken"], expect.any(String)],
    ]);
    expect(handed[0]![1]).toEqual(["PUT sys/init"]);
    expect(handed[2]![1]).not.toContain("POST auth/token/revoke-self");
  });

  test("though a signal asks the process to end meanwhile, which it does after", async () => {
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    const listening = (): number[] => signals.map((signal) => process.listenerCount(signal));
    const before = listening();
    const kill = jest.spyOn(process, "kill").mockReturnValue(true);
    let held: number[] = [];
    mockSite.vault.intercept = ({ path }) => {
      if (path !== "sys/init") return undefined;
      held = listening();
      process.emit("SIGTERM", "SIGTERM");
      process.emit("SIGINT", "SIGINT");
      return undefined;
    };
    const atKill: unknown[] = [];
    kill.mockImplementation((_, signal) => {
      atKill.push([signal, handed.length, listening()]);
      return true;
    });
    await run();
    kill.mockRestore();
    expect(held).toEqual(before.map((count) => count + 1));
    expect(atKill).toEqual([["SIGTERM", 1, before]]);
  });

  test("and nothing more is done where it cannot be", async () => {
    const full = new Error("ENOSPC: no space left on device, write");
    const onSecrets = (): never => {
      throw full;
    };
    expect(await errorOf(run({ onSecrets }))).toBe(full);
    expect(writes()).toEqual(["PUT sys/init"]);
  });
});

describe("an answer with the key shares that is lost", () => {
  const lose = (initialises: boolean, status: number): void => {
    mockSite.vault.intercept = ({ path }) => {
      if (path !== "sys/init") return undefined;
      if (initialises) mockSite.vault.initialise();
      return { status, body: "" };
    };
  };

  test("is no mere failure: the command that begins anew is named", async () => {
    lose(true, 504);
    const error = await errorOf(run());
    expect(error).toBeInstanceOf(LostSecretsError);
    expect(error.message).toBe(
      "Vault's answer with the key shares was lost on the way: Vault answered PUT sys/init with 504.\n" +
        "If Vault is initialised now, nobody has its keys. It holds nothing yet: delete its storage, and begin anew:\n" +
        "  kubectl --context somewhere -n vault-servers scale statefulset store --replicas 0 && " +
        "kubectl --context somewhere -n vault-servers delete pvc -l app.kubernetes.io/instance=store,component=server && " +
        "kubectl --context somewhere -n vault-servers scale statefulset store --replicas 3",
    );
  });

  test("is a mere failure where Vault is not initialised", async () => {
    lose(false, 504);
    expect((await errorOf(run())).message).toBe("Vault answered PUT sys/init with 504");
  });
});

describe("what Vault gave out once is returned whatever comes after:", () => {
  const expectKept = (made: Initialisation): void => {
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: false,
      rootToken: mockSite.vault.rootToken,
      rootTokenEncrypted: false,
      stopped: expect.any(String) as string,
    });
    expect(made.keyShares).toHaveLength(5);
    expect(made.rootToken).toMatch(/^hvs\.root-/);
  };

  test("a server that never joins", async () => {
    mockSite.vault.servers[2]!.joinsAfter = Infinity;
    const made = await run();
    expectKept(made);
    expect(made).toMatchObject({ stopped: "Vault answered POST sys/unseal with 400: Vault is not initialized" });
  });

  test("a server that is gone", async () => {
    mockSite.vault.intercept = ({ path }, server) => {
      if (path === "sys/init") void mockSite.vault.servers[1]!.fake.stop();
      return server.pod === "store-1" ? { status: 500, body: "" } : undefined;
    };
    const made = await run();
    expectKept(made);
    expect(made).toMatchObject({ stopped: expect.stringMatching(/fetch failed/) as string });
    mockSite.vault.servers[1]!.fake.stop = () => Promise.resolve();
  });

  test("a stack's token that cannot be made", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "auth/token/create-orphan" ? { status: 500, body: { errors: ["no"] } } : undefined;
    const made = await run();
    expectKept(made);
    expect(made).toMatchObject({ stopped: "Vault answered POST auth/token/create-orphan with 500: no" });
  });

  test("somebody who listens to no progress", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "auth/token/create-orphan" ? { status: 500, body: { errors: ["no"] } } : undefined;
    expectKept(await run({ onProgress: undefined }));
  });
});

describe("new key shares in the place of those that there are", () => {
  let former: readonly string[];
  beforeEach(() => {
    mockSite.vault.initialise();
    for (const server of mockSite.vault.servers) server.sealed = false;
    former = mockSite.vault.keyShares;
  });

  /** Has as many of the new shares given back as are needed. */
  const returning: RekeyOptions["giveBack"] = ({ keyShares }, needed) => Promise.resolve(keyShares.slice(0, needed));
  let made: NewShares | undefined;
  function change(shares: readonly string[], options: Partial<RekeyOptions> = {}): Promise<Rekeying> {
    made = undefined;
    return rekey(mockSite.environment, shares, {
      onProgress: (text) => progress.push(text),
      onShares: (shown) => {
        expect(mockSite.vault.keyShares).toEqual(former);
        made = shown;
      },
      giveBack: returning,
      ...options,
    });
  }

  test("count once they are given back, and no root token is left", async () => {
    expect(await change(former.slice(2), { shares: 4, threshold: 2 })).toEqual({ threshold: 2 });
    expect(made).toEqual({ keyShares: mockSite.vault.keyShares, encrypted: false, recovery: false });
    expect(mockSite.vault.keyShares).toHaveLength(4);
    expect(mockSite.vault.keyShares).not.toEqual(expect.arrayContaining([former[0]]));
    expect(mockSite.vault.threshold).toBe(2);
    expect(mockSite.vault.revoked).toEqual(["hvs.generated-1"]);
    expect(progress).toEqual(["making new key shares", "putting them in the place of the former ones"]);
  });

  test("leave no root token where the cluster does not answer any more", async () => {
    mockSite.cluster.intercept = ({ resource }) =>
      resource === "configmaps" && mockSite.vault.hasGeneratedRoot ? { status: 500, body: {} } : undefined;
    await change(former);
    expect(mockSite.vault.hasGeneratedRoot).toBe(false);
  });

  test("are made for the holders of PGP keys", async () => {
    await change(former, { pgpKeys: ["a2V5", "a2V6"] });
    expect(made).toMatchObject({ encrypted: true });
    expect(mockSite.vault.rekeyedWith).toEqual({
      secret_shares: 2,
      secret_threshold: 2,
      require_verification: true,
      pgp_keys: ["a2V5", "a2V6"],
    });
  });

  test("are those of the recovery key where Vault unseals itself", async () => {
    await stop();
    await start({ recoverySeal: true });
    mockSite.vault.initialise();
    former = mockSite.vault.keyShares;
    await change(former);
    expect(made).toEqual({ keyShares: mockSite.vault.keyShares, encrypted: false, recovery: true });
  });

  test.each<[what: string, shares: () => readonly string[], options: Partial<RekeyOptions>, told: string]>([
    ["too few shares", () => former.slice(0, 2), {}, "2 key shares are too few: 3 are needed"],
    ["wrong shares", () => ["YQ==", "Yg==", "Yw=="], {}, "Vault refuses the key shares: invalid key"],
    [
      "new shares of which too few are given back",
      () => former,
      { giveBack: ({ keyShares }) => Promise.resolve(keyShares.slice(0, 1)) },
      "1 key shares are too few: the former ones count still",
    ],
    [
      "new shares that are given back wrong",
      () => former,
      { giveBack: () => Promise.resolve(former) },
      "Vault refuses it, and the former key shares count still: rekey verification failed; incorrect key shares supplied",
    ],
    [
      "a threshold that does not fit",
      () => former,
      { shares: 3, threshold: 4 },
      "a threshold of 4 does not fit 3 shares: it must be 2 or more, and no more than the shares",
    ],
  ])("leave the former ones in force, and nothing begun: %s", async (_, shares, options, told) => {
    const error = await errorOf(change(shares(), options));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(told);
    expect(mockSite.vault.keyShares).toEqual(former);
    expect(mockSite.vault.rekeying).toBeUndefined();
    expect([...mockSite.vault.tokens.keys()]).toEqual([mockSite.vault.rootToken]);
  });

  test("are refused while somebody else makes some, whose change goes on", async () => {
    mockSite.vault.rekeying = { shares: 5, threshold: 3, given: [] };
    const error = await errorOf(change(former));
    expect(error.message).toBe("Vault refuses it, and the former key shares count still: rekey already in progress");
    expect(mockSite.vault.rekeying).toBeDefined();
    expect([...mockSite.vault.tokens.keys()]).toEqual([mockSite.vault.rootToken]);
  });

  test("say where the root token that was made for them lives on", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "auth/token/revoke-self" ? { status: 500, body: { errors: ["no"] } } : undefined;
    expect(await change(former)).toEqual({
      threshold: 3,
      rootTokenLeft: "Vault answered POST auth/token/revoke-self with 500: no",
    });
  });
});
