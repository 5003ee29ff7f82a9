import { execFileSync } from "node:child_process";
import fs, { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Command } from "commander";
import { addVaultCommands } from "../../../infra/cli/vault-commands";
import * as granting from "../../../infra/operate/stores/vault/grant";
import { grant, grantByShares, type Revocation } from "../../../infra/operate/stores/vault/grant";
import * as initialising from "../../../infra/operate/stores/vault/init";
import {
  type FirstSecrets,
  initialise,
  type InitOutcome,
  type OperatorSecrets,
  type StackSecrets,
} from "../../../infra/operate/stores/vault/init";
import { loginCommand } from "../../../infra/operate/stores/vault/operators";
import * as rekeying from "../../../infra/operate/stores/vault/rekey";
import { type NewShares, rekey, type Rekeying } from "../../../infra/operate/stores/vault/rekey";
import * as unsealing from "../../../infra/operate/stores/vault/unseal";
import { unseal, type Unsealing } from "../../../infra/operate/stores/vault/unseal";
import { FakeKubernetes } from "../operate/fake-kubernetes";
import { config } from "../operate/stores/vault/stored-site";
import { checkVaultEnvironment } from "../vault-environment";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

/** What is written to standard output past the console. */
const chunks: string[] = [];
const written = (): string => chunks.join("");

