import type { Verification } from "../../infra/operate/verify";
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
  waitUntil,
} from "./harness";

interface Entry {
  readonly type: "request" | "response";
  readonly auth?: { readonly display_name?: string; readonly policies?: readonly string[] };
  readonly request: { readonly operation: string; readonly path: string };
}

const storage = { size: "1Gi", retain: false };

/** Commands on one environment, with the stack's token once there is one. */
class Audited {
  public options: string[] = [];
  public env: NodeJS.ProcessEnv = {};
  public made!: Initialisation;

  private constructor(public readonly stack: TestStack) {}

  public static async create(): Promise<Audited> {
    return new Audited(await TestStack.create("dev"));
  }

  public async configure(audit: object): Promise<void> {
    const vault = { mode: "standalone", storage, audit };
    this.options = await overrides({ secrets: [clientSecret], vault });
  }

  public command(name: string, args: string[] = [], input = ""): Promise<Ran> {
    return this.stack.commandAs({ env: this.env, input }, name, ...args, ...this.options);
  }

  public async initialise(): Promise<void> {
    expectExit(await this.command("up", ["--yes"]), 3);
    const init = await this.command("vault:init", ["--json", "--shares", "1", "--threshold", "1"]);
    expectSuccess(init);
    this.made = documents(init) as Initialisation;
    expect(this.made).toMatchObject({ rootTokenRevoked: true });
    this.env = { VAULT_TOKEN: this.made.stackToken };
    expectSuccess(await this.command("up", ["--yes"]));
  }

  /** What `verify` says of the audit devices. */
  public async audit(): Promise<object> {
    const verified = await this.command("verify", ["--json"]);
    return (JSON.parse(verified.stdout) as Verification).links.find(({ name }) => name === "audit")!;
  }

  public async stop(): Promise<void> {
    await this.command("destroy", ["--yes"]);
    await this.stack.dispose();
  }
}

function onServer(script: string): Promise<string> {
  return kubectl("-n", "vault", "exec", "vault-0", "-c", "vault", "--", "sh", "-c", script);
}

async function entriesIn(file: string): Promise<Entry[]> {
  const lines = (await onServer(`cat ${file}`)).split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Entry);
}

const claims = (): Promise<string> =>
  kubectl("-n", "vault", "get", "pvc", "-o", "jsonpath={.items[*].metadata.name}").then((names) =>
    names.split(" ").sort().join(" "),
  );

describe("a Vault that the first up makes", () => {
  const step = story();
  const file = "/vault/audit/audit.log";
  const value = "a-value-that-nobody-may-see-0123";
  let audited: Audited;

  beforeAll(async () => {
    audited = await Audited.create();
    await audited.configure({});
    await audited.initialise();
  });
  afterAll(() => audited.stop());

  step(
    "has two audit devices, the file on a volume of its own, and verify sees them by the stack's token",
    async () => {
      expect(await claims()).toBe("audit-vault-0 data-vault-0");
      expect(await audited.audit()).toMatchObject({ state: "ok", seen: `written to stdout and ${file}` });
      expectUnchanged(await audited.command("up", ["--yes"]));
    },
  );

  step("up refuses an earlier version of Vault than the one that runs, before it touches anything", async () => {
    const { options } = audited;
    audited.options = [...options, "--config", "vault.image=hashicorp/vault:1.20.0"];
    const earlier = await audited.command("up", ["--yes"]);
    audited.options = options;
    expectExit(earlier, 2);
    expect(earlier.stdout + earlier.stderr).toContain('vault.image: "1.20.0" is earlier than Vault 1.');
  });

  step("what the root token did is in it, from its first request on", async () => {
    const requests = (await entriesIn(file)).filter(({ type }) => type === "request");
    const byRoot = requests.filter(({ auth }) => auth?.policies?.includes("root"));
    const done = byRoot.map(({ request }) => `${request.operation} ${request.path}`);
    for (const each of [
      "read auth/token/lookup-self",
      "update sys/policies/acl/aidbox-stack",
      "update auth/token/create-orphan",
      "update auth/token/revoke-self",
    ]) {
      expect(done).toContain(each);
    }
  });

  step("each login, read and write of a run is in both, and no value in plain", async () => {
    expectSuccess(await audited.command("rotate", ["client-secret", "--stdin"], value));
    expect(await readSecretFile()).toBe(value);
    const done = (await entriesIn(file)).map(
      ({ type, request, auth }) => `${type} ${request.operation} ${request.path} ${auth?.display_name ?? ""}`,
    );
    const pod = "kubernetes-aidbox-aidbox";
    for (const each of ["request", "response"]) {
      expect(done.filter((line) => line.startsWith(`${each} update auth/kubernetes/login`))).not.toEqual([]);
      expect(done).toContain(`${each} read secret/data/aidbox/client ${pod}`);
      expect(done.filter((line) => line.startsWith(`${each} patch secret/data/aidbox/client`))).not.toEqual([]);
    }
    const written = await onServer(`cat ${file}`);
    const collected = await kubectl("-n", "vault", "logs", "vault-0", "-c", "vault");
    expect(collected).toContain('"path":"secret/data/aidbox/client"');
    const login = await kubectl("-n", "aidbox", "create", "token", "aidbox", "--audience", "vault");
    for (const text of [written, collected]) {
      expect(text).not.toContain(value);
      expect(text).not.toContain(audited.made.stackToken);
      expect(text).not.toContain(audited.made.rootToken);
      // Each JWT of the cluster begins so.
      expect(text).not.toContain(login.split(".")[0]!);
    }
  });

  step("the stack's token cannot change the devices", async () => {
    for (const command of ["audit disable file", "audit enable -path=more file file_path=stdout"]) {
      const refused = onServer(`VAULT_TOKEN=${audited.made.stackToken} vault ${command} 2>&1 || true`);
      expect(await refused).toContain("permission denied");
    }
  });

  step("a device that cannot write is named by verify, and the other one is enough", async () => {
    const reload = "kill -HUP $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)";
    await onServer(`mv ${file} ${file}.away && mkdir ${file} && ${reload}`);
    await waitUntil(async () => "cause" in (await audited.audit()), 30);
    expect(await audited.audit()).toMatchObject({
      state: "broken",
      cause: `vault-0 cannot write to the audit device file, ${file}: is a directory`,
    });
    expectSuccess(await audited.command("rotate", ["client-secret", "--generate", "32"]));
    await onServer(`rmdir ${file}`);
    await waitUntil(async () => "seen" in (await audited.audit()), 60);
    expect(await entriesIn(file)).not.toEqual([]);
  });

  step("destroy leaves no volume", async () => {
    expectSuccess(await audited.command("destroy", ["--yes"]));
    expect(await kubectl("get", "pvc", "-A", "-o", "name")).toBe("");
  });
});

