import { parseState } from "../../infra/state/stack-state";
import { valueHolders } from "../../infra/state/value-holders";
import { commonAidbox, describeUpgrade, FormerVersion } from "./former-version";
import {
  clientSecret,
  expectExit,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  type Step,
  story,
  TestStack,
  vaultCommand,
  vaultPods,
} from "./harness";
import { SecondVault } from "./second-vault";

/** A way to run Vault's command line against the stack's Vault. */
type VaultCommand = (args: readonly string[]) => Promise<string>;

const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
const token = { name: "api-token", path: "aidbox/api", source: "managed" };
const license = { name: "license", path: "theirs/license", source: "external" };
const secrets = [clientSecret, admin, token, license];
const common = { secrets, aidbox: commonAidbox };

/** Each path's current version and values, as Vault has them. */
async function stored(vault: VaultCommand): Promise<Record<string, unknown>> {
  const paths = [...new Set(secrets.map(({ path }) => path))];
  const read = async (path: string): Promise<unknown> => {
    const text = await vault(["kv", "get", "-mount=secret", "-format=json", path]);
    const { data, metadata } = (JSON.parse(text) as { data: { data: object; metadata: { version: number } } }).data;
    return { data, version: metadata.version };
  };
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await read(path)] as const)));
}

/** What was deleted or replaced of that which holds values. */
function losses(steps: readonly Step[], { holders }: Former): string[] {
  const lost = steps.filter(({ op, urn }) => holders.includes(urn) && /delete|replace/.test(op));
  return lost.map(({ op, urn }) => `${op} ${urn}`);
}

/** Those of the stack's secrets that Pulumi would delete where the program no longer has them. */
async function unprotectedSecrets(stack: TestStack): Promise<string[]> {
  const holders = valueHolders(parseState(await stack.exportState()));
  return holders
    .filter(({ resource, held }) => held.kind === "secret" && !resource.retainOnDelete)
    .map(({ resource }) => resource.urn);
}

/** What the former version left. */
interface Former {
  readonly stored: Record<string, unknown>;
  /** URNs of the resources that hold values. */
  readonly holders: readonly string[];
}

interface Running {
  readonly stack: TestStack;
  readonly vault: VaultCommand;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: () => Promise<void>;
}

/** A stack that the former version has deployed, then steps of this one on it. */
function upgradeStory(
  name: string,
  start: () => Promise<Running>,
  steps: (step: ReturnType<typeof story>, running: () => Running, before: () => Former) => void,
): void {
  describeUpgrade(name, () => {
    const step = story();
    let former: FormerVersion;
    let running: Running;
    let before: Former;

    beforeAll(async () => {
      former = await FormerVersion.checkOut();
      running = await start();
    });
    afterAll(async () => {
      await running.stop();
      former.dispose();
    });

    step("the former version deploys it", async () => {
      const { stack, env, vault } = running;
      await stack.setSecret("aidbox-secrets:values.api-token", "of-the-config");
      const up = await stack.pulumiAs({ cwd: former.folder, env }, "up");
      // In development the Vault comes with the stack: what is external can only be written now.
      if (up.code !== 0) {
        await vault(["kv", "put", "-mount=secret", license.path, "license=theirs"]);
        expectSuccess(await stack.pulumiAs({ cwd: former.folder, env }, "up"));
      }
      const holders = valueHolders(parseState(await stack.exportState())).map(({ resource }) => resource.urn);
      // The rows of all sources but external, and the two namespaces and the mount, where it is the stack's.
      expect(holders.length).toBeGreaterThanOrEqual(5);
      before = { stored: await stored(vault), holders };
      expect(await readSecretFile("license")).toBe("theirs");
    });
    steps(
      step,
      () => running,
      () => before,
    );
  });
}

const places: readonly (readonly [where: string, start: () => Promise<Running>])[] = [
  [
    "for development, with a Vault in dev mode",
    async () => {
      const stack = await TestStack.create("dev", common);
      return { stack, vault: (args) => vaultCommand(args), env: {}, stop: () => stack.dispose() };
    },
  ],
  [
    "for production, on a Vault of others",
    async () => {
      const second = await SecondVault.start(8400);
      await second.succeed(["kv", "put", "-mount=secret", license.path, "license=theirs"]);
      const config = { ...common, development: false, vault: await second.asExternal() };
      const stack = await TestStack.create("prod", config);
      const env = { VAULT_TOKEN: SecondVault.rootToken };
      const stop = async (): Promise<void> => {
        await stack.dispose(env);
        second.stop();
      };
      return { stack, vault: (args) => second.succeed(args), env, stop };
    },
  ],
];

