import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  story,
  TestStack,
} from "./harness";

/** Runs the CronJob of the snapshots once, as its schedule does; what it said. */
async function takeSnapshot(name: string): Promise<string> {
  await kubectl("-n", "vault", "create", "job", name, "--from=cronjob/vault-snapshots");
  await kubectl("-n", "vault", "wait", "--for=condition=Complete", `job/${name}`, "--timeout=120s");
  return kubectl("-n", "vault", "logs", `job/${name}`);
}

describe("three servers whose snapshots are taken, restored and tried", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv = {};
  const vault = {
    mode: "ha",
    replicas: 3,
    antiAffinity: "none",
    storage: { size: "1Gi", retain: false },
    snapshots: { schedule: "0 0 1 1 *", keep: 2, storage: { size: "1Gi" } },
  };

  const command = (name: string, args: string[] = [], input = ""): Promise<Ran> =>
    stack.commandAs({ env, input }, name, ...args, ...options);

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await overrides({ secrets: [clientSecret], vault });
    expectExit(await command("up", ["--yes"]), 3);
  });
  afterAll(async () => {
    await command("destroy", ["--yes"]);
    await stack.dispose();
  });

  step("up makes the CronJob once Vault is initialised, and a second up changes nothing", async () => {
    const init = await command("vault:init", ["--json", "--shares", "3", "--threshold", "2"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation;
    env = { VAULT_TOKEN: made.stackToken };
    expectSuccess(await command("up", ["--yes"]));
    expectUnchanged(await command("up", ["--yes"]));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
  });

  step("a snapshot is taken by a login that may do nothing else, and so many are kept", async () => {
    for (const name of ["first", "second", "third"]) {
      const said = await takeSnapshot(name);
      console.info(said.trim());
      expect(said).toMatch(/saved \d{8}T\d{6}Z\.snap, \d+ bytes; \d of 2 are there$/m);
    }
    const policy = await kubectl("-n", "vault", "get", "cronjob", "vault-snapshots", "-o", "jsonpath={.spec.schedule}");
    expect(policy).toBe(vault.snapshots.schedule);
  });
});
