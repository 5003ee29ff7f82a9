import { DatabaseMount, VaultClient, VaultError } from "../../../../../constructs/stores/vault";
import { errorOf, FakeVault, type Json, type VaultAnswer } from "../../../../mocks";

const token = "hvs.the-token";

let vault: FakeVault;
let client: VaultClient;
let database: DatabaseMount;
beforeEach(async () => {
  vault = await FakeVault.start();
  client = new VaultClient({ address: vault.address, token });
  database = new DatabaseMount(client, "database");
});
afterEach(async () => {
  await vault.stop();
});

/** Requests in a few words. */
function told(): string[] {
  return vault.requests.map(({ method, path }) => `${method} ${path}`);
}

/** What Vault answers of a static role. */
function roleWith(rotation: { readonly last_vault_rotation?: Json }): VaultAnswer {
  const data = {
    credential_type: "password",
    db_name: "postgres",
    rotation_period: 86400,
    rotation_statements: [],
    username: "fhir",
    ...rotation,
  };
  return { status: 200, body: { data } };
}

describe("a static role", () => {
  test("is its user, and when Vault last changed the password", async () => {
    vault.answerFirst(roleWith({ last_vault_rotation: "2026-01-02T03:04:05.678901234Z" }));
    expect(await database.staticRole("aidbox")).toEqual({
      username: "fhir",
      rotatedAt: new Date("2026-01-02T03:04:05.678Z"),
      credentialType: "password",
    });
  });

  test("is asked for without its password", async () => {
    vault.answerFirst(roleWith({ last_vault_rotation: "2026-01-02T03:04:05Z" }));
    await database.staticRole("aidbox");
    expect(told()).toEqual(["GET database/static-roles/aidbox"]);
  });

  test("can be of a mount in folders, whose Vault tells the time with its own offset", async () => {
    vault.answerFirst(roleWith({ last_vault_rotation: "2026-01-02T03:04:05+02:00" }));
    expect(await new DatabaseMount(client, "teams/database").staticRole("aidbox")).toMatchObject({
      rotatedAt: new Date("2026-01-02T01:04:05Z"),
    });
    expect(told()).toEqual(["GET teams/database/static-roles/aidbox"]);
  });

  test.each<[answer: string, rotation: { readonly last_vault_rotation?: Json }]>([
    ["leaves the time out", {}],
    ["says no time", { last_vault_rotation: null }],
    ["says year 1", { last_vault_rotation: "0001-01-01T00:00:00Z" }],
  ])("that was never rotated has no time, where Vault %s", async (_, rotation) => {
    vault.answerFirst(roleWith(rotation));
    expect(await database.staticRole("aidbox")).toEqual({
      username: "fhir",
      rotatedAt: undefined,
      credentialType: "password",
    });
  });

  test("is undefined where the engine has none of the name", async () => {
    vault.answerFirst({ status: 404, body: { errors: [] } });
    expect(await database.staticRole("aidbox")).toBeUndefined();
  });

  test("fails where no engine is mounted", async () => {
    const error = await errorOf(database.staticRole("aidbox"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      status: 404,
      message:
        "Vault answered GET database/static-roles/aidbox with 404: " +
        'no handler for route "database/static-roles/aidbox"',
    });
  });

  test("fails where Vault refuses", async () => {
    vault.answerFirst({ status: 403, body: { errors: ["permission denied"] } });
    const error = await errorOf(database.staticRole("aidbox"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe("Vault answered GET database/static-roles/aidbox with 403: permission denied");
  });
});

describe("rotate", () => {
  test.each(["database", "teams/database"])(
    "has Vault of mount %s change the password, by one request",
    async (mount) => {
      vault.answerFirst({ status: 204, body: "" });
      await new DatabaseMount(client, mount).rotate("aidbox");
      expect(vault.requests).toMatchObject([
        {
          method: "POST",
          path: `${mount}/rotate-role/aidbox`,
          headers: { "x-vault-token": token },
          body: undefined,
        },
      ]);
    },
  );

  test.each<[what: string, answer: VaultAnswer, message: string]>([
    [
      "there is no such role",
      { status: 400, body: { errors: ["no static role found for role name"] } },
      "Vault answered POST database/rotate-role/aidbox with 400: no static role found for role name",
    ],
    [
      "the database does not answer",
      { status: 500, body: { errors: ["1 error occurred:\n\t* unable to finish rotating credentials"] } },
      "Vault answered POST database/rotate-role/aidbox with 500: " +
        "1 error occurred: * unable to finish rotating credentials",
    ],
  ])("fails in Vault's words where %s, and does not try again", async (_, answer, message) => {
    vault.answerFirst(answer);
    const error = await errorOf(database.rotate("aidbox"));
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(message);
    expect(vault.requests).toHaveLength(1);
  });
});
