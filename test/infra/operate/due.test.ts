import { generateKeyPairSync } from "node:crypto";
import { type DueRotations, rotateDue } from "../../../infra/operate/due";
import { dueRow } from "../../../infra/operate/due-row";
import { NotServedError } from "../../../infra/operate/errors";
import type { RotateOptions } from "../../../infra/operate/follow-change";
import { PermissionDeniedError } from "../../../infra/operate/permission-denied";
import { allRotated } from "../../../infra/operate/rotated";
import { readStatus } from "../../../infra/operate/status";
import { verify } from "../../../infra/operate/verify";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";
import { config, expectNoSecret, longAgo, rootToken, Site, staticRole, values } from "./site";

hurryTimers();

const day = 86_400;
const pair = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const pairs = {
  keys: { private: pair.privateKey, public: pair.publicKey, secret: "a secret of more than 32 bytes hunter2" },
};
const aged = (row: object) => ({ ...row, maxAge: "90d" });
const [, , admin] = config.secrets;
const rows = {
  admin: aged(admin!),
  box: aged(staticRole),
  client: aged({ name: "seeded-client", path: "aidbox/seeded", source: "seeded" }),
  external: aged({ name: "license", path: "aidbox/license", environment: "BOX_LICENSE" }),
  keys: aged({ name: "keys", path: "aidbox/keys", keypair: "ec", source: "seeded" }),
  managed: aged({ name: "db-password", path: "aidbox/db", source: "managed" }),
  okta: aged({
    name: "okta",
    path: "aidbox/okta",
    keypair: "certificate",
    scope: { resourceType: "IdentityProvider" },
  }),
  database: aged({ name: "pg", path: "aidbox/pg", environment: "BOX_DB_PASSWORD", source: "seeded" }),
  replica: aged({ name: "ro", path: "aidbox/ro", environment: "BOX_DB_RO_REPLICA_PASSWORD", source: "seeded" }),
  encryption: aged({ name: "enc", path: "aidbox/enc", environment: "BOX_SECURITY_ENCRYPT_SECRET", source: "seeded" }),
};

let site: Site;
let said: unknown[];
beforeEach(() => {
  said = [];
  delete process.env.VAULT_TOKEN;
});
afterEach(async () => {
  expectNoSecret(...said);
  await site.stop();
});

async function start(...secrets: readonly object[]): Promise<void> {
  site = await Site.start({ secrets }, pairs);
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}

async function dueRotated(options: RotateOptions = {}): Promise<DueRotations> {
  const due = await rotateDue(site.environment, { vaultToken: rootToken, ...options });
  said.push(due);
  return due;
}

function writtenDaysAgo(path: string, days: number): void {
  site.vault.version(path).created_time = new Date(Date.now() - days * day * 1000).toISOString();
}

const written = (): readonly string[] => site.vault.writes.filter((each) => /PATCH|rotate-role/.test(each));

