import { VersionConflictError } from "../../../../../constructs/secrets";
import { UnknownOutcomeError } from "../../../../../constructs/settle";
import { KvMount, NotKvV2Error, VaultClient, VaultError } from "../../../../../constructs/stores/vault";
import {
  NotedSecret,
  OthersVersionError,
  writtenVersionNote,
} from "../../../../../constructs/stores/vault/api/noted-secret";
import { hurryTimers } from "../../../../hurry-timers";
import { errorOf, FakeVault, type VaultAnswer } from "../../../../mocks";

hurryTimers();

const token = "hvs.the-token";

let vault: FakeVault;
let kv: KvMount;
beforeEach(async () => {
  vault = await FakeVault.start();
  kv = new KvMount(new VaultClient({ address: vault.address, token }), "secret");
});
afterEach(async () => {
  await vault.stop();
});

/** Requests in a few words. */
function told(): string[] {
  return vault.requests.map(({ method, path }) => `${method} ${path}`);
}

describe("keys", () => {
  test.each<[what: string, path: string, expected: object]>([
    ["a secret that is there", "present", { keys: ["user", "password"], version: 3 }],
    ["a secret without keys", "empty", { keys: [], version: 1 }],
    ["a secret that is not there", "absent", { keys: [], version: 0 }],
    ["a secret whose current version was deleted", "deleted", { keys: [], version: 2 }],
  ])("of %s", async (_, path, expected) => {
    vault.secrets.set("present", { version: 3, data: { user: "aidbox", password: "hunter2" } });
    vault.secrets.set("empty", { version: 1, data: {} });
    vault.secrets.set("deleted", { version: 2 });
    expect(await kv.keys(path)).toEqual(expected);
  });

  test("asks for no value", async () => {
    vault.secrets.set("aidbox/client", { version: 1, data: { "client-secret": "hunter2" } });
    await kv.keys("aidbox/client");
    expect(vault.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET secret/subkeys/aidbox/client"]);
  });

  test("fails with the status where a proxy answers in HTML", async () => {
    vault.answerFirst({ status: 502, body: "<html>Bad gateway</html>" });
    const error = await errorOf(kv.keys("aidbox/client"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      status: 502,
      message: "Vault answered GET secret/subkeys/aidbox/client with 502",
    });
  });

  test("fails where Vault refuses", async () => {
    vault.answerFirst({ status: 403, body: { errors: ["permission denied"] } });
    const error = await errorOf(kv.keys("aidbox/client"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      status: 403,
      message: "Vault answered GET secret/subkeys/aidbox/client with 403: permission denied",
    });
  });
});

test("nothing is written to a mount of version 1, where it would lie beside the secrets", async () => {
  const mount = { path: "secret/", type: "kv", options: { version: "1" } };
  vault.intercept = ({ path }) =>
    path.startsWith("sys/internal/ui/mounts/") ? { status: 200, body: { data: mount } } : undefined;
  expect(await errorOf(kv.addMissing("aidbox/db", ["user"], () => "new"))).toBeInstanceOf(NotKvV2Error);
  expect(vault.writes).toEqual([]);
});

describe("addTogether", () => {
  const path = "aidbox/keys";
  const add = (): Promise<void> =>
    kv.addTogether(path, ["private", "public"], () => Promise.resolve({ private: "a half", public: "its other" }));

  test("writes all values as one version where none is there", async () => {
    await add();
    expect(vault.secrets.get(path)).toEqual({ version: 1, data: { private: "a half", public: "its other" } });
  });

  test("writes nothing where all are there", async () => {
    vault.secrets.set(path, { version: 2, data: { private: "kept", public: "kept too" } });
    await add();
    expect(vault.writes).toEqual([]);
  });

  test("writes nothing where some are there: halves of two pairs would not match", async () => {
    vault.secrets.set(path, { version: 2, data: { private: "kept" } });
    expect((await errorOf(add())).message).toBe("secret/aidbox/keys has no public, and the rest of it");
    expect(vault.writes).toEqual([]);
  });
});

describe("addMissing", () => {
  const path = "aidbox/db";
  const add = (keys: readonly string[]): Promise<readonly string[]> => kv.addMissing(path, keys, (key) => `new ${key}`);

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
    await kv.addMissing(path, ["user", "password"], makeValue);
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
      "Vault answered POST secret/data/aidbox/db with 403: 1 error occurred: * permission denied",
    ],
    [
      "a 400 for another reason than the race",
      { status: 400, body: { errors: ["no data provided"] } },
      "Vault answered POST secret/data/aidbox/db with 400: no data provided",
    ],
  ])("fails at %s, at once and without value or token in the message", async (_, answer, message) => {
    vault.intercept = ({ method }) => (method === "GET" ? undefined : answer);
    const error = await errorOf(add(["password"]));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(message);
    expect(error.message).not.toContain("new password");
    expect(error.message).not.toContain(token);
    expect(vault.writes).toHaveLength(1);
  });

  test("whose answer was lost is done where the keys are there, with one write", async () => {
    vault.loses = ({ method }) => method === "POST";
    expect(await add(["user", "password"])).toEqual(["user", "password"]);
    expect(vault.writes).toHaveLength(1);
    expect(vault.secrets.get(path)).toEqual({ version: 1, data: { user: "new user", password: "new password" } });
  });

  test("gives up against somebody who always writes first, with what happened", async () => {
    let version = 0;
    vault.intercept = ({ method }) => {
      if (method !== "GET") vault.secrets.set(path, { version: ++version, data: { other: "the other's" } });
      return undefined;
    };
    const error = await errorOf(add(["user"]));
    expect(error).toBeInstanceOf(VersionConflictError);
    expect(error.message).toBe(
      "aidbox/db is no longer at version 5: somebody else wrote it, and this write left it alone",
    );
    expect(vault.writes).toHaveLength(6);
    expect(vault.secrets.get(path)?.data).toEqual({ other: "the other's" });
  });

  test("writes that meet do not overwrite each other", async () => {
    const other = new KvMount(new VaultClient({ address: vault.address, token }), "secret");
    const written = await Promise.all([add(["user"]), other.addMissing(path, ["user"], () => "the other's")]);
    expect(written.flat()).toEqual(["user"]);
    expect(vault.secrets.get(path)?.version).toBe(1);
  });
});