const external = { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" } };

describe("on the command line", () => {
  let checkout: Checkout;
  let before: Record<string, string>;
  beforeAll(() => {
    checkout = new Checkout({ test: config, outside: { ...config, vault: external } });
    checkout.setContexts({ somewhere: "https://127.0.0.1:1", "kind-aidbox": "https://127.0.0.1:1" });
    before = checkout.files();
  });
  afterAll(() => {
    expect(checkout.files()).toEqual(before); // no share and no token is kept
    checkout.dispose();
  });

  async function refusal(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<[number, string]> {
    const { code, stdout, stderr } = await checkout.run(args, env, input);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(/^\s+at /m);
    return [code, stderr];
  }

  test("wrong arguments end with 2", async () => {
    const cases: [args: string[], told: string][] = [
      [["vault:init", "--unknown"], "error: unknown option '--unknown'\n"],
      [["vault:init", "five"], "error: too many arguments for 'vault:init'. Expected 0 arguments but got 1.\n"],
      [
        ["vault:init", "--shares", "five"],
        "error: option '--shares <number>' argument 'five' is invalid. write a whole number\n",
      ],
      [
        ["vault:init", "--threshold", "-1"],
        "error: option '--threshold <number>' argument '-1' is invalid. write a whole number\n",
      ],
      [
        ["vault:init", "--pgp-key", "/no/such/key"],
        "error: option '--pgp-key <file>' argument '/no/such/key' is invalid. it cannot be read: ENOENT: no such file " +
          "or directory, open '/no/such/key'\n",
      ],
      [["vault:unseal", "a-share"], "error: too many arguments for 'vault:unseal'. Expected 0 arguments but got 1.\n"],
      [["vault:grant", "hvs.root"], "error: too many arguments for 'vault:grant'. Expected 0 arguments but got 1.\n"],
    ];
    const said = await Promise.all(cases.map(async ([args]) => [args, await refusal([...args, "--env", "test"])]));
    expect(said).toEqual(cases.map(([args, told]) => [args, [2, told]]));
  });

  test("numbers that do not fit end with 2, before the cluster is asked", async () => {
    expect(await refusal(["vault:init", "--env", "test", "--shares", "3", "--threshold", "4"])).toEqual([
      2,
      "looking at Vault\na threshold of 4 does not fit 3 shares: it must be 2 or more, and no more than the shares\n",
    ]);
  });

  test.each([
    ["dev", "dev", "dev"],
    ["external", "outside", "outside"],
  ])("a Vault of mode %s has nothing to initialise or to unseal, which ends with 2", async (mode, env, name) => {
    const told =
      `the Vault of environment "${name}" is of mode ${mode}: only standalone and ha have servers of the stack's own to ` +
      "initialise and unseal\n";
    const said = await Promise.all([
      refusal(["vault:init", "--env", env]),
      refusal(["vault:init", "--env", env, "--json"]),
      refusal(["vault:unseal", "--env", env], "a share"),
    ]);
    expect(said).toEqual([
      [2, told],
      [2, told],
      [2, told],
    ]);
  });

  test("nothing on standard input ends with 2", async () => {
    const [unsealed, granted] = await Promise.all([
      refusal(["vault:unseal", "--env", "test"]),
      refusal(["vault:grant", "--env", "test"]),
    ]);
    expect([unsealed[0], granted[0]]).toEqual([2, 2]);
  });

  // readValue() speaks of `rotate`: "the new value is empty: give one, or let --generate make it".
  test("nothing on standard input is called by its name", async () => {
    const [, unsealed] = await refusal(["vault:unseal", "--env", "test"]);
    expect(unsealed).not.toContain("--generate");
  });

  test("a context that the kubeconfig has not ends with 2", async () => {
    const [code, told] = await refusal(["vault:init", "--env", "test", "--config", "kubeContext=nowhere"]);
    expect(code).toBe(2);
    expect(told).toContain(
      'aidbox-secrets:kubeContext (line 2, column 3): "nowhere": the kubeconfig has no such context',
    );
  });

  test("a cluster that does not answer fails, and says which address it was", async () => {
    const all = await Promise.all([
      refusal(["vault:init", "--env", "test"]),
      refusal(["vault:unseal", "--env", "test"], "a share"),
      refusal(["vault:grant", "--env", "test"], "hvs.root"),
    ]);
    for (const [code, told] of all) {
      expect([1, 4]).toContain(code);
      expect(told).toContain("ECONNREFUSED 127.0.0.1:1");
      expect(told).not.toMatch(/a share|hvs\./);
    }
  });

  // `status` and `rotate` ask first, by assertReachable(), and end with 4.
  test("a cluster that does not answer ends with 4, and is named by its context", async () => {
    const [code, told] = await refusal(["vault:init", "--env", "test", "--json"]);
    expect(code).toBe(4);
    expect(told).toContain("the cluster of context somewhere does not answer");
  });

  // Nothing keeps the process while the request waits for its port-forward: it ends with 0, and has said nothing.
  test("a way to Vault that breaks off is no success", async () => {
    const { code, stdout } = await checkout.spawn(["vault:grant", "--env", "dev"], {}, "hvs.root");
    expect(stdout).toBe("");
    expect(code).not.toBe(0);
  });

  describe("in a cluster without servers", () => {
    let cluster: FakeKubernetes;
    beforeAll(async () => {
      cluster = await FakeKubernetes.start("somewhere");
    });
    afterAll(() => cluster.stop());

    test("there is nothing to initialise or to unseal yet, which ends with 2", async () => {
      const env = { KUBECONFIG: cluster.kubeconfig };
      const told = "no server of Vault runs in namespace vault-servers yet\n";
      expect(await refusal(["vault:init", "--env", "test", "--json"], "", env)).toEqual([2, told]);
      expect(await refusal(["vault:unseal", "--env", "test", "--json"], "a share", env)).toEqual([2, told]);
    });

    test("who may not list pods is told so, which ends with 4", async () => {
      cluster.roles = [];
      const env = { KUBECONFIG: cluster.kubeconfig };
      const [code, told] = await refusal(["vault:init", "--env", "test", "--json"], "", env);
      cluster.roles = undefined;
      expect(code).toBe(4);
      expect(told).toContain('cannot list resource "pods"');
    });
  });
});

describe("what is printed", () => {
  const environment = checkVaultEnvironment("test", config);
  const first: FirstSecrets = {
    keyShares: ["c2hhcmUgMQ==", "c2hhcmUgMg=="],
    encrypted: false,
    recovery: false,
    rootToken: "hvs.root",
    rootTokenEncrypted: false,
  };
  const stack: StackSecrets = { stackToken: "hvs.stack" };
  const operator: OperatorSecrets = { operator: { method: "token", token: "hvs.writer" } };
  const revoked: InitOutcome = { rootTokenRevoked: true };
  const alive: InitOutcome = { rootTokenRevoked: false, reason: "Vault answered with 500" };
  const stopped: InitOutcome = { stopped: "store-0 does not serve after 120 s" };
  const byHand: InitOutcome = { rest: "by hand" };
  const forPgp: FirstSecrets = { ...first, encrypted: true };

  /** Has vault:init make what it is to print. */
  function initialiseTo(outcome: InitOutcome, ...secrets: (FirstSecrets | OperatorSecrets | StackSecrets)[]): void {
    jest.mocked(initialise).mockImplementation((_, { onSecrets, onProgress }) => {
      onProgress?.("initialising");
      for (const each of secrets) onSecrets(each);
      return Promise.resolve(outcome);
    });
  }

  /** Has vault:grant make the stack's token. */
  function grantTo(outcome: Revocation): void {
    const carryOut: typeof grant = (_, _token, { onToken, onCredentials, tokens = true }) => {
      if (tokens) onCredentials({ method: "token", token: "hvs.writer" });
      if (tokens) onToken("hvs.stack");
      return Promise.resolve(outcome);
    };
    jest.mocked(grant).mockImplementation(carryOut);
    jest.mocked(grantByShares).mockImplementation((environment, _, options) => carryOut(environment, "", options));
  }

  let folder: string;
  let code: number | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-commands-"));
    jest.spyOn(granting, "grant");
    jest.spyOn(granting, "grantByShares");
    jest.spyOn(initialising, "initialise");
    jest.spyOn(rekeying, "rekey");
    jest.spyOn(unsealing, "unseal");
    const { writeSync } = fs;
    jest.spyOn(fs, "writeSync").mockImplementation((descriptor: number, text: unknown, ...rest: unknown[]) => {
      if (descriptor !== 1) return writeSync(descriptor, text as Buffer, ...(rest as [number])); // a file's
      chunks.push((text as Buffer).toString());
      return (text as Buffer).length;
    });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    jest.restoreAllMocks();
    jest.resetAllMocks();
  });

  /** Runs a command on what the mocks yield; what it prints, what it tells meanwhile, and its exit code. */
  async function run(args: readonly string[], input = ""): Promise<Ran> {
    const printed: string[] = [];
    const told: string[] = [];
    jest.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
    chunks.length = 0;
    jest.spyOn(console, "error").mockImplementation((text: string) => void told.push(text));
    const stdin: unknown = Readable.from([Buffer.from(input)]);
    jest.spyOn(process, "stdin", "get").mockReturnValue(stdin as typeof process.stdin);
    const program = new Command().exitOverride();
    code = undefined;
    addVaultCommands(
      (name, description) => program.command(name).description(description).exitOverride(),
      async (_, action) => {
        code = await action(environment);
      },
    );
    await program.parseAsync(["node", "aidbox-secrets", ...args]);
    return { code: code!, stdout: written() + printed.join("\n"), stderr: told.join("\n") };
  }

  test.each<[what: string, outcome: InitOutcome, made: FirstSecrets, more: (OperatorSecrets | StackSecrets)[]]>([
    ["key shares, where Vault is in service", revoked, first, [operator, stack]],
    ["key shares, where it stopped on the way", stopped, first, []],
    ["recovery key shares, where Vault is in service", revoked, { ...first, recovery: true }, [stack]],
    ["recovery key shares, where it stopped on the way", stopped, { ...first, recovery: true }, []],
    ["encrypted key shares", byHand, forPgp, []],
    ["encrypted recovery key shares", revoked, { ...forPgp, recovery: true }, [stack]],
    ["a root token that is encrypted", byHand, { ...first, rootTokenEncrypted: true }, []],
    ["a root token that lives on", alive, first, [stack]],
  ])("by vault:init: %s", async (_, outcome, made, more) => {
    initialiseTo(outcome, made, ...more);
    const { stdout } = await run(["vault:init"]);
    expect(stdout).toMatchSnapshot();
    for (const each of [...made.keyShares, made.rootToken]) expect(stdout).toContain(each);
  });

  test("by vault:init for machines is a document a line, each as soon as it is known", async () => {
    initialiseTo(stopped, first);
    const { stdout, stderr } = await run(["vault:init", "--json"]);
    const documents = stdout.trim().split("\n");
    expect(documents.map((line) => JSON.parse(line) as unknown)).toEqual([first, stopped]);
    expect(stderr).toBe("");
  });

  test("by vault:init is there while it goes on", async () => {
    jest.mocked(initialise).mockImplementation((_, { onSecrets }) => {
      onSecrets(first);
      for (const share of first.keyShares) expect(written()).toContain(share);
      onSecrets(stack);
      expect(written()).toContain("hvs.stack");
      return Promise.resolve(revoked);
    });
    await run(["vault:init"]);
    expect(written()).toContain("The root token is revoked");
  });

  test.each<[what: string, outcome: InitOutcome, code: number]>([
    ["in service", revoked, 0],
    ["for others to go on with", byHand, 0],
    ["stopped on the way", stopped, 1],
    ["in service, with a root token that lives on", alive, 1],
  ])("vault:init ends with what Vault is: %s", async (_, outcome, expected) => {
    initialiseTo(outcome, first);
    expect((await run(["vault:init"])).code).toBe(expected);
  });

  test("vault:init tells how far it is, on standard error", async () => {
    initialiseTo(revoked, first, stack);
    expect((await run(["vault:init"])).stderr).toBe("looking at Vault\ninitialising");
  });

  test("vault:init passes its numbers on", async () => {
    initialiseTo(revoked, first, stack);
    await run(["vault:init", "--shares", "7", "--threshold", "4"]);
    expect(initialise).toHaveBeenCalledWith(environment, expect.objectContaining({ shares: 7, threshold: 4 }));
    await run(["vault:init"]);
    expect(initialise).toHaveBeenLastCalledWith(
      environment,
      expect.objectContaining({ shares: undefined, threshold: undefined, pgpKeys: undefined }),
    );
  });

  describe("public keys of the holders", () => {
    const binary = Buffer.from([0x99, 0x01, 0x0d, 0x04, 0xff, 0x00, 0x80, 0x0a]);
    const body = binary.toString("base64");
    const armour = (checksum: string, eol = "\n", headers = ""): string =>
      ["-----BEGIN PGP PUBLIC KEY BLOCK-----", ...(headers === "" ? [] : [headers]), "", body].join(eol) +
      `${eol}${checksum === "" ? "" : `${checksum}${eol}`}-----END PGP PUBLIC KEY BLOCK-----${eol}`;

    async function passed(...contents: (string | Buffer)[]): Promise<readonly string[] | undefined> {
      initialiseTo(byHand, forPgp);
      const files = contents.map((content, index) => {
        const file = join(folder, `${index}.pgp`);
        writeFileSync(file, content);
        return ["--pgp-key", file];
      });
      await run(["vault:init", ...files.flat()]);
      return jest.mocked(initialise).mock.calls.at(-1)![1].pgpKeys;
    }

    test.each<[what: string, content: string | Buffer]>([
      ["binary", binary],
      ["armoured", armour("=AbC1")],
      ["armoured, with headers", armour("=AbC1", "\n", "Comment: of the first holder\nVersion: 2")],
      ["armoured, with the line ends of Windows", armour("=AbC1", "\r\n")],
    ])("are taken: %s", async (_, content) => {
      expect(await passed(content)).toEqual([body]);
    });

    // RFC 9580 says not to write a checksum any more, and newer programs do not.
    test("are taken: armoured, without a checksum", async () => {
      expect(await passed(armour(""))).toEqual([body]);
    });

    test("are given in the order of the options", async () => {
      expect(await passed(binary, Buffer.from("another"), armour("=AbC1"))).toEqual([
        body,
        Buffer.from("another").toString("base64"),
        body,
      ]);
    });

    test("of GnuPG are the same with and without armour", async () => {
      const options = ["--homedir", folder, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
      const gpg = (...args: string[]): Buffer => execFileSync("gpg", [...options, ...args], { stdio: "pipe" });
      try {
        gpg("--quick-generate-key", "holder@site.example", "ed25519", "default", "never");
      } catch {
        return; // a machine without GnuPG
      }
      const [plain, armoured] = [gpg("--export"), gpg("--armor", "--export")];
      expect(await passed(plain, armoured)).toEqual([plain.toString("base64"), plain.toString("base64")]);
      execFileSync("gpgconf", ["--homedir", folder, "--kill", "all"]);
    });
  });

  describe("vault:rekey", () => {
    const made: NewShares = { keyShares: ["bmV3IDE=", "bmV3IDI=", "bmV3IDM="], encrypted: false, recovery: false };
    const former = "c2hhcmUgMQ==\nc2hhcmUgMg==";
    let given: { readonly shares: readonly string[]; readonly back: readonly string[] } | undefined;
    function rekeyTo(result: Rekeying): void {
      jest.mocked(rekey).mockImplementation(async (_, shares, { onShares, giveBack }) => {
        onShares(made);
        for (const share of made.keyShares) expect(written()).toContain(share);
        given = { shares, back: await giveBack(made, result.threshold) };
        return result;
      });
    }

    test("prints the new shares before they count, and gives them back where nobody types", async () => {
      rekeyTo({ threshold: 2 });
      const ran = await run(["vault:rekey", "--shares", "3", "--threshold", "2"], former);
      expect(ran).toMatchObject({ code: 0, stderr: "looking at Vault" });
      expect(ran.stdout).toMatchSnapshot();
      expect(given).toEqual({ shares: former.split("\n"), back: made.keyShares.slice(0, 2) });
      expect(rekey).toHaveBeenCalledWith(
        environment,
        former.split("\n"),
        expect.objectContaining({ shares: 3, threshold: 2, pgpKeys: undefined }),
      );
    });

    test("prints them for machines, a document a line", async () => {
      rekeyTo({ threshold: 2 });
      const { stdout } = await run(["vault:rekey", "--json"], former);
      expect(
        stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([made, { threshold: 2 }]);
    });

    test("ends with 1 where its root token lives on", async () => {
      rekeyTo({ threshold: 2, rootTokenLeft: "Vault answered with 500" });
      const { code: ended, stdout } = await run(["vault:rekey"], former);
      expect(ended).toBe(1);
      expect(stdout).toContain("The root token that was made for this is NOT revoked: Vault answered with 500");
    });

    test("refuses PGP keys where nobody can type, before it asks for shares", async () => {
      const file = join(folder, "key.pgp");
      writeFileSync(file, "key");
      await expect(run(["vault:rekey", "--pgp-key", file], former)).rejects.toThrow("run it on a terminal");
      expect(rekey).not.toHaveBeenCalled();
    });
  });

  describe("vault:unseal", () => {
    /** Has Vault take all shares that it is given. @returns those */
    function takeShares(result: Unsealing): (string | undefined)[] {
      const taken: (string | undefined)[] = [];
      jest.mocked(unseal).mockImplementation(async (_, nextShare) => {
        do taken.push(await nextShare(result.sealed));
        while (taken.at(-1) !== undefined);
        return result;
      });
      return taken;
    }

    test("reads a share a line, whatever the space around them, and names the servers", async () => {
      const taken = takeShares({ servers: ["store-0", "store-1"], sealed: [] });
      const ran = await run(["vault:unseal"], " c2hhcmUgMQ==\r\n\n\tc2hhcmUgMg==  \n");
      expect(taken).toEqual(["c2hhcmUgMQ==", "c2hhcmUgMg==", undefined]);
      expect(ran).toEqual({ code: 0, stdout: "✔ unsealed, and serving: store-0, store-1", stderr: "looking at Vault" });
    });

    test("prints the servers for machines", async () => {
      takeShares({ servers: ["store-0"], sealed: [] });
      const { stdout, stderr } = await run(["vault:unseal", "--json"], "c2hhcmUgMQ==");
      expect(JSON.parse(stdout)).toEqual({ servers: ["store-0"], sealed: [] });
      expect(stderr).toBe("");
    });

    test("says how many shares are lacking, and who goes on how, which ends with 3", async () => {
      takeShares({
        servers: [],
        sealed: [
          { pod: "store-0", given: 2, needed: 3 },
          { pod: "store-1", given: 0, needed: 0 },
        ],
      });
      expect(await run(["vault:unseal"], "c2hhcmUgMQ==")).toEqual({
        code: 3,
        stdout:
          "store-0 has 2 of 3 key shares\nstore-1 has not joined the others yet\n" +
          "Vault keeps them until it restarts. The next holder goes on with:\n  npm run vault:unseal -- --env test",
        stderr: "looking at Vault",
      });
    });

    test("names a server that did not run, and what to do, which ends with 3", async () => {
      takeShares({ servers: ["store-0", "store-1"], sealed: [], missing: ["store-2"] });
      const { code, stdout } = await run(["vault:unseal"], "c2hhcmUgMQ==");
      expect(code).toBe(3);
      expect(stdout).toMatch(
        /store-0, store-1\nstore-2 did not run, and was left out. Look why: kubectl .* describe pod store-2\nUnseal what runs again: npm run vault:unseal -- --env test$/,
      );
    });

    // There is a space: readValue() takes it for a value, and no share is left of it.
    test("refuses lines without a share", async () => {
      await expect(run(["vault:unseal"], "  \n\n  \n")).rejects.toThrow("no key share was given");
    });
  });

  describe("vault:grant", () => {
    test("prints the stack's token, and how to go on", async () => {
      grantTo({ rootTokenRevoked: true });
      const { code: ended, stdout } = await run(["vault:grant"], "hvs.root\n");
      expect(grant).toHaveBeenCalledWith(environment, "hvs.root", expect.anything());
      expect(stdout).toMatchSnapshot();
      expect(stdout).not.toContain("hvs.root");
      expect(ended).toBe(0);
    });

    test("prints it for machines", async () => {
      grantTo({ rootTokenRevoked: true });
      const { stdout } = await run(["vault:grant", "--json"], "hvs.root");
      expect(stdout).toBe(
        '{"operator":{"method":"token","token":"hvs.writer"}}\n{"stackToken":"hvs.stack"}\n{"rootTokenRevoked":true}\n',
      );
    });

    test("takes key shares in the root token's place", async () => {
      grantTo({ rootTokenRevoked: true });
      const { code: ended, stdout } = await run(
        ["vault:grant", "--shares", "--no-tokens"],
        "c2hhcmUgMQ==\nc2hhcmUgMg==\n",
      );
      expect(grantByShares).toHaveBeenCalledWith(
        environment,
        ["c2hhcmUgMQ==", "c2hhcmUgMg=="],
        expect.objectContaining({ tokens: false }),
      );
      expect(stdout).toMatchSnapshot();
      expect(ended).toBe(0);
    });

    test("leaves an administrator's own token alone, and says so", async () => {
      grantTo({ administratorTokenKept: true });
      const { code: ended, stdout } = await run(["vault:grant"], "hvs.admin\n");
      expect(stdout).toContain("Your own token is left as it is.");
      expect(ended).toBe(0);
    });

    test.each([
      [
        { method: "userpass", users: ["alice"] },
        "login -no-store -field=token -method=userpass -path=aidbox-operators username=NAME",
      ],
      [{ method: "approle" }, "write -field=token auth/aidbox-operators/login role_id=ROLE_ID secret_id=-"],
    ])("names the command by which operators of %j log in", (operators, command) => {
      const own = checkVaultEnvironment("test", { ...config, vault: { ...config.vault, operators } });
      expect(loginCommand(own)).toBe(`npm run vault -- --env test -- ${command}`);
    });

    test("does not say that the root token is revoked where it lives on, and ends with 1", async () => {
      grantTo({ rootTokenRevoked: false, reason: "Vault answered with 500" });
      const { code: ended, stdout } = await run(["vault:grant"], "hvs.root\n");
      expect(stdout).toMatchSnapshot();
      expect(stdout).toContain("hvs.stack");
      expect(ended).toBe(1);
    });
  });
});
