import type * as PortForward from "../../../../infra/cluster/port-forward";
import { InvalidRequestError } from "../../../../infra/operate/errors";
import { initialise, type Initialisation, type InitOptions } from "../../../../infra/operate/vault/init";
import { errorOf } from "../../../mocks";
import type { StoredVaultOptions } from "../../../stored-vault";
import { useKubernetesClient } from "../site";
import { pods, SleepersClock, StoredSite, useTrustingClient } from "./stored-site";

const mockClock = new SleepersClock();
jest.mock("node:timers/promises", () => ({ setTimeout: (milliseconds: number) => mockClock.sleep(milliseconds) }));
let mockSite: StoredSite;
jest.mock("../../../../infra/cluster/port-forward", () => ({
  openPortForward: (_: unknown, target: PortForward.PortForwardTarget) =>
    Promise.resolve({ port: mockSite.portOf(target), lastError: () => undefined }),
}));

let endings: (() => void)[];
let progress: string[];
beforeAll(() => {
  endings = [useKubernetesClient(), useTrustingClient()];
});
afterAll(() => {
  for (const end of endings) end();
});
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

const run = (options: InitOptions = {}): Promise<Initialisation> =>
  initialise(mockSite.environment, { onProgress: (text) => progress.push(text), ...options });
const sealed = (): boolean[] => mockSite.vault.servers.map((each) => each.sealed);

describe("numbers that do not fit are refused before anybody is asked:", () => {
  const unfit = (threshold: number, shares: number): string =>
    `a threshold of ${threshold} does not fit ${shares} shares: it must be 2 or more, and no more than the shares`;
  test.each<[what: string, options: InitOptions, told: string]>([
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

test("a Vault that cannot be initialised yields nothing, in its own words", async () => {
  mockSite.vault.intercept = ({ path }) =>
    path === "sys/init" ? { status: 500, body: { errors: ["no space left on device"] } } : undefined;
  const error = await errorOf(run());
  expect(error.message).toBe("Vault answered PUT sys/init with 500: no space left on device");
});

describe("with key shares in the hands of operators", () => {
  test("Vault is initialised once, all servers unsealed, and the stack gets a token for the root token", async () => {
    const made = await run();
    const [stackToken] = [...mockSite.vault.tokens.keys()];
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: false,
      stackToken,
      rootToken: undefined,
    });
    expect(made.keyShares).toHaveLength(5);
    expect(mockSite.vault.initialisedWith).toEqual({ secret_shares: 5, secret_threshold: 3 });
    expect(sealed()).toEqual([false, false, false]);
    expect(mockSite.vault.revoked).toHaveLength(1);
    expect([...mockSite.vault.policies.keys()]).toEqual(["aidbox-stack"]);
  });

  test("it says how far it is, without a share or a token", async () => {
    const { keyShares, stackToken } = await run();
    expect(progress).toEqual(["initialising", ...pods.map((pod) => `unsealing ${pod}`), "making the stack's token"]);
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

  test.each<[options: InitOptions, body: object]>([
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
    expect(made).toMatchObject({ encrypted: false, recovery: true, rootToken: undefined });
    expect(made.stackToken).toBe([...mockSite.vault.tokens.keys()][0]);
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
    expect(made).toMatchObject({ encrypted: true, recovery: true, rootToken: undefined });
    expect(made.stackToken).toBeDefined();
  });

  test("a Vault that does not unseal itself leaves the shares and the root token", async () => {
    let rootToken: string | undefined;
    mockSite.vault.intercept = ({ path }, server) => {
      if (!path.startsWith("sys/health")) return undefined;
      rootToken = [...mockSite.vault.tokens.keys()][0];
      server.sealed = true;
      return undefined;
    };
    const made = await run();
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: true,
      stackToken: undefined,
      rootToken,
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
      stackToken: undefined,
      rootToken: [...mockSite.vault.tokens.keys()][0],
    });
    expect(sealed()).toEqual([true, true, true]);
    expect(mockSite.vault.servers.flatMap(({ writes }) => writes)).toEqual(["PUT sys/init"]);
    expect(mockSite.vault.revoked).toEqual([]);
    expect(progress).toEqual(["initialising"]);
  });
});

describe("what Vault gave out once is returned whatever comes after:", () => {
  const expectKept = (made: Initialisation, rootToken: string | undefined): void => {
    expect(made).toEqual({
      keyShares: mockSite.vault.keyShares,
      encrypted: false,
      recovery: false,
      stackToken: undefined,
      rootToken,
      stopped: expect.any(String) as string,
    });
    expect(made.keyShares).toHaveLength(5);
    expect(rootToken).toMatch(/^hvs\.root-/);
  };
  const rootToken = (): string | undefined => [...mockSite.vault.tokens.keys()][0];

  test("a server that never joins", async () => {
    mockSite.vault.servers[2]!.joinsAfter = Infinity;
    const made = await run();
    expectKept(made, rootToken());
    expect(made.stopped).toBe("Vault answered POST sys/unseal with 400: Vault is not initialized");
  });

  test("a server that is gone", async () => {
    mockSite.vault.intercept = ({ path }, server) => {
      if (path === "sys/init") void mockSite.vault.servers[1]!.fake.stop();
      return server.pod === "store-1" ? { status: 500, body: "" } : undefined;
    };
    const made = await run();
    expectKept(made, rootToken());
    expect(made.stopped).toMatch(/fetch failed/);
    mockSite.vault.servers[1]!.fake.stop = () => Promise.resolve();
  });

  test("a stack's token that cannot be made", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "auth/token/create-orphan" ? { status: 500, body: { errors: ["no"] } } : undefined;
    const made = await run();
    expectKept(made, rootToken());
    expect(made.stopped).toBe("Vault answered POST auth/token/create-orphan with 500: no");
  });

  test("somebody who listens to no progress", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "auth/token/create-orphan" ? { status: 500, body: { errors: ["no"] } } : undefined;
    expectKept(await initialise(mockSite.environment), rootToken());
  });
});