describe("history", () => {
  const at = (time: string): Date => new Date(time);

  test("is all versions that the store knows, with the times of their life", async () => {
    vault.answerFirst({
      status: 200,
      body: {
        data: {
          current_version: 4,
          oldest_version: 1,
          max_versions: 0,
          versions: {
            "1": { created_time: "2026-01-01T00:00:00.123456789Z", deletion_time: "", destroyed: true },
            "2": {
              created_time: "2026-01-02T00:00:00Z",
              deletion_time: "2026-01-03T00:00:00.5Z",
              destroyed: false,
            },
            "4": { created_time: "2026-01-04T00:00:00Z", deletion_time: "", destroyed: false },
          },
          custom_metadata: { "seeded-by": "stack" },
        },
      },
    });
    expect(await kv.history("aidbox/client")).toEqual({
      current: 4,
      versions: new Map([
        [1, { createdAt: at("2026-01-01T00:00:00.123Z"), deletedAt: undefined, destroyed: true }],
        [2, { createdAt: at("2026-01-02T00:00:00Z"), deletedAt: at("2026-01-03T00:00:00.500Z"), destroyed: false }],
        [4, { createdAt: at("2026-01-04T00:00:00Z"), deletedAt: undefined, destroyed: false }],
      ]),
      notes: { "seeded-by": "stack" },
    });
    expect(told()).toEqual(["GET secret/metadata/aidbox/client"]);
  });

  test("is empty where there is the metadata alone, as of a path that is to be seeded", async () => {
    vault.answerFirst({ status: 200, body: { data: { current_version: 0, versions: {} } } });
    expect(await kv.history("aidbox/client")).toEqual({ current: 0, versions: new Map(), notes: {} });
  });

  test("is undefined where there never was a secret", async () => {
    vault.answerFirst({ status: 404, body: { errors: [] } });
    expect(await kv.history("aidbox/client")).toBeUndefined();
  });

  test("fails where nothing is mounted", async () => {
    const teams = new KvMount(new VaultClient({ address: vault.address, token }), "teams/kv");
    expect((await errorOf(teams.history("aidbox/client"))).message).toBe(
      "Vault answered GET teams/kv/metadata/aidbox/client with 404: " +
        'no handler for route "teams/kv/metadata/aidbox/client"',
    );
  });
});

