import type { VaultEnvironment } from "../../infra/config/environment";
import { readEnvironment } from "../../infra/config/environment-file";
import { discardVault } from "../../infra/operate/stores/vault/hints";
import type { Verification } from "../../infra/operate/verify";
import { ofVault } from "../infra/vault-environment";
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
  root,
  run,
  story,
  TestStack,
  waitUntil,
} from "./harness";
import { KeyHolder } from "./key-holder";

describe("one server with TLS that operators unseal", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv = {};
  let holders: readonly KeyHolder[] = [];
  let shares: readonly string[];
  let rootToken: string;

  const command = (name: string, args: string[] = [], input = ""): Promise<Ran> =>
    stack.commandAs({ env, input }, name, ...args, ...options);
  const vault = (args: readonly string[], token = ""): Promise<Ran> =>
    run("kubectl", ["-n", "vault", "exec", "-i", "vault-0", "--", "env", `VAULT_TOKEN=${token}`, "vault", ...args]);
  /** The environment as the commands see it. */
  const environment = (): VaultEnvironment => {
    const given = options.filter((each) => each !== "--config").map((each) => each.split("="));
    const changes = given.map(([key, ...value]) => ({ key: key!, value: value.join("=") }));
    return ofVault(readEnvironment(root, "dev", changes).environment);
  };
  const restartVault = async (): Promise<void> => {
    await kubectl("-n", "vault", "delete", "pod", "vault-0", "--grace-period=0", "--force");
    await waitUntil(async () => (await vault(["status", "-format=json"])).stdout.includes('"sealed": true'), 60);
  };

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    const vault = { mode: "standalone", storage: { size: "1Gi", retain: false } };
    options = await overrides({ secrets: [clientSecret], vault });
    expectExit(await command("up", ["--yes"]), 3);
  });
  afterAll(async () => {
    for (const holder of holders) holder.dispose();
    await command("destroy", ["--yes"]);
    await stack.dispose();
  });

  // What each has printed by then is all that there is: no second initialisation gives it again.
  for (const [signal, moment] of [
    ["SIGINT", "initialising"],
    ["SIGTERM", "initialising"],
    ["SIGINT", "vault-0: 1 of 2 key shares"],
    ["SIGTERM", "making the stack's token"],
  ] as const) {
    step(`vault:init that gets ${signal} at "${moment}" has printed key shares that unseal Vault`, async () => {
      const args = ["--shares", "3", "--threshold", "2", ...options];
      const ended = await stack.commandEndedBy(signal, moment, "vault:init", ...args);
      expect(ended.code).not.toBe(0);
      const printed = [...ended.stdout.matchAll(/^key share \d: (.+)$/gm)].map(([, share]) => share!);
      expect(printed).toHaveLength(3);
      expectSuccess(await command("vault:unseal", [], printed.slice(1).join("\n")));
      const granted = await command("vault:grant", ["--json"], /^root token: (.+)$/m.exec(ended.stdout)?.[1]);
      expectSuccess(granted);
      expect(documents(granted)).toMatchObject({ rootTokenRevoked: true });
      const discarded = await run("sh", ["-c", discardVault(environment())]);
      expectSuccess(discarded);
      await waitUntil(
        async () => (await vault(["status", "-format=json"])).stdout.includes('"initialized": false'),
        90,
      );
    });
  }

  step(
    "vault:init encrypts each key share and the root token for its holder, and leaves the rest to them",
    async () => {
      holders = [await KeyHolder.create("first"), await KeyHolder.create("second")];
      const keys = holders.flatMap(({ publicKeyFile }) => ["--pgp-key", publicKeyFile]);
      const forRoot = ["--root-token-pgp-key", holders[0]!.publicKeyFile];
      const init = await command("vault:init", ["--json", ...keys, ...forRoot]);
      expectSuccess(init);
      const made = documents(init) as Initialisation;
      expect(made).toMatchObject({ recovery: false, encrypted: true, rootTokenEncrypted: true, rest: "by hand" });
      expect(made.keyShares).toHaveLength(2);
      rootToken = await holders[0]!.decrypt(made.rootToken);
      shares = await Promise.all(made.keyShares.map((each, index) => holders[index]!.decrypt(each)));
      expect(shares.join("\n")).toMatch(/^[0-9a-f]{66}\n[0-9a-f]{66}$/);
    },
  );

  step("key shares of several holders unseal it, one after another; wrong ones are refused", async () => {
    const wrong = await command("vault:unseal", [], "bm90IGEga2V5\nbm9yIHRoaXM=");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("vault-0 refuses the key shares");
    const first = await command("vault:unseal", [], shares[0]);
    expectExit(first, 3);
    expect(first.stdout).toContain("vault-0 has 1 of 2 key shares");
    const unsealed = await command("vault:unseal", [], shares[1]);
    expectSuccess(unsealed);
    expect(unsealed.stdout).toContain("unsealed, and serving: vault-0");
    for (const { stdout, stderr } of [wrong, first, unsealed]) {
      for (const share of shares) expect(stdout + stderr).not.toContain(share);
    }
  });

  step("vault:grant makes the stack's token, and revokes the root token", async () => {
    expect((await vault(["token", "lookup"], rootToken)).code).toBe(0);
    const granted = await command("vault:grant", ["--json"], rootToken);
    expectSuccess(granted);
    const { stackToken } = documents(granted) as { stackToken: string };
    const refused = await vault(["token", "lookup"], rootToken);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("permission denied");
    const again = await command("vault:grant", [], rootToken);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("Vault refuses the root token");
    env = { VAULT_TOKEN: stackToken };
  });

  step("up serves the secret, a second up changes nothing, and verify is green", async () => {
    expectSuccess(await command("up", ["--yes"]));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expectUnchanged(await command("up", ["--yes"]));
    await waitUntil(async () => (await command("verify")).code === 0, 60);
  });

  step(
    "sealed by a restart, up, preview, verify and rotate say so and how to go on; Aidbox keeps its files",
    async () => {
      const before = await readSecretFile();
      await restartVault();
      for (const [name, args] of [
        ["up", ["--yes"]],
        ["preview", []],
      ] as const) {
        const ran = await command(name, [...args]);
        expect({ name, code: ran.code }).toEqual({ name, code: 3 });
        expect(ran.stdout).toContain("Vault is sealed: run `npm run vault:unseal`, then `npm run up`");
      }
      const verified = await command("verify", ["--json"]);
      expect(verified.code).toBe(5);
      const { links } = JSON.parse(verified.stdout) as Verification;
      expect(links.filter(({ state }) => state === "broken")).toEqual([
        expect.objectContaining({ name: "vault", cause: "Vault is sealed", fix: "npm run vault:unseal" }),
      ]);
      const rotated = await command("rotate", ["client-secret", "--generate", "32"]);
      expect(rotated.code).toBe(4);
      expect(rotated.stderr).toContain("Vault is sealed");
      expect(await readSecretFile()).toBe(before);
    },
  );

  step("unsealed again, it has all that it had", async () => {
    const before = await readSecretFile();
    expectSuccess(await command("vault:unseal", [], shares.join("\n")));
    expectUnchanged(await command("up", ["--yes"]));
    await waitUntil(async () => (await command("verify")).code === 0, 60);
    expect(await readSecretFile()).toBe(before);
  });

  step("destroy needs no unsealed Vault where nothing of it is kept", async () => {
    await restartVault();
    expectSuccess(await command("destroy", ["--yes"]));
    expect(await kubectl("get", "pvc", "-A", "-o", "name")).toBe("");
  });
});
