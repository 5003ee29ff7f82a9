import { Duration } from "cdk8s";
import { NoAnswerError } from "../../../../../constructs/settle";
import { VaultClient, VaultError, VaultUnusableError } from "../../../../../constructs/stores/vault";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf, FakeVault, healthy, type Json, type VaultAnswer } from "../../../../mocks";

const token = "hvs.the-token";

let vault: FakeVault;
let client: VaultClient;
beforeEach(async () => {
  vault = await FakeVault.start();
  client = new VaultClient({ address: vault.address, token });
});
afterEach(async () => {
  jest.useRealTimers();
  await vault.stop();
});

/** Lets time pass by the test's clock, a little at each turn of the event loop, so that no load lets it pass too soon. */
async function pass(seconds: number): Promise<void> {
  for (let turn = 0; turn < seconds * 20; turn++) {
    await new Promise(setImmediate);
    jest.advanceTimersByTime(50);
  }
}

/** The error of a wait whose time has passed. */
async function givenUp(waiting: VaultClient, seconds = 60): Promise<Error> {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "clearImmediate", "queueMicrotask"] });
  const error = errorOf(waiting.waitUntilUsable(Duration.seconds(seconds)));
  await pass(seconds + 1);
  return error;
}

test("requests carry the token, and no namespace where none is given", async () => {
  await client.health();
  expect(vault.requests[0]!.headers).toMatchObject({ "x-vault-token": token, "x-vault-request": "true" });
  expect(vault.requests[0]!.headers).not.toHaveProperty("x-vault-namespace");
});

test("requests carry the namespace of Vault Enterprise", async () => {
  await new VaultClient({ address: vault.address, token, vaultNamespace: "admin/team" }).health();
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
    vault.answerFirst({ status: 200, body });
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
    vault.answerFirst({ status: 200, body: { ...healthy, standby: true } });
    expect(await client.waitUntilUsable()).toMatchObject({ standby: true });
  });

  describe("of a Vault that starts", () => {
    hurryTimers();

    test("waits while connections are refused", async () => {
      const { port } = vault;
      await vault.stop();
      const usable = client.waitUntilUsable(Duration.seconds(10));
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
      vault.answerFirst(answer, answer);
      expect(await client.waitUntilUsable(Duration.seconds(10))).toMatchObject({ sealed: false });
      expect(vault.requests).toHaveLength(3);
    });
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
    const error = await errorOf(client.waitUntilUsable(Duration.seconds(10)));
    expect(error).toBeInstanceOf(VaultUnusableError);
    expect(error.message).toBe(message);
    expect(vault.requests).toHaveLength(1);
  });

  test("gives up after the time, with the last failure", async () => {
    vault.intercept = () =>
      vault.requests.length === 1
        ? { status: 500, body: { errors: ["the first failure"] } }
        : { status: 503, body: { errors: ["not ready", "still joining"] } };
    expect((await givenUp(client)).message).toBe(
      `Vault did not answer at ${vault.address} for 60 s: Vault answered GET sys/health with 503: not ready; still joining`,
    );
  });

  test.each([
    ["nothing", ""],
    ["HTML", "<html>Welcome</html>"],
    ["another service's JSON", '{"status":"ok"}'],
  ])("gives up where what answers is not Vault: 200 with %s", async (_, body) => {
    vault.intercept = () => ({ status: 200, body });
    expect((await givenUp(client)).message).toBe(
      `Vault did not answer at ${vault.address} for 60 s: what answers is not Vault`,
    );
    expect(vault.requests.length).toBeGreaterThan(1);
  });

  test("gives up where nothing listens, and says so", async () => {
    await vault.stop();
    const error = await givenUp(new VaultClient({ address: "http://127.0.0.1:1", token }));
    expect(error.message).toMatch(/^Vault did not answer at http:\/\/127\.0\.0\.1:1 for 60 s: fetch failed/);
    vault = await FakeVault.start();
  });

  test("gives up where a connection gets no answer", async () => {
    vault.intercept = () => new Promise(() => undefined);
    expect((await givenUp(client, 10)).message).toBe(`Vault did not answer at ${vault.address} for 10 s: no answer`);
  });

  test("does not ask on after it has given up", async () => {
    vault.intercept = () => ({ status: 503, body: { errors: [] } });
    await givenUp(client);
    await pass(10); // one retry may be waiting still
    const asked = vault.requests.length;
    await pass(60);
    expect(vault.requests).toHaveLength(asked);
  });
});

/** Requests in a few words. */
function told(): string[] {
  return vault.requests.map(({ method, path }) => `${method} ${path}`);
}