describe("values", () => {
  const metadata = { created_time: "2026-01-01T00:00:00Z", deletion_time: "", destroyed: false, version: 2 };

  test.each<[what: string, version: number | undefined, request: string]>([
    ["the current version", undefined, "GET secret/data/aidbox/db"],
    ["an older version", 1, "GET secret/data/aidbox/db?version=1"],
  ])("of %s are those of its keys", async (_, version, request) => {
    vault.answerFirst({ status: 200, body: { data: { data: { user: "aidbox", port: 5432 }, metadata } } });
    expect(await kv.values("aidbox/db", version)).toEqual({ user: "aidbox", port: 5432 });
    expect(told()).toEqual([request]);
  });

  test.each<[what: string, answer: VaultAnswer]>([
    ["there is none", { status: 404, body: { errors: [] } }],
    [
      "it was deleted",
      {
        status: 404,
        body: { data: { data: null, metadata: { ...metadata, deletion_time: "2026-01-03T00:00:00Z" } } },
      },
    ],
  ])("of a version are undefined where %s", async (_, answer) => {
    vault.answerFirst(answer);
    expect(await kv.values("aidbox/db", 1)).toBeUndefined();
  });

  test("fail where Vault refuses, without the query in the message", async () => {
    vault.answerFirst({ status: 403, body: { errors: ["permission denied"] } });
    const error = await errorOf(kv.values("aidbox/db", 3));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe("Vault answered GET secret/data/aidbox/db with 403: permission denied");
  });
});