describe("a Vault that was made without an audit log", () => {
  const step = story();
  const file = "/vault/data/audit.log";
  let audited: Audited;
  let before: string;

  beforeAll(async () => {
    audited = await Audited.create();
    await audited.configure({ enabled: false });
    await audited.initialise();
    before = await kubectl("-n", "vault", "get", "statefulset", "vault", "-o", "jsonpath={.metadata.uid}");
    await audited.configure({ rotateAt: "1Mi", keep: 2 });
  });
  afterAll(() => audited.stop());

  step("up brings it no volume, and makes nothing anew; verify says what is missing", async () => {
    expectSuccess(await audited.command("up", ["--yes"]));
    const uid = await kubectl("-n", "vault", "get", "statefulset", "vault", "-o", "jsonpath={.metadata.uid}");
    expect(uid).toBe(before);
    expect(await claims()).toBe("data-vault-0");
    expect(await audited.audit()).toMatchObject({ state: "not checked", behind: ["vault"] });
  });

  step("vault:grant enables standard output alone while nothing rotates the file, and says so", async () => {
    const granted = await audited.command(
      "vault:grant",
      ["--shares", "--no-tokens"],
      audited.made.keyShares.join("\n"),
    );
    expectSuccess(granted);
    expect(granted.stderr).toContain(
      "the audit device file is not enabled: vault-0 rotate no file yet: npm run vault:roll",
    );
  });

  step("vault:roll and vault:grant bring the file, on the servers' storage", async () => {
    const shares = audited.made.keyShares.join("\n");
    expectSuccess(await audited.command("vault:roll", [], shares));
    expect(await audited.audit()).toMatchObject({
      state: "broken",
      cause: `Vault has no audit device that writes to ${file}`,
      fix: "npm run vault:grant -- --shares --no-tokens",
    });
    expectSuccess(await audited.command("vault:grant", ["--shares", "--no-tokens"], shares));
    expect(await audited.audit()).toMatchObject({ state: "ok" });
    expectUnchanged(await audited.command("up", ["--yes"]));
  });

  step("the file is rotated, and no more of them stay than are wanted", async () => {
    const long = "secret/data/$(head -c 6000 /dev/zero | tr '\\0' x)";
    const closed = async (): Promise<string[]> =>
      (await onServer(`ls ${file}.2* 2>/dev/null || true`)).split("\n").filter(Boolean);
    const seen = new Set<string>();
    for (let round = 0; round < 12 && seen.size < 3; round++) {
      await onServer(`for i in $(seq 40); do vault read ${long} >/dev/null 2>&1; done; true`);
      await waitUntil(async () => !(await onServer("ls /vault/data")).includes("closing"), 30);
      for (const each of await closed()) seen.add(each);
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
    expect(await closed()).toHaveLength(2);
    await onServer("vault read secret/data/after-the-rotation >/dev/null 2>&1; true");
    await waitUntil(async () => (await onServer(`cat ${file}`)).includes("after-the-rotation"), 30);
    expect(await audited.audit()).toMatchObject({ state: "ok" });
  });
});
