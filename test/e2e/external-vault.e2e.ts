import type { Verification } from "../../infra/operate/verify";
import {
  clientSecret,
  expectSuccess,
  expectUnchanged,
  overrides,
  type Ran,
  readSecretFile,
  story,
  TestStack,
  waitUntil,
} from "./harness";
import { SecondVault } from "./second-vault";

const secrets = [clientSecret, { name: "license", path: "theirs/license" }];

describe("a Vault outside the cluster, by the jwt method", () => {
  const step = story();
  let stack: TestStack;
  let vault: SecondVault;
  let options: string[];
  let env: NodeJS.ProcessEnv;
  let before: string[];

  const command = (...args: string[]): Promise<Ran> => stack.commandAs({ env }, args[0]!, ...args.slice(1), ...options);
  const everything = (): Promise<string[]> =>
    Promise.all(
      [
        ["auth", "list", "-detailed", "-format=json"],
        ["secrets", "list", "-detailed", "-format=json"],
        ["policy", "list"],
        ["kv", "list", "-mount=secret"],
        ["kv", "get", "-mount=secret", "theirs/license"],
        ["read", "-format=json", "sys/policies/acl/theirs"],
      ].map((args) => vault.succeed(args).then((text) => text.replaceAll(/"request_id".*\n/g, ""))),
    );

  beforeAll(async () => {
    vault = await SecondVault.start(8400);
    await vault.succeed(["kv", "put", "-mount=secret", "theirs/license", "license=their-license", "other=x"]);
    await vault.succeed(["policy", "write", "theirs", "-"], 'path "theirs" { capabilities = ["read"] }');
    before = await everything();
    stack = await TestStack.create("dev");
    options = await overrides({ secrets, vault: await vault.asExternal() });
    env = {};
  });
  afterAll(async () => {
    await command("destroy", "--yes");
    vault.stop();
    await stack.dispose();
  });

  step("up with a token of just the documented rights serves a secret of ours and one of theirs", async () => {
    const policy = await command("rights", "--role", "stack", "--for", "store");
    expectSuccess(policy);
    await vault.succeed(["policy", "write", "stack", "-"], policy.stdout);
    env.VAULT_TOKEN = await vault.succeed([
      "token",
      "create",
      "-orphan",
      "-policy=stack",
      "-period=1h",
      "-field=token",
    ]);
    const other = "# aidbox-secrets: stack prod, logins at auth/cluster-one";
    await vault.succeed(["policy", "write", "aidbox", "-"], other);
    const refused = await command("up", "--yes");
    expect({ code: refused.code, said: refused.stdout }).toEqual({
      code: 2,
      said: expect.stringContaining(`policy aidbox is that of "${other.slice(2)}"`) as string,
    });
    expect(await vault.succeed(["policy", "read", "aidbox"])).toContain(other);
    await vault.succeed(["policy", "delete", "aidbox"]);
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile()).toBe(
      await vault.succeed(["kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"]),
    );
    expect(await readSecretFile("license")).toBe("their-license");
    expectUnchanged(await command("up", "--yes"));
  });

  step("verify is green", async () => {
    await waitUntil(async () => (await command("verify")).code === 6, 60);
    const { links } = JSON.parse((await command("verify", "--json")).stdout) as Verification;
    // The stack's token may not read the metadata of what is theirs, nor change it.
    const theirs = { name: "secret license", state: "not permitted" };
    expect(links.filter(({ state }) => state !== "ok")).toEqual([expect.objectContaining(theirs)]);
    const operator = await command("rights", "--for", "store");
    await vault.succeed(["policy", "write", "operator", "-"], operator.stdout);
    const token = await vault.succeed(["token", "create", "-policy=operator", "-field=token"]);
    const green = await stack.commandAs({ env: { VAULT_TOKEN: token } }, "verify", ...options);
    expectSuccess(green);
  });

  step("a sealed Vault: preview, up and verify each say so and how to go on", async () => {
    await vault.succeed(["operator", "seal"]);
    for (const args of [["preview"], ["up", "--yes"]]) {
      const ran = await command(...args);
      expect({ args, code: ran.code }).toEqual({ args, code: 3 });
      expect(ran.stdout).toMatch(/Vault is sealed: run `VAULT_ADDR=\S+ vault operator unseal`, then `npm run up`/);
    }
    const verified = await command("verify");
    expect(verified.code).toBe(5);
    expect(verified.stdout).toMatch(/Vault is sealed\n\s+fix: VAULT_ADDR=\S+ vault operator unseal/);
    const destroyed = await command("destroy", "--yes");
    expect(destroyed.code).not.toBe(0);
    expect(destroyed.stdout + destroyed.stderr).toContain("Vault is sealed");
    await vault.unseal();
  });

  step("destroy leaves that Vault as it was", async () => {
    expectSuccess(await command("destroy", "--yes"));
    for (const policy of ["stack", "operator"]) await vault.succeed(["policy", "delete", policy]);
    expect(await everything()).toEqual(before);
  });
});
