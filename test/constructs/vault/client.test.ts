import { VaultClient, VaultError, VaultUnusableError } from "../../../constructs/vault";
import { FakeVault, healthy, type Json, type VaultAnswer } from "../../mocks";

const token = "hvs.the-token";

let vault: FakeVault;
let client: VaultClient;
beforeEach(async () => {
  vault = await FakeVault.start();
  client = new VaultClient({ address: vault.address, token });
});
afterEach(async () => {
  await vault.stop();
});

/** Answers the first requests with these, the others as usual. */
function answerFirst(...answers: readonly VaultAnswer[]): void {
  const left = [...answers];
  vault.intercept = () => left.shift();
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail");
}

test("requests carry the token, and no namespace where none is given", async () => {
  await client.kvKeys("secret", "aidbox/client");
  expect(vault.requests[0]!.headers).toMatchObject({ "x-vault-token": token, "x-vault-request": "true" });
  expect(vault.requests[0]!.headers).not.toHaveProperty("x-vault-namespace");
});

test("requests carry the namespace of Vault Enterprise", async () => {
  await new VaultClient({ address: vault.address, token, vaultNamespace: "admin/team" }).kvKeys("secret", "a");
  expect(vault.requests[0]!.headers).toMatchObject({ "x-vault-namespace": "admin/team" });
});

describe("health", () => {
  test.each<[state: string, answer: Record<string, Json>, health: object]>([
    ["active", healthy, { initialized: true, sealed: false, standby: false, version: "2.0.4", clusterId: "1b4f0e98" }],
    [
      "standby",
      { ...healthy, standby: true },
      { initialized: true, sealed: false, standby: true, version: "2.0.4", clusterId: "1b4f0e98" },
    ],
    [
      "sealed, which names no cluster",
      { initialized: true, sealed: true, standby: true, version: "2.0.4" },
      { initialized: true, sealed: true, standby: true, version: "2.0.4", clusterId: "" },
    ],
    [
      "not initialised",
      { initialized: false, sealed: true, standby: true, version: "2.0.4" },
      { initialized: false, sealed: true, standby: true, version: "2.0.4", clusterId: "" },
    ],
  ])("of a Vault that is %s", async (_, body, health) => {
    answerFirst({ status: 200, body });
    expect(await client.health()).toEqual(health);
  });

  test("asks Vault to answer 200 in every state that it can tell of", async () => {
    await client.health();
    expect(vault.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200",
    ]);
  });
});