describe("what is due", () => {
  test("is rotated, by a scheduler's rights: a seeded value at random, a static role's by Vault", async () => {
    await start(rows.admin, rows.client, rows.box);
    writtenDaysAgo("aidbox/seeded", 89);
    const vaultToken = site.restrictTo("scheduler");
    const { rotated, ...others } = await dueRotated({ vaultToken });
    expect(rotated.map(({ secret, version }) => [secret, version])).toEqual([
      ["admin-password", 2],
      ["box-password", undefined],
    ]);
    expect(others).toEqual({ waiting: [], rotatedByOthers: [], notTried: [] });
    expect(site.vault.data("aidbox/admin")["admin-password"]).toMatch(/^[\w-]{32}$/);
    expect(site.vault.staticRole("box").password).not.toBe(values["box-password"]);
    expect((await dueRotated({ vaultToken })).rotated).toEqual([]);
  });

  test("is nothing where no value is too old, and none has an age", async () => {
    await start(rows.client, admin!);
    writtenDaysAgo("aidbox/seeded", 89.9);
    expect(await dueRotated()).toEqual({ rotated: [], waiting: [], rotatedByOthers: [], notTried: [] });
    expect(written()).toEqual([]);
  });

  test("is named, and not touched, where others make it, where sessions end, or where something would be lost", async () => {
    await start(rows.external, rows.keys, rows.managed, rows.okta, rows.database, rows.replica, rows.encryption);
    const { rotated, waiting } = await dueRotated({ vaultToken: site.restrictTo("scheduler") });
    expect(rotated).toEqual([]);
    expect(written()).toEqual([]);
    const of = (name: string, ...options: string[]): string =>
      `npm run rotate -- ${[name, ...options, "--env", "test"].join(" ")}`;
    expect(waiting.map(({ secret, why, command }) => [secret, why, command])).toEqual([
      ["license", "others make its value", of("license", "--stdin")],
      [
        "db-password",
        "Pulumi writes its value",
        expect.stringMatching(/^pulumi config set .*db-password.* && npm run up -- --env test$/s),
      ],
      ["pg", "its database must take the new password first", of("pg", "--stdin")],
      ["ro", "its database must take the new password first", of("ro", "--stdin")],
      ["enc", "Aidbox could not read what it has encrypted with the old one", of("enc", "--generate", "32")],
      ["keys", "a new pair ends all sessions", of("keys")],
      ["okta", "others make its certificate", of("okta", "--stdin")],
    ]);
    expect(waiting[0]).toMatchObject({ path: "secret/aidbox/license", maxAgeSeconds: 90 * day });
    expect(waiting[0]!.ageSeconds).toBeGreaterThan(90 * day);
  });

  test("somebody else may rotate in the same moment: his value stays, and the next one is looked at", async () => {
    await start(rows.admin, rows.client);
    const onProgress = (text: string): void => {
      if (text !== "admin-password is at version 1: taking the new value") return;
      site.vault.put("aidbox/admin", { "admin-password": "somebody's hunter2" });
    };
    const { rotated, rotatedByOthers, failure } = await dueRotated({ onProgress });
    expect(site.vault.data("aidbox/admin")["admin-password"]).toBe("somebody's hunter2");
    expect(rotatedByOthers).toEqual(["admin-password"]);
    expect(rotated.map(({ secret }) => secret)).toEqual(["seeded-client"]);
    expect(failure).toBeUndefined();
  });

  test.each([
    [
      "a value",
      rows.client,
      "seeded-client",
      () => site.vault.put("aidbox/seeded", { "seeded-client": "hunter2 of a person" }),
    ],
    [
      "a password of Vault's",
      rows.box,
      "box-password",
      () => {
        site.vault.rotateRole("box");
      },
    ],
  ])(
    "%s that somebody rotates while another one is on its way is not rotated again",
    async (_, row, name, rotateIt) => {
      await start(rows.admin, row);
      const onProgress = (text: string): void => {
        if (text.startsWith("admin-password is at version 1")) rotateIt();
      };
      const { rotated, rotatedByOthers } = await dueRotated({ onProgress });
      expect(rotated.map(({ secret }) => secret)).toEqual(["admin-password"]);
      expect(rotatedByOthers).toEqual([name]);
      expect(written()).toEqual(["PATCH secret/data/aidbox/admin"]);
    },
  );

  test("a rotation that fails ends it: what comes after is not tried", async () => {
    await start(rows.admin, rows.client);
    site.busy.set("aidbox-b", () => undefined);
    const { rotated, notTried, failure } = await dueRotated({ timeoutSeconds: 1 });
    expect(rotated).toEqual([]);
    expect(failure?.secret).toBe("admin-password");
    expect(failure?.error).toBeInstanceOf(NotServedError);
    expect(notTried).toEqual(["seeded-client"]);
    expect(written()).toEqual(["PATCH secret/data/aidbox/admin"]);
  });

  test("cannot be seen without the right to", async () => {
    await start(rows.admin);
    site.vault.allow("hvs.nobody", "", 3600);
    expect(await errorOf(dueRotated({ vaultToken: "hvs.nobody" }))).toBeInstanceOf(PermissionDeniedError);
    expect(written()).toEqual([]);
  });
});

describe("a value that is too old", () => {
  test("is so a second after its greatest age, and not before", async () => {
    await start(rows.client);
    const [row] = allRotated(site.environment);
    const secondsLater = (seconds: number): Date => new Date(longAgo.getTime() + seconds * 1000);
    expect(dueRow(row!, longAgo, secondsLater(90 * day))).toBeUndefined();
    expect(dueRow(row!, longAgo, secondsLater(90 * day + 1))).toMatchObject({ ageSeconds: 90 * day + 1 });
  });

  test("is a warning of the status, with what rotates it", async () => {
    await start(rows.client, rows.keys, rows.external);
    writtenDaysAgo("aidbox/seeded", 95);
    writtenDaysAgo("aidbox/keys", 91);
    writtenDaysAgo("aidbox/license", 1);
    const { warnings } = await readStatus(site.environment, { vaultToken: site.restrictTo("viewer") });
    expect(warnings).toEqual([
      "seeded-client: its value is 95 d old, and may grow 90 d old: npm run rotate -- --due --env test",
      "keys: its value is 91 d old, and may grow 90 d old: npm run rotate -- keys --env test",
    ]);
  });

  test("is a broken link of the chain, with what rotates it", async () => {
    await start(rows.client, rows.external);
    writtenDaysAgo("aidbox/seeded", 95);
    writtenDaysAgo("aidbox/license", 89);
    const { links } = await verify(site.environment, { vaultToken: site.restrictTo("viewer") });
    const checks = (name: string): string => `the value of ${name} is no older than 90 d`;
    expect(links.filter(({ name }) => name.startsWith("age of "))).toEqual([
      {
        name: "age of seeded-client",
        checks: checks("seeded-client"),
        state: "broken",
        cause: "its value is 95 d old",
        fix: "npm run rotate -- --due --env test",
      },
      { name: "age of license", checks: checks("license"), state: "ok", seen: "89 d old" },
    ]);
  });
});