describe("patch", () => {
  const path = "aidbox/db";

  test("writes its keys, leaves the others alone and says the new version", async () => {
    vault.secrets.set(path, { version: 3, data: { user: "kept", password: "old" } });
    expect(await kv.patch(path, 3, { password: "new" })).toBe(4);
    expect(vault.secrets.get(path)).toEqual({ version: 4, data: { user: "kept", password: "new" } });
  });

  test("asks for nothing: one request, with a merge patch and the version that it is made for", async () => {
    vault.secrets.set(path, { version: 3, data: { password: "old" } });
    await kv.patch(path, 3, { password: "new" });
    expect(vault.writes).toMatchObject([
      {
        method: "PATCH",
        path: "secret/data/aidbox/db",
        headers: { "content-type": "application/merge-patch+json" },
        body: { options: { cas: 3 }, data: { password: "new" } },
      },
    ]);
  });

  test.each([2, 4])(
    "of version %i, which is not the current one, loses the race and writes nothing",
    async (version) => {
      vault.secrets.set(path, { version: 3, data: { password: "the other's" } });
      const error = await errorOf(kv.patch(path, version, { password: "new" }));
      expect(error).toBeInstanceOf(VersionConflictError);
      expect(error.message).toBe(
        `aidbox/db is no longer at version ${version}: somebody else wrote it, and this write left it alone`,
      );
      expect(vault.writes).toHaveLength(1);
      expect(vault.secrets.get(path)).toEqual({ version: 3, data: { password: "the other's" } });
    },
  );

  test.each<[what: string, answer: VaultAnswer, message: string]>([
    [
      "a 400 for another reason than the race",
      { status: 400, body: { errors: ["no data provided"] } },
      "Vault answered PATCH secret/data/aidbox/db with 400: no data provided",
    ],
    [
      "a refusal that speaks of check-and-set",
      { status: 403, body: { errors: ["check-and-set is denied"] } },
      "Vault answered PATCH secret/data/aidbox/db with 403: check-and-set is denied",
    ],
  ])("fails at %s as what it is, without the value", async (_, answer, message) => {
    vault.answerFirst(answer);
    const error = await errorOf(kv.patch(path, 3, { password: "new value" }));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(message);
  });

  test("fails where the current version was deleted, of which there is nothing to patch", async () => {
    vault.secrets.set(path, { version: 3 });
    expect((await errorOf(kv.patch(path, 3, { password: "new" }))).message).toBe(
      "Vault answered PATCH secret/data/aidbox/db with 404",
    );
  });

  describe("whose answer is lost", () => {
    /** Reads as somebody who may. */
    const valuesOf = (version: number): Promise<Record<string, string> | undefined> => {
      const present = vault.secrets.get(path);
      return Promise.resolve(present?.version === version ? { ...present.data } : undefined);
    };
    const patch = (): Promise<number> => kv.patch(path, 3, { password: "new value" }, valuesOf);
    beforeEach(() => {
      vault.secrets.set(path, { version: 3, data: { user: "kept", password: "old" } });
    });

    test("is done where the new version holds what was written, and is written once", async () => {
      vault.loses = ({ method }) => method === "PATCH";
      expect(await patch()).toBe(4);
      expect(vault.writes).toHaveLength(1);
      expect(vault.secrets.get(path)).toEqual({ version: 4, data: { user: "kept", password: "new value" } });
    });

    test.each([502, 504])("by a proxy's %i is looked up too", async (status) => {
      vault.intercept = ({ method }) => {
        if (method !== "PATCH") return undefined;
        vault.secrets.set(path, { version: 4, data: { user: "kept", password: "new value" } });
        return { status, body: "<html>Bad gateway</html>" };
      };
      expect(await patch()).toBe(4);
      expect(vault.writes).toHaveLength(1);
    });

    test("and which was not carried out is sent again, with the same check-and-set", async () => {
      vault.answerFirst({ status: 502, body: "" });
      expect(await patch()).toBe(4);
      expect(vault.writes.map(({ body }) => body?.options)).toEqual([{ cas: 3 }, { cas: 3 }]);
    });

    test("and is carried out only after it was looked up is not done twice", async () => {
      let looked = 0;
      const comesLate = async (version: number): Promise<Record<string, string> | undefined> => {
        const found = await valuesOf(version);
        if (++looked === 1) vault.secrets.set(path, { version: 4, data: { user: "kept", password: "new value" } });
        return found;
      };
      vault.answerFirst({ status: 504, body: "" });
      expect(await kv.patch(path, 3, { password: "new value" }, comesLate)).toBe(4);
      expect(vault.secrets.get(path)?.version).toBe(4);
    });

    test("loses the race where somebody else's is there", async () => {
      vault.intercept = ({ method }) => {
        if (method !== "PATCH" || vault.writes.length > 1) return undefined;
        vault.secrets.set(path, { version: 4, data: { password: "the other's" } });
        return { status: 502, body: "" };
      };
      expect(await errorOf(patch())).toBeInstanceOf(VersionConflictError);
      expect(vault.secrets.get(path)).toEqual({ version: 4, data: { password: "the other's" } });
    });

    test("is called neither done nor failed where nobody may look, without the value", async () => {
      vault.loses = ({ method }) => method === "PATCH";
      const error = await errorOf(kv.patch(path, 3, { password: "new value" }));
      expect(error).toBeInstanceOf(UnknownOutcomeError);
      expect(error.message).toBe(
        "The write of secret/aidbox/db got no clear answer (fetch failed: other side closed), and it cannot be looked up " +
          "(Vault answered GET secret/data/aidbox/db with 403: nobody is to read a value): " +
          "whether it was carried out is not known.",
      );
    });

    test("twice is called unknown, too: it may yet be carried out", async () => {
      vault.intercept = ({ method }) => (method === "PATCH" ? { status: 500, body: "" } : undefined);
      const error = await errorOf(patch());
      expect(error).toBeInstanceOf(UnknownOutcomeError);
      expect(error.message).toBe(
        "The write of secret/aidbox/db got no clear answer (Vault answered PATCH secret/data/aidbox/db with 500). " +
          "It was not carried out so far, but may yet be.",
      );
      expect(vault.writes).toHaveLength(2);
    });

    test("is what Vault itself says where that is a refusal by 500, as of a value too large, without the value", async () => {
      const body = { errors: ["JSON string value exceeds allowed length"] };
      vault.intercept = ({ method }) => (method === "PATCH" ? { status: 500, body } : undefined);
      const error = await errorOf(patch());
      expect(error).toBeInstanceOf(VaultError);
      expect(error.message).toBe(
        "Vault answered PATCH secret/data/aidbox/db with 500: JSON string value exceeds allowed length",
      );
    });

    test("since nobody listens fails at once: nobody can have carried it out", async () => {
      await vault.stop();
      expect((await errorOf(patch())).message).toBe("fetch failed");
      vault = await FakeVault.start();
    });
  });
});