describe("read", () => {
  test("is what lies at the path", async () => {
    vault.answerFirst({ status: 200, body: { request_id: "1", data: { policy: "the policy" }, warnings: null } });
    expect(await client.read("sys/policies/acl/aidbox")).toEqual({ policy: "the policy" });
    expect(told()).toEqual(["GET sys/policies/acl/aidbox"]);
  });

  test("is undefined where there is nothing: 404 without errors", async () => {
    vault.answerFirst({ status: 404, body: { errors: [] } });
    expect(await client.read("sys/policies/acl/aidbox")).toBeUndefined();
  });

  test.each<[what: string, answer: VaultAnswer, message: string]>([
    [
      "nothing is mounted there: 404 with Vault's words",
      { status: 404, body: { errors: ['no handler for route "teams/metadata/x". route entry not found.'] } },
      'Vault answered GET teams/metadata/x with 404: no handler for route "teams/metadata/x". route entry not found.',
    ],
    [
      "Vault refuses",
      { status: 403, body: { errors: ["permission denied"] } },
      "Vault answered GET teams/metadata/x with 403: permission denied",
    ],
    [
      "a proxy answers in HTML",
      { status: 502, body: "<html>Bad gateway</html>" },
      "Vault answered GET teams/metadata/x with 502",
    ],
  ])("fails where %s", async (_, answer, message) => {
    vault.answerFirst(answer);
    const error = await errorOf(client.read("teams/metadata/x"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(message);
    expect(error).toMatchObject({ status: answer.status, request: "GET teams/metadata/x" });
  });

  test("fails with Vault's words one by one, too", async () => {
    vault.answerFirst({ status: 400, body: { errors: ["one", "two"] } });
    expect(await errorOf(client.read("x"))).toMatchObject({
      errors: ["one", "two"],
      message: "Vault answered GET x with 400: one; two",
    });
  });
});

describe("capabilities", () => {
  test.each([[["read"]], [["deny"]], [["create", "read", "update"]]])("at a path are %j", async (capabilities) => {
    const path = "secret/data/aidbox/client";
    vault.answerFirst({ status: 200, body: { capabilities, [path]: capabilities, data: { capabilities } } });
    expect(await client.capabilities(path)).toEqual(capabilities);
    expect(vault.requests).toMatchObject([
      { method: "POST", path: "sys/capabilities-self", headers: { "x-vault-token": token }, body: { paths: [path] } },
    ]);
  });
});

describe("login", () => {
  const jwt = "eyJhbGciOi.the-pod.token";

  test.each(["kubernetes", "clusters/prod"])("at the mount %s is by role and the pod's token", async (mount) => {
    vault.answerFirst({ status: 200, body: { auth: { client_token: "hvs.of-the-login", lease_duration: 3600 } } });
    await client.login(mount, "aidbox", jwt);
    expect(vault.requests).toMatchObject([
      { method: "POST", path: `auth/${mount}/login`, body: { role: "aidbox", jwt } },
    ]);
  });

  test("gives a client with the login's token, of the same Vault and namespace, and leaves the first alone", async () => {
    const inNamespace = new VaultClient({ address: vault.address, token, vaultNamespace: "admin/team" });
    vault.answerFirst({ status: 200, body: { auth: { client_token: "hvs.of-the-login" } } });
    const loggedIn = await inNamespace.login("kubernetes", "aidbox", jwt);
    await loggedIn.health();
    await inNamespace.health();
    expect(vault.requests.map(({ headers }) => [headers["x-vault-token"], headers["x-vault-namespace"]])).toEqual([
      [token, "admin/team"],
      ["hvs.of-the-login", "admin/team"],
      [token, "admin/team"],
    ]);
  });

  test("that Vault refuses fails with its words, and without the pod's token", async () => {
    vault.answerFirst({ status: 403, body: { errors: ["service account name not authorized"] } });
    const error = await errorOf(client.login("kubernetes", "aidbox", jwt));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(
      "Vault answered POST auth/kubernetes/login with 403: service account name not authorized",
    );
  });
});

describe("revokeSelf", () => {
  test("ends the life of the client's own token; Vault answers with nothing", async () => {
    vault.answerFirst({ status: 204, body: "" });
    await client.revokeSelf();
    expect(vault.requests).toMatchObject([
      { method: "POST", path: "auth/token/revoke-self", headers: { "x-vault-token": token }, body: undefined },
    ]);
  });

  test("fails where the token has no life any more", async () => {
    vault.answerFirst({ status: 403, body: { errors: ["permission denied", "invalid token"] } });
    expect((await errorOf(client.revokeSelf())).message).toBe(
      "Vault answered POST auth/token/revoke-self with 403: permission denied; invalid token",
    );
  });

  test("whose answer is lost is looked up: a token that Vault refuses has no life any more", async () => {
    vault.intercept = ({ path }) =>
      path === "auth/token/lookup-self"
        ? { status: 403, body: { errors: ["permission denied", "invalid token"] } }
        : { status: 502, body: "" };
    await client.revokeSelf();
    expect(told()).toEqual(["POST auth/token/revoke-self", "GET auth/token/lookup-self"]);
  });

  test("whose answer is lost fails where the token still lives", async () => {
    vault.answerFirst({ status: 502, body: "" }, { status: 200, body: { data: { ttl: 3600 } } });
    expect((await errorOf(client.revokeSelf())).message).toBe("Vault answered POST auth/token/revoke-self with 502");
  });
});

describe("a redirect", () => {
  let other: FakeVault;
  beforeEach(async () => {
    other = await FakeVault.start();
  });
  afterEach(async () => {
    await other.stop();
  });

  test.each([301, 302, 303, 307, 308])(
    "%i to another origin is not followed, with nothing of the request",
    async (status) => {
      vault.answerFirst({ status, headers: { location: `${other.address}/v1/secret/data/x` }, body: "" });
      const error = await errorOf(client.request("PUT", "secret/data/x", { body: { data: { key: "the value" } } }));
      expect(other.requests).toEqual([]);
      expect(error).toBeInstanceOf(VaultError);
      expect(error.message).toBe(
        `Vault answered PUT secret/data/x with ${status}: it points to ${other.address}, and a token is not sent on. ` +
          "A standby of Vault does so while it cannot reach the active server: try again. Else set Vault's address to the one " +
          "that answers itself",
      );
    },
  );

  test("to its own origin is not followed either", async () => {
    vault.answerFirst({ status: 307, headers: { location: "/v1/elsewhere" }, body: "" });
    expect((await errorOf(client.read("x"))).message).toContain(`it points to ${vault.address}, and`);
    expect(vault.requests).toHaveLength(1);
  });

  test("shows of its target the origin alone: the rest may be anybody's words", async () => {
    vault.answerFirst({ status: 307, headers: { location: `${other.address}/hvs.leaked?x=%1b[2J` }, body: "" });
    expect((await errorOf(client.read("x"))).message).not.toMatch(/leaked|%1b/);
    vault.answerFirst({ status: 307, headers: { location: "http://[nonsense" }, body: "" });
    expect((await errorOf(client.read("x"))).message).toContain("it points to an address that is none");
  });

  test("is found before anybody takes a token there", async () => {
    vault.intercept = ({ path }) =>
      path.startsWith("sys/health")
        ? undefined
        : { status: 307, headers: { location: `${other.address}/v1/${path}` }, body: "" };
    expect((await errorOf(client.assertAnswersItself())).message).toContain(`it points to ${other.address}, and`);
    expect(vault.requests[0]!.headers["x-vault-token"]).toBe("");
    expect(other.requests).toEqual([]);
  });

  test.each([403, 404, 500])("is none where Vault answers %i by itself", async (status) => {
    vault.answerFirst({ status, body: { errors: ["missing client token"] } });
    await client.assertAnswersItself();
  });

  test("of the health is not waited out", async () => {
    vault.answerFirst({ status: 301, headers: { location: "https://vault.example/" }, body: "" });
    expect((await errorOf(client.waitUntilUsable(Duration.seconds(60)))).message).toContain(
      "it points to https://vault.example",
    );
    expect(vault.requests).toHaveLength(1);
  });
});

test("a request that gets no answer ends after 30 s, and says which it was", async () => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
  vault.intercept = () => new Promise(() => undefined);
  const error = errorOf(client.read("secret/metadata/x"));
  await jest.advanceTimersByTimeAsync(30_000);
  jest.useRealTimers();
  expect(await error).toBeInstanceOf(NoAnswerError);
  expect((await error).message).toBe("Vault gave no answer to GET secret/metadata/x for 30 s");
});

describe("a Vault with a quota", () => {
  hurryTimers();
  const busy: VaultAnswer = {
    status: 429,
    headers: { "retry-after": "2" },
    body: { errors: ["rate limit quota exceeded"] },
  };

  test("is asked again when it says so, with the same request", async () => {
    vault.answerFirst(busy);
    const start = Date.now();
    await client.request("POST", "auth/token/renew-self", { body: { increment: "1h" }, accept: [404] });
    expect(Date.now() - start).toBeGreaterThanOrEqual(2000);
    expect(vault.requests.map(({ body }) => body)).toEqual([{ increment: "1h" }, { increment: "1h" }]);
  });

  test("behind a proxy that says a date is asked again after a second", async () => {
    vault.answerFirst({ ...busy, headers: { "retry-after": "Wed, 04 Mar 2026 05:06:07 GMT" } });
    const start = Date.now();
    await client.request("GET", "secret/config", { accept: [404] });
    expect(Date.now() - start).toBeGreaterThanOrEqual(1000);
    expect(vault.requests).toHaveLength(2);
  });

  test("that stays busy is told in its own words", async () => {
    vault.intercept = () => ({ ...busy, headers: { "retry-after": "3600" } });
    await expect(client.read("secret/config")).rejects.toThrow("with 429: rate limit quota exceeded");
    expect(vault.requests).toHaveLength(1);
  });

  test("gets a few requests at a time", async () => {
    let [now, most] = [0, 0];
    let tellEight = (): void => undefined;
    const eight = new Promise<void>((resolve) => (tellEight = resolve));
    vault.intercept = async () => {
      most = Math.max(most, ++now);
      if (now === 8) tellEight();
      await eight;
      await new Promise((resolve) => setTimeout(resolve, 20)); // for a ninth to come
      now--;
      return { status: 200, body: { data: {} } };
    };
    await Promise.all(Array.from({ length: 60 }, () => client.read("secret/config")));
    expect(most).toBe(8);
  });
});
