import {
  aidboxPodNames,
  authKeys,
  clientSecret,
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  readSecretFile,
  readVariable,
  story,
  TestStack,
  vaultCommand,
  waitForVariable,
  waitUntil,
} from "./harness";
import { OutsidePostgres } from "./outside-postgres";

const secrets = [
  clientSecret,
  authKeys,
  { name: "database-password", source: "database", path: "aidbox", environment: "BOX_DB_PASSWORD" },
];

/** As an operator writes it; Vault changes the password at once. */
const makeRole = [
  "write",
  "database/static-roles/aidbox",
  "db_name=postgres",
  "username=aidbox",
  "rotation_period=24h",
];

describe("Aidbox with a password that Vault's database engine changes", () => {
  const step = story();
  const postgres = new OutsidePostgres();
  let stack: TestStack;
  let options: string[];

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    const database = { mode: "external", host: postgres.host, tls: { mode: "disable" } };
    options = await overrides({ secrets, database, "aidbox.replicas": 2 });
    await postgres.start();
  });
  afterAll(async () => {
    await stack.dispose();
    await postgres.stop();
  });

  step("without the engine and the role, up waits for an operator and says how to make them", async () => {
    const up = await stack.command("up", "--yes", ...options);
    expectExit(up, 3);
    expect(up.stdout + up.stderr).toContain("vault secrets enable -path=database database");
    expect(up.stdout + up.stderr).toContain(
      "vault write database/static-roles/aidbox db_name=CONNECTION username=USER",
    );
    await vaultCommand(["secrets", "enable", "-path=database", "database"]);
    await postgres.connectTo("vault");
    await vaultCommand(makeRole);
  });

  step("up serves the password that Vault made, and a client logs in with it", async () => {
    expectSuccess(await stack.command("up", "--yes", ...options));
    const password = await readVariable("BOX_DB_PASSWORD");
    expect(await readSecretFile("database-password")).toBe(password);
    expect(await postgres.accepts(password)).toBe(true);
    expectUnchanged(await stack.command("up", "--yes", ...options));
    expectSuccess(await stack.command("verify", ...options));
    expect((await stack.exportState("--show-secrets")).includes(password)).toBe(false);
  });

  step("rotate has Vault change it: the new one works, the old one is refused", async () => {
    const before = await readVariable("BOX_DB_PASSWORD");
    const rotated = await stack.command("rotate", "database-password", "--restart", ...options);
    expectSuccess(rotated);
    console.info(rotated.stdout);
    const after = await readVariable("BOX_DB_PASSWORD");
    expect(after).not.toBe(before);
    expect(await postgres.accepts(after)).toBe(true);
    expect(await postgres.accepts(before)).toBe(false);
  });

  step("changed by Vault at its own time, it rolls the pods by itself, one by one", async () => {
    const [before, pods] = [await readVariable("BOX_DB_PASSWORD"), await aidboxPodNames()];
    await vaultCommand(["write", "-force", "database/rotate-role/aidbox"]);
    const file = await waitUntil(async () => (await readSecretFile("database-password")) !== before, 40);
    const password = await readSecretFile("database-password");
    const rolled = file + (await waitForVariable("BOX_DB_PASSWORD", password, 90));
    console.info(`the file followed after ${file.toFixed(0)} s, the pods were rolled after ${rolled.toFixed(0)} s`);
    expect(await postgres.accepts(password)).toBe(true);
    expect((await aidboxPodNames()).filter((name) => pods.includes(name))).toEqual([]);
    await waitUntil(async () => (await stack.command("status", ...options)).code === 0, 60);
  });

  step("verify names a role that is gone, and its fix works", async () => {
    await kubectl("-n", "aidbox", "rollout", "status", "deployment", "aidbox", "--timeout=60s");
    await vaultCommand(["delete", "database/static-roles/aidbox"]);
    const broken = await stack.command("verify", ...options);
    expectExit(broken, 5);
    expect(broken.stdout).toContain("database has no static role aidbox");
    expect(broken.stdout).toContain("vault write database/static-roles/aidbox db_name=CONNECTION username=aidbox");
    await vaultCommand(makeRole);
    await waitUntil(async () => (await stack.command("verify", ...options)).code === 0, 120);
  });

  step("destroy leaves the engine's database as it is", async () => {
    const password = await vaultCommand(["read", "-field=password", "database/static-creds/aidbox"]);
    expectSuccess(await stack.command("destroy", "--yes", ...options));
    expect(await postgres.accepts(password)).toBe(true);
  });
});