for (const [where, start] of places) {
  upgradeStory(`a stack ${where}`, start, (step, running, before) => {
    step("up deletes and replaces nothing that holds a value, and every secret keeps its version", async () => {
      const { stack, env, vault } = running();
      const { ran, steps } = await stack.upBySteps(env);
      expectSuccess(ran);
      expect(losses(steps, before())).toEqual([]);
      expect(await stored(vault)).toEqual(before().stored);
      expect(await unprotectedSecrets(stack)).toEqual([]);
      expectUnchanged(await stack.pulumiAs({ env }, "up", "--expect-no-changes"));
    });
  });

  upgradeStory(`a stack ${where}, whose config changes at the same time`, start, (step, running, before) => {
    step("up loses nothing: a row that goes, and rows that change hands", async () => {
      const { stack, env, vault } = running();
      expect(await unprotectedSecrets(stack)).toHaveLength(3);
      const changed = [{ ...clientSecret, source: "external" }, { ...token, source: "seeded" }, license];
      stack.configure({ secrets: changed });
      const { ran, steps } = await stack.upBySteps(env);
      expectSuccess(ran);
      expect(ran.stdout).toContain("secret/aidbox/client was seeded and is external from now on");
      expect(ran.stdout).toContain("secret/aidbox/api was managed and is seeded from now on");
      expect(ran.stdout).toContain("secret/aidbox/admin stays, though the config no longer has it");
      expect(losses(steps, before())).toEqual([]);
      expect(await stored(vault)).toEqual(before().stored);
    });

    step("the next up forgets them, and the one after that has nothing to do", async () => {
      const { stack, env, vault } = running();
      expectSuccess(await stack.pulumiAs({ env }, "up"));
      expect(await stored(vault)).toEqual(before().stored);
      expect(parseState(await stack.exportState()).filter(({ urn }) => urn.includes("::kept/"))).toEqual([]);
      expectUnchanged(await stack.pulumiAs({ env }, "up", "--expect-no-changes"));
    });
  });
}

describeUpgrade("a stack for production, with a Vault of its own", () => {
  const step = story();
  const vault = { mode: "standalone", storage: { size: "1Gi" } };
  let former: FormerVersion;
  let stack: TestStack;
  let keyShares: readonly string[];
  let value: string;
  let holders: readonly string[];
  const env: NodeJS.ProcessEnv = {};

  const command = async (name: string, args: string[] = [], input = "", cwd?: string): Promise<Ran> => {
    const options = await overrides({ secrets: [clientSecret], vault, aidbox: commonAidbox }, "staging");
    const how = { env, input, ...(cwd === undefined ? {} : { cwd }) };
    return stack.commandAs(how, name, "--env", "staging", ...args, ...options);
  };

  beforeAll(async () => {
    former = await FormerVersion.checkOut();
    stack = await TestStack.create("staging");
  });
  afterAll(async () => {
    await stack.dispose(env);
    await kubectl("delete", "namespace", "vault", "--ignore-not-found");
    former.dispose();
  });

  step("the former version deploys it", async () => {
    const formerly = (name: string, ...args: string[]): Promise<Ran> => command(name, args, "", former.folder);
    expectExit(await formerly("up", "--yes"), 3);
    const init = await formerly("vault:init", "--json", "--shares", "1", "--threshold", "1");
    expectSuccess(init);
    // One document over several lines; today it is one a line.
    const made = JSON.parse(init.stdout) as Initialisation;
    keyShares = made.keyShares;
    env.VAULT_TOKEN = made.stackToken;
    expectSuccess(await formerly("up", "--yes"));
    value = await readSecretFile();
    holders = valueHolders(parseState(await stack.exportState())).map(({ resource }) => resource.urn);
    expect(holders.length).toBeGreaterThanOrEqual(5);
  });

  step("up asks for the rights of this version, before it touches anything; a key share gives them", async () => {
    const up = await command("up", ["--yes"]);
    expectExit(up, 4);
    expect(up.stdout).toContain("npm run vault:grant -- --shares --no-tokens --env staging");
    expectSuccess(await command("vault:grant", ["--shares", "--no-tokens"], keyShares.join("\n")));
  });

  step("up loses nothing, and restarts and seals no server", async () => {
    const servers = await vaultPods();
    expectSuccess(await command("up", ["--yes"]));
    expect(await vaultPods()).toBe(servers);
    expect(await readSecretFile()).toBe(value);
    const left = parseState(await stack.exportState()).map(({ urn }) => urn);
    expect(holders.filter((urn) => !left.includes(urn))).toEqual([]);
    expectUnchanged(await command("up", ["--yes"]));
    expectSuccess(await command("rotate", ["client-secret", "--generate", "32"]));
  });
});