describe("waitUntilUsable", () => {
  test("says in which state Vault is, asking once where it answers at once", async () => {
    expect(await client.waitUntilUsable()).toMatchObject({ initialized: true, sealed: false, clusterId: "1b4f0e98" });
    expect(vault.requests).toHaveLength(1);
  });

  test("takes a standby", async () => {
    answerFirst({ status: 200, body: { ...healthy, standby: true } });
    expect(await client.waitUntilUsable()).toMatchObject({ standby: true });
  });

  test("waits while connections are refused", async () => {
    const { port } = vault;
    await vault.stop();
    const usable = client.waitUntilUsable(10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    vault = await FakeVault.start(port);
    expect(await usable).toMatchObject({ sealed: false });
  });

  test.each<[what: string, answer: VaultAnswer]>([
    ["503", { status: 503, body: { errors: ["not ready"] } }],
    ["500 with nothing in it", { status: 500, body: "" }],
    ["502 of a proxy, which is HTML", { status: 502, body: "<html>Bad gateway</html>" }],
    ["200 with nothing in it, as a port-forward to a server that is only starting", { status: 200, body: "" }],
    ["200 of a proxy, which is HTML", { status: 200, body: "<html>Welcome</html>" }],
  ])("waits while Vault answers %s", async (_, answer) => {
    answerFirst(answer, answer);
    expect(await client.waitUntilUsable(10)).toMatchObject({ sealed: false });
    expect(vault.requests).toHaveLength(3);
  });

  test.each<[state: string, body: Record<string, Json>, message: string]>([
    ["sealed", { ...healthy, sealed: true }, "Vault is sealed: run `vault operator unseal`, then try again"],
    [
      "not initialised",
      { ...healthy, initialized: false, sealed: true },
      "Vault is not initialised: run `vault operator init`, then try again",
    ],
  ])("fails at once where Vault is %s", async (_, body, message) => {
    vault.intercept = () => ({ status: 200, body });
    const error = await errorOf(client.waitUntilUsable(10));
    expect(error).toBeInstanceOf(VaultUnusableError);
    expect(error.message).toBe(message);
    expect(vault.requests).toHaveLength(1);
  });

  test("gives up after the time, with the last failure", async () => {
    vault.intercept = () =>
      vault.requests.length === 1
        ? { status: 500, body: { errors: ["the first failure"] } }
        : { status: 503, body: { errors: ["not ready", "still joining"] } };
    expect((await errorOf(client.waitUntilUsable(0.5))).message).toBe(
      `Vault did not answer at ${vault.address} for 0.5 s: Vault answered GET sys/health with 503: not ready; still joining`,
    );
  });

  test.each([
    ["nothing", ""],
    ["HTML", "<html>Welcome</html>"],
    ["another service's JSON", '{"status":"ok"}'],
  ])("gives up where what answers is not Vault: 200 with %s", async (_, body) => {
    vault.intercept = () => ({ status: 200, body });
    expect((await errorOf(client.waitUntilUsable(0.5))).message).toBe(
      `Vault did not answer at ${vault.address} for 0.5 s: what answers is not Vault`,
    );
    expect(vault.requests.length).toBeGreaterThan(1);
  });

  test("gives up where nothing listens, and says so", async () => {
    await vault.stop();
    const error = await errorOf(new VaultClient({ address: "http://127.0.0.1:1", token }).waitUntilUsable(0.2));
    expect(error.message).toMatch(/^Vault did not answer at http:\/\/127\.0\.0\.1:1 for 0\.2 s: fetch failed/);
    vault = await FakeVault.start();
  });

  test("gives up where a connection gets no answer", async () => {
    vault.intercept = () => new Promise(() => undefined);
    const error = await errorOf(client.waitUntilUsable(0.2));
    expect(error.message).toBe(`Vault did not answer at ${vault.address} for 0.2 s: no answer`);
  });

  test("does not ask on after it has given up", async () => {
    vault.intercept = () => ({ status: 503, body: { errors: [] } });
    await errorOf(client.waitUntilUsable(0.2));
    // One retry may be waiting still, no longer than a second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const asked = vault.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(vault.requests).toHaveLength(asked);
  });
});

describe("kvKeys", () => {
  test.each<[what: string, path: string, expected: object]>([
    ["a secret that is there", "present", { keys: ["user", "password"], version: 3 }],
    ["a secret without keys", "empty", { keys: [], version: 1 }],
    ["a secret that is not there", "absent", { keys: [], version: 0 }],
    ["a secret whose current version was deleted", "deleted", { keys: [], version: 2 }],
  ])("of %s", async (_, path, expected) => {
    vault.secrets.set("present", { version: 3, data: { user: "aidbox", password: "hunter2" } });
    vault.secrets.set("empty", { version: 1, data: {} });
    vault.secrets.set("deleted", { version: 2 });
    expect(await client.kvKeys("secret", path)).toEqual(expected);
  });

  test("asks for no value", async () => {
    vault.secrets.set("aidbox/client", { version: 1, data: { "client-secret": "hunter2" } });
    await client.kvKeys("secret", "aidbox/client");
    expect(vault.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET secret/subkeys/aidbox/client"]);
  });

  test("fails with the status where a proxy answers in HTML", async () => {
    answerFirst({ status: 502, body: "<html>Bad gateway</html>" });
    const error = await errorOf(client.kvKeys("secret", "aidbox/client"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      status: 502,
      message: "Vault answered GET secret/subkeys/aidbox/client with 502",
    });
  });

  test("fails where Vault refuses", async () => {
    answerFirst({ status: 403, body: { errors: ["permission denied"] } });
    const error = await errorOf(client.kvKeys("secret", "aidbox/client"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      status: 403,
      message: "Vault answered GET secret/subkeys/aidbox/client with 403: permission denied",
    });
  });
});

describe("kvAddMissing", () => {
  const path = "aidbox/db";
  const add = (keys: readonly string[]): Promise<readonly string[]> =>
    client.kvAddMissing("secret", path, keys, (key) => `new ${key}`);

  test("writes the whole secret where there is none, and only there", async () => {
    expect(await add(["user", "password"])).toEqual(["user", "password"]);
    expect(vault.writes).toMatchObject([
      {
        method: "POST",
        path: "secret/data/aidbox/db",
        body: { options: { cas: 0 }, data: { user: "new user", password: "new password" } },
      },
    ]);
    expect(vault.secrets.get(path)).toEqual({ version: 1, data: { user: "new user", password: "new password" } });
  });

  test("writes the whole secret where its current version was deleted", async () => {
    vault.secrets.set(path, { version: 4 });
    expect(await add(["user"])).toEqual(["user"]);
    expect(vault.writes).toMatchObject([{ method: "POST", body: { options: { cas: 4 } } }]);
    expect(vault.secrets.get(path)).toEqual({ version: 5, data: { user: "new user" } });
  });

  test("patches in what lacks where other keys are, and keeps those", async () => {
    vault.secrets.set(path, { version: 7, data: { user: "kept", host: "kept too" } });
    expect(await add(["user", "password"])).toEqual(["password"]);
    expect(vault.writes).toMatchObject([
      {
        method: "PATCH",
        path: "secret/data/aidbox/db",
        headers: { "content-type": "application/merge-patch+json" },
        body: { options: { cas: 7 }, data: { password: "new password" } },
      },
    ]);
    expect(vault.secrets.get(path)?.data).toEqual({ user: "kept", host: "kept too", password: "new password" });
  });

  test("makes a value for no key but those that lack", async () => {
    vault.secrets.set(path, { version: 1, data: { user: "kept" } });
    const makeValue = jest.fn((key: string) => `new ${key}`);
    await client.kvAddMissing("secret", path, ["user", "password"], makeValue);
    expect(makeValue.mock.calls).toEqual([["password"]]);
  });

  test("writes nothing where every key is there", async () => {
    vault.secrets.set(path, { version: 1, data: { user: "kept", password: "kept" } });
    expect(await add(["user", "password"])).toEqual([]);
    expect(vault.writes).toEqual([]);
  });

  /** Somebody else writes the secret between the look at it and the first write. */
  function otherWritesFirst(data: Record<string, string>): void {
    vault.intercept = ({ method }) => {
      if (method !== "GET" && vault.writes.length === 1) vault.secrets.set(path, { version: 1, data });
      return undefined;
    };
  }

  test("keeps the value of somebody else who was first, after one lost write", async () => {
    otherWritesFirst({ user: "the other's" });
    expect(await add(["user"])).toEqual([]);
    expect(vault.writes).toHaveLength(1);
    expect(vault.secrets.get(path)).toEqual({ version: 1, data: { user: "the other's" } });
  });

  test("adds to what somebody else wrote first, by a second write", async () => {
    otherWritesFirst({ user: "the other's" });
    expect(await add(["user", "password"])).toEqual(["password"]);
    expect(vault.writes.map(({ method }) => method)).toEqual(["POST", "PATCH"]);
    expect(vault.secrets.get(path)?.data).toEqual({ user: "the other's", password: "new password" });
  });

  test.each<[what: string, answer: VaultAnswer, message: string]>([
    [
      "a refusal",
      { status: 403, body: { errors: ["1 error occurred:\n\t* permission denied"] } },
      "Vault answered POST secret/data/aidbox/db with 403: 1 error occurred:\n\t* permission denied",
    ],
    [
      "a 400 for another reason than the race",
      { status: 400, body: { errors: ["no data provided"] } },
      "Vault answered POST secret/data/aidbox/db with 400: no data provided",
    ],
    ["an answer without errors", { status: 500, body: {} }, "Vault answered POST secret/data/aidbox/db with 500"],
    ["an empty answer", { status: 503, body: "" }, "Vault answered POST secret/data/aidbox/db with 503"],
  ])("fails at %s, at once and without value or token in the message", async (_, answer, message) => {
    vault.intercept = ({ method }) => (method === "GET" ? undefined : answer);
    const error = await errorOf(add(["password"]));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(message);
    expect(error.message).not.toContain("new password");
    expect(error.message).not.toContain(token);
    expect(vault.writes).toHaveLength(1);
  });

  test("writes that meet do not overwrite each other", async () => {
    const other = new VaultClient({ address: vault.address, token });
    const written = await Promise.all([
      add(["user"]),
      other.kvAddMissing("secret", path, ["user"], () => "the other's"),
    ]);
    expect(written.flat()).toEqual(["user"]);
    expect(vault.secrets.get(path)?.version).toBe(1);
  });
});