describe("values that one writer notes", () => {
  type Values = Readonly<Record<string, string>>;
  /** The versions of one secret; undefined where one was deleted. */
  let versions: (Values | undefined)[];
  let noted: string | undefined;

  const latest = (): Values => versions.at(-1) ?? {};
  const store: ConstructorParameters<typeof NotedSecret>[0] = {
    history: () => {
      const notes: Values = noted === undefined ? {} : { [writtenVersionNote]: noted };
      const there = { current: versions.length, versions: new Map<number, never>(), notes };
      return Promise.resolve(versions.length === 0 ? undefined : there);
    },
    values: (_, version = versions.length) => Promise.resolve(versions[version - 1]),
    patch: (_, version, values) => {
      expect([version, versions.at(-1)]).toEqual([versions.length, expect.anything()]);
      return Promise.resolve(versions.push({ ...latest(), ...(values as Values) }));
    },
    create: (_, version, values) => {
      expect([version, versions.at(-1)]).toEqual([versions.length, undefined]);
      return Promise.resolve(versions.push(values as Values));
    },
    note: (_, notes) => {
      noted = notes[writtenVersionNote];
      return Promise.resolve();
    },
  };
  const [a, b, c] = [
    { user: "x", key: "a" },
    { user: "x", key: "b" },
    { user: "x", key: "c" },
  ];

  test.each<[what: string, before: (Values | undefined)[], note: string | undefined, after: (Values | undefined)[]]>([
    ["are written where there is nothing", [], undefined, [b]],
    ["are left where they are there", [a, b], "2", [a, b]],
    ["are written on top of what the writer wrote", [a], "1", [a, b]],
    ["are known where the writer was killed before its note", [a, b], "1", [a, b]],
    ["are put back where the version was deleted", [b, undefined], "1", [b, undefined, b]],
    ["are put back where a key was", [b, { user: "x" }], "1", [b, { user: "x" }, b]],
    [
      "of other keys are kept",
      [{ ...a, other: "kept" }],
      "1",
      [
        { ...a, other: "kept" },
        { ...b, other: "kept" },
      ],
    ],
  ])("%s", async (_, before, note, after) => {
    [versions, noted] = [[...before], note];
    for (let times = 0; times < 2; times++) {
      await new NotedSecret(store, "aidbox/db", b).write();
      expect([versions, noted]).toEqual([after, String(after.length)]);
    }
  });

  test("stay as somebody else wrote them until the writer has others, which is told", async () => {
    [versions, noted] = [[b, c], "1"];
    const secret = new NotedSecret(store, "aidbox/db", b);
    expect((await secret.look()).othersKeys).toEqual(["key"]);
    await secret.write();
    expect([versions, noted]).toEqual([[b, c], "1"]);
  });

  test.each<[what: string, before: Values[], note: string | undefined]>([
    ["with the writer's new value, are not overwritten", [a, c], "1"],
    ["before the writer's first, are not overwritten", [c], undefined],
    ["where the writer's own version is gone, are not overwritten", [undefined as never, c], "1"],
  ])("of somebody else, %s", async (_, before, note) => {
    [versions, noted] = [[...before], note];
    const error = await errorOf(new NotedSecret(store, "aidbox/db", b).write());
    expect(error).toEqual(new OthersVersionError(before.length, ["key"]));
    expect([versions, noted]).toEqual([before, note]);
  });
});
