import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  type Initialisation,
  kubectl,
  makeRootToken,
  overrides,
  type Ran,
  readSecretFile,
  run,
  story,
  TestStack,
} from "./harness";
import { SecondVault } from "./second-vault";

const small = { image: "healthsamurai/aidboxone:2605", resources: { cpuRequest: "100m", memoryRequest: "64Mi" } };

/** Runs a printed command as somebody would paste it, in a shell without npm's own folders. */
const paste = (line: string | undefined, env: NodeJS.ProcessEnv = {}): Promise<Ran> => {
  const PATH = process.env.PATH!.split(":").filter((folder) => !folder.endsWith("node_modules/.bin"));
  return run("sh", ["-c", line ?? "exit 99"], { env: { ...env, PATH: PATH.join(":") } });
};

describe("outside development, with a Vault of the stack's own", () => {
  const step = story();
  const vault = { mode: "standalone", storage: { size: "1Gi" } };
  let stack: TestStack;
  let env: NodeJS.ProcessEnv = {};
  let shares: readonly string[];
  /** An administrator's: the stack's own token reads no value. */
  let rootToken: string;
  let value: string;
  let deployAgain: string | undefined;
  let endVolume: string | undefined;

  const command = async (name: string, args: string[] = [], config: object = {}, input = ""): Promise<Ran> => {
    const options = await overrides({ secrets: [clientSecret], vault, aidbox: small, ...config });
    return stack.commandAs({ env, input }, name, "--env", "staging", ...args, ...options);
  };
  const servers = (): Promise<string> =>
    kubectl("-n", "vault", "get", "pods", "-l", "component=server", "-o", "jsonpath={.items[*].metadata.uid}");
  const readStore = async (): Promise<string> => {
    const get = ["vault", "kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"];
    return kubectl("-n", "vault", "exec", "vault-0", "--", "env", `VAULT_TOKEN=${rootToken}`, ...get);
  };

  beforeAll(async () => {
    stack = await TestStack.create("staging");
    expectExit(await command("up", ["--yes"]), 3);
    const init = await command("vault:init", ["--json", "--shares", "1", "--threshold", "1"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation;
    shares = made.keyShares;
    env = { VAULT_TOKEN: made.stackToken };
    expectSuccess(await command("up", ["--yes"]));
    value = await readSecretFile();
    const inServer = ["-n", "vault", "exec", "-i", "vault-0", "--", "vault"];
    rootToken = await makeRootToken(
      (args, input) => run("kubectl", [...inServer, ...args], { input: input ?? "" }),
      shares,
    );
  });
  afterAll(async () => {
    await stack.dispose(env);
    await kubectl("delete", "namespace", "vault", "aidbox", "--ignore-not-found");
  });

  step("up refuses what would end its servers, before anything is touched, with both ways out", async () => {
    const before = await servers();
    for (const config of [
      { vault: { ...vault, release: "other" } },
      { vault: { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" } } },
      { namespaces: { vault: "other", aidbox: "aidbox" } },
    ]) {
      const refused = await command("up", ["--yes"], config);
      expectExit(refused, 2);
      expect(refused.stdout).toContain("Vault's release vault of namespace vault would go");
      expect(refused.stdout).toContain("put vault.mode, vault.release and namespaces.vault back");
      expect(refused.stdout).toContain("pulumi state unprotect 'urn:pulumi:staging::");
    }
    expect(await servers()).toBe(before);
    expect(await readStore()).toBe(value);
  });

  step("destroy is refused while its servers are protected, and prints the command that lets them go", async () => {
    const refused = await command("destroy", ["--yes"]);
    expectExit(refused, 2);
    expect(await readStore()).toBe(value);
    const unprotect = /`(PULUMI_BACKEND_URL=.* pulumi state unprotect .*)` lets it go; its volumes stay/.exec(
      refused.stderr,
    );
    expectSuccess(await paste(unprotect?.[1]?.concat(" --yes"), stack.env));
  });

  step("destroy keeps its volumes, and prints the command that ends each", async () => {
    const destroyed = await command("destroy", ["--yes"]);
    expectSuccess(destroyed);
    console.info(destroyed.stderr);
    expect(destroyed.stderr).toContain("These stay, with the KV mount secret/, secret/aidbox/client.");
    expect(destroyed.stderr).toMatch(/: kubectl .* delete pvc audit-vault-0 /);
    endVolume = /: (kubectl .* delete pvc data-vault-0 .*)$/m.exec(destroyed.stderr)?.[1];
    deployAgain = /^To deploy on them again: (.*)$/m.exec(destroyed.stderr)?.[1];
    expect((await kubectl("-n", "vault", "get", "pvc,pods", "-o", "name")).split("\n")).toEqual([
      "persistentvolumeclaim/audit-vault-0",
      "persistentvolumeclaim/data-vault-0",
      "",
    ]);
    expect((await run("kubectl", ["get", "namespace", "aidbox"])).code).not.toBe(0);
  });

  step("a new deployment on them has the value that was there", async () => {
    expectSuccess(await paste(deployAgain));
    const up = await command("up", ["--yes"]);
    expectExit(up, 3);
    expect(up.stdout).toContain("Vault is sealed");
    expectSuccess(await command("vault:unseal", [], {}, shares.join("\n")));
    expect(await readStore()).toBe(value);
  });

  step("the printed command ends a volume", async () => {
    expectSuccess(await paste(endVolume));
    const claim = ["-n", "vault", "get", "pvc", "data-vault-0", "-o", "jsonpath={.metadata.deletionTimestamp}"];
    expect(await kubectl(...claim)).not.toBe("");
  });
});

describe("outside development, on a Vault of others", () => {
  const step = story();
  let stack: TestStack;
  let vault: SecondVault;
  let value: string;
  const env = { VAULT_TOKEN: SecondVault.rootToken };

  const command = async (name: string): Promise<Ran> => {
    const options = await overrides({ secrets: [clientSecret], vault: await vault.asExternal(), aidbox: small });
    return stack.commandAs({ env }, name, "--env", "staging", "--yes", ...options);
  };
  const readStore = (): Promise<Ran> =>
    vault.command("kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client");

  beforeAll(async () => {
    vault = await SecondVault.start(8400);
    stack = await TestStack.create("staging");
    expectSuccess(await command("up"));
    value = await readSecretFile();
  });
  afterAll(async () => {
    await stack.dispose(env);
    vault.stop();
  });

  step("destroy keeps the value and prints the command that ends it, which does", async () => {
    const destroyed = await command("destroy");
    expectSuccess(destroyed);
    console.info(destroyed.stderr);
    expect((await readStore()).stdout).toBe(value);
    const end = /^ {2}secret\/aidbox\/client: (.*)$/m.exec(destroyed.stderr)?.[1];
    expectSuccess(await paste(end, vault.variables));
    expect((await readStore()).stderr).toContain("No value found");
  });
});
