import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Rotation } from "../../infra/operate/follow-change";
import type { Status } from "../../infra/operate/status";
import type { Verification } from "../../infra/operate/verify";
import {
  aidboxPodNames,
  aidboxPods,
  authKeys,
  clientSecret,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  ownProgram,
  readVariable,
  root,
  run,
  story,
  succeed,
  TestStack,
  vaultCommand,
  waitForVariable,
  waitUntil,
} from "./harness";

const secrets = [
  clientSecret,
  authKeys,
  { name: "neighbour", path: "aidbox/client", source: "seeded" },
  { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
];
const file = "/run/vault-secrets/client-secret";
const rounds = Number(process.env.ROTATION_ROUNDS ?? 10);
const boundSeconds = 30;

describe("rotations with three replicas", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let operator: Operator | undefined;

  const store = (key = "client-secret", path = "aidbox/client"): Promise<string> =>
    vaultCommand(["kv", "get", "-mount=secret", `-field=${key}`, path]);
  const version = async (): Promise<number> => {
    const { data } = JSON.parse(
      await vaultCommand(["kv", "metadata", "get", "-format=json", "-mount=secret", "aidbox/client"]),
    ) as { data: { current_version: number } };
    return data.current_version;
  };
  const served = async (): Promise<string[]> =>
    Promise.all((await aidboxPodNames()).map((pod) => kubectl("-n", "aidbox", "exec", pod, "--", "cat", file)));
  const rotate = async (...args: string[]): Promise<Rotation> => {
    const ran = await stack.command("rotate", "client-secret", "--json", ...args, ...options);
    expectSuccess(ran);
    return JSON.parse(ran.stdout) as Rotation;
  };

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await overrides({ secrets, "aidbox.replicas": 3 });
    expectSuccess(await stack.command("up", "--yes", ...options));
  });
  afterAll(async () => {
    await operator?.dispose();
    await stack.dispose();
  });

  step(
    `${rounds} rotations are in all pods within 5 s, without a restart, and no pod is ever without the file`,
    async () => {
      const podsBefore = await aidboxPods();
      const neighbour = await store("neighbour");
      const watchers = await FileWatch.start(await aidboxPodNames());
      const seconds: number[] = [];
      for (let round = 1; round <= rounds; round++) {
        const { pods, version: written } = await rotate("--generate", "32");
        expect(pods).toHaveLength(3);
        expect(written).toBe(await version());
        seconds.push(Math.max(...pods.map((pod) => pod.seconds)));
      }
      const current = await store();
      expect(await served()).toEqual([current, current, current]);
      expect(await store("neighbour")).toBe(neighbour);
      console.info(`rotations took ${seconds.map((each) => each.toFixed(1)).join(", ")} s`);
      expect(Math.max(...seconds)).toBeLessThan(5);
      expect(await aidboxPods()).toBe(podsBefore);
      for (const { looks, missing } of await watchers.stop()) {
        expect(missing).toBe(0);
        expect(looks).toBeGreaterThan(100 * rounds); // a watch that looks seldom could miss a gap
      }
    },
  );

  step(`${rounds} changes by somebody else are in all pods within the bound and 5 s`, async () => {
    const podsBefore = await aidboxPods();
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const value = randomBytes(12).toString("hex");
      await vaultCommand(["kv", "put", "secret/aidbox/client", `client-secret=${value}`, "neighbour=by-hand"]);
      seconds.push(await waitUntil(async () => (await served()).every((each) => each === value), boundSeconds + 5));
    }
    console.info(`changes by hand took ${seconds.map((each) => each.toFixed(0)).join(", ")} s`);
    expect(await aidboxPods()).toBe(podsBefore);
    expect((await stack.outputs()).rotationBound).toBe("30s");
  });

  step("a value from standard input or a file descriptor, and back to an earlier version", async () => {
    const before = { value: await store(), version: await version() };
    const piped = await stack.commandAs({ input: "from-stdin\n" }, "rotate", "client-secret", "--stdin", ...options);
    expectSuccess(piped);
    expect(piped.stdout + piped.stderr).not.toContain("from-stdin");
    expect(await served()).toEqual(["from-stdin", "from-stdin", "from-stdin"]);
    const program = ownProgram().join(" ");
    const line = `echo from-fd | node ${program} rotate client-secret --fd 3 "$@" 3<&0 </dev/null`;
    expectSuccess(await run("sh", ["-c", line, "sh", ...options], { env: stack.env }));
    expect(await store()).toBe("from-fd");
    const { previousVersion } = await rotate("--rollback", String(before.version));
    expect(previousVersion).toBe(before.version + 2);
    expect(await store()).toBe(before.value);
    expect(new Set(await served())).toEqual(new Set([before.value]));
  });

  step(
    "of two rotations that read the same version, one wins, one fails cleanly, and the winner's is served",
    async () => {
      const before = await version();
      const [first, second] = [new SlowRotation(stack, options), new SlowRotation(stack, options)];
      await Promise.all([first.hasReadVersion(before), second.hasReadVersion(before)]);
      const results = await Promise.all([first.finish("the first's value"), second.finish("the second's value")]);
      expect(results.map(({ code }) => code).sort()).toEqual([0, 1]);
      const winner = results[0].code === 0 ? "the first's value" : "the second's value";
      const loser = results[0].code === 0 ? results[1] : results[0];
      expect(loser.stderr).toContain(`aidbox/client is no longer at version ${before}: somebody else wrote it`);
      expect(await version()).toBe(before + 1);
      expect(await served()).toEqual([winner, winner, winner]);
    },
  );

  step(
    "a synced secret is followed, what takes it is named and rolled by itself, and waited for where asked",
    async () => {
      const args = ["admin-password", "--generate", "24", ...options];
      const named = await stack.command("rotate", ...args);
      expectSuccess(named);
      expect(named.stdout).toMatch(/Secret aidbox-environment has it after [\d.]+ s/);
      expect(named.stdout).toContain("Deployment aidbox took it as environment, and is rolled by itself within 30 s");
      const encoded = ["get", "secret", "aidbox-environment", "-o", "jsonpath={.data.BOX_ADMIN_PASSWORD}"];
      const synced = async (): Promise<string> =>
        Buffer.from(await kubectl("-n", "aidbox", ...encoded), "base64").toString();
      const password = await store("admin-password", "aidbox/admin");
      expect(await synced()).toBe(password);

      await waitForVariable("BOX_ADMIN_PASSWORD", password, 90);
      const rolled = await stack.command("rotate", "--restart", "--json", ...args);
      expectSuccess(rolled);
      expect((JSON.parse(rolled.stdout) as Rotation).synced).toMatchObject({
        restarted: true,
        consumers: [{ kind: "Deployment", name: "aidbox", rollsByItself: true }],
      });
      const restarted = await store("admin-password", "aidbox/admin");
      expect(await readVariable("BOX_ADMIN_PASSWORD")).toBe(restarted);
      expectUnchanged(await stack.command("up", "--yes", "--refresh", ...options));
    },
  );

  step("status shows a stale pod, and that a pick-up is near", async () => {
    await kubectl("-n", "aidbox", "scale", "deployment", "aidbox-republisher", "--replicas", "0");
    await kubectl("-n", "aidbox", "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=aidbox-republisher");
    const before = await version();
    await vaultCommand(["kv", "patch", "-mount=secret", "aidbox/client", "client-secret=newer"]);
    const ran = await stack.command("status", "--json", ...options);
    expect(ran.code).toBe(5);
    const status = JSON.parse(ran.stdout) as Status;
    const row = status.secrets.find(({ secret }) => secret === "client-secret")!;
    expect(row.version).toBe(before + 1);
    expect(row.pods.map((pod) => pod.version)).toEqual([before, before, before]);
    expect(status.warnings).toContain(
      `client-secret: pod ${row.pods[0]!.pod} has version ${before}, Vault has ${before + 1}`,
    );
    await rotate("--generate", "32");
    const shown = await stack.command("status", ...options);
    expectSuccess(shown);
    expect(shown.stdout).not.toContain("stale");
    expectSuccess(await stack.command("up", "--yes", "--refresh", ...options));
  });

  step("bad input is refused with a clear error, and nothing is changed", async () => {
    const before = await version();
    const managed = secrets.map((each) => (each.path === "aidbox/client" ? { ...each, source: "managed" } : each));
    const withManaged = [...options, "--config", `secrets=${JSON.stringify(managed)}`];
    const nowhere = kubeconfigFor("https://127.0.0.1:1", "nobody");
    const cases: readonly [args: string[], env: NodeJS.ProcessEnv, input: string, code: number, message: RegExp][] = [
      [
        ["no-such", "--generate", "32", ...options],
        {},
        "",
        2,
        /environment "dev" has no secret "no-such": it has client-secret, /,
      ],
      [["client-secret", "--stdin", ...options], {}, "\n", 2, /the new value is empty/],
      [["client-secret", "--stdin", ...options], {}, "x".repeat(600_000), 2, /larger than 512 KiB/],
      [["client-secret", ...options], {}, "", 2, /say where the new value comes from/],
      [["client-secret", "--generate", "3", ...options], {}, "", 2, /cannot have length 3: write 12 to /],
      [["client-secret", "--rollback", "9999", ...options], {}, "", 2, /version 9999 of client-secret holds no value/],
      [["client-secret", "--generate", "32", ...withManaged], {}, "", 2, /is managed: Pulumi writes its value/],
      [
        ["client-secret", "--generate", "32", ...options],
        { KUBECONFIG: nowhere },
        "",
        4,
        /does not answer: .*ECONNREFUSED/,
      ],
      [["client-secret", "--generate", "32", ...options], { VAULT_TOKEN: "wrong" }, "", 4, /Vault refuses /],
    ];
    for (const [args, env, input, code, message] of cases) {
      const ran = await stack.commandAs({ env, input }, "rotate", ...args);
      expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code, stdout: "" });
      expect(ran.stderr).toMatch(message);
      expect(ran.stderr).not.toMatch(/^\s+at /m);
    }
    expect(await version()).toBe(before);
    rmSync(nowhere, { recursive: true });
  });

  step("the documented rights are enough, and one that is lacking is named", async () => {
    operator = await Operator.create(stack, options);
    const verified = await stack.commandAs({ env: operator.env }, "verify", "--json", ...options);
    expect({ code: verified.code, said: verified.code === 0 ? "" : verified.stdout }).toEqual({ code: 0, said: "" });
    for (const command of [
      ["status"],
      ["rotate", "client-secret", "--generate", "32"],
      ["rotate", "admin-password", "--generate", "32", "--restart"],
    ]) {
      const ran = await stack.commandAs({ env: operator.env }, command[0]!, ...command.slice(1), ...options);
      expect({ command, code: ran.code, said: ran.code === 0 ? "" : ran.stderr }).toEqual({
        command,
        code: 0,
        said: "",
      });
    }
    expect(await vaultCommand(["token", "capabilities", operator.env.VAULT_TOKEN, "secret/data/aidbox/client"])).toBe(
      "patch\n",
    );

    await kubectl("delete", "clusterrolebinding", "aidbox.aidbox-secrets-rotator");
    const lacking = await stack.commandAs({ env: operator.env }, "verify", "--json", ...options);
    expect(lacking.code).toBe(6);
    const { links } = JSON.parse(lacking.stdout) as Verification;
    expect(links.filter(({ state }) => state !== "ok")).toEqual([
      expect.objectContaining({
        name: "driver",
        state: "not permitted",
        right: expect.stringMatching(/nodes.*; .*csidrivers.*; .*csinodes/) as string,
      }),
      expect.objectContaining({
        name: "provider",
        state: "not permitted",
        right: expect.stringMatching(/nodes/) as string,
      }),
    ]);
    await kubectl("-n", "aidbox", "delete", "rolebinding", "aidbox-secrets-rotator");
    const before = await version();
    const refused = await stack.commandAs(
      { env: operator.env },
      "rotate",
      "client-secret",
      "--generate",
      "32",
      ...options,
    );
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('"patch" on pods/status in namespace aidbox');
    expect(await version()).toBe(before);
  });

  step("the republisher may change its annotation, and is refused anything else", async () => {
    const token = await kubectl("-n", "aidbox", "create", "token", "aidbox-republisher");
    const pod = (await aidboxPodNames())[0]!.replace("pod/", "");
    const server = (parse(await kubectl("config", "view", "--raw", "--minify")) as KubeconfigFile).clusters[0]!.cluster
      .server;
    const patch = async (path: string, body: object): Promise<string> => {
      const url = `${server}/api/v1/namespaces/aidbox/pods/${pod}${path}`;
      const header = [
        "-H",
        `Authorization: Bearer ${token.trim()}`,
        "-H",
        "Content-Type: application/merge-patch+json",
      ];
      return succeed("curl", [
        "-sk",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-X",
        "PATCH",
        ...header,
        "-d",
        JSON.stringify(body),
        url,
      ]);
    };
    const now = new Date().toISOString();
    expect(await patch("/status", { metadata: { annotations: { "aidbox-secrets/republish": now } } })).toBe("200");
    const refused: readonly [path: string, body: object, code: string][] = [
      ["/status", { metadata: { annotations: { other: "x" } } }, "422"],
      ["/status", { metadata: { annotations: { "kubectl.kubernetes.io/default-container": null } } }, "422"],
      ["/status", { metadata: { labels: { other: "x" } } }, "422"],
      ["/status", { status: { message: "x" } }, "422"],
      ["", { metadata: { annotations: { "aidbox-secrets/republish": now } } }, "403"],
    ];
    for (const [path, body, code] of refused) expect({ body, code: await patch(path, body) }).toEqual({ body, code });
  });
});

interface KubeconfigFile {
  readonly clusters: readonly { readonly cluster: Record<string, string> }[];
}

/** Looks at the file in each pod, again and again, every few milliseconds. */
class FileWatch {
  private constructor(private readonly running: readonly { pod: string; ran: ReturnType<typeof run> }[]) {}

  public static async start(pods: readonly string[]): Promise<FileWatch> {
    const script = `n=0; m=0; while [ ! -e /tmp/stop ]; do n=$((n+1)); [ -s ${file} ] || m=$((m+1)); usleep 2000; done; echo $n $m`;
    const exec = (pod: string, command: string) => ["-n", "aidbox", "exec", pod, "--", "sh", "-c", command];
    await Promise.all(pods.map((pod) => kubectl(...exec(pod, "rm -f /tmp/stop"))));
    return new FileWatch(pods.map((pod) => ({ pod, ran: run("kubectl", exec(pod, script)) })));
  }

  public async stop(): Promise<{ looks: number; missing: number }[]> {
    return Promise.all(
      this.running.map(async ({ pod, ran }) => {
        await kubectl("-n", "aidbox", "exec", pod, "--", "touch", "/tmp/stop");
        const { stdout, stderr } = await ran;
        const [looks, missing] = stdout.trim().split(" ").map(Number);
        if (looks === undefined || missing === undefined) throw new Error(`the watch of ${pod} broke: ${stderr}`);
        return { looks, missing };
      }),
    );
  }
}

/** A rotation whose value comes late: its standard input stays open. */
class SlowRotation {
  private readonly child;
  private stderr = "";

  public constructor(stack: TestStack, options: readonly string[]) {
    const args = [...ownProgram(), "rotate", "client-secret", "--stdin", ...options];
    this.child = spawn("node", args, {
      cwd: root,
      env: { ...process.env, ...stack.env },
      stdio: ["pipe", "ignore", "pipe"],
    });
    this.child.stderr.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  public async hasReadVersion(version: number): Promise<void> {
    await waitUntil(() => Promise.resolve(this.stderr.includes(`client-secret is at version ${version}`)), 30);
  }

  public async finish(value: string): Promise<{ code: number | null; stderr: string }> {
    const closed = new Promise<number | null>((done) => this.child.on("close", done));
    this.child.stdin.end(value);
    return { code: await closed, stderr: this.stderr };
  }
}

/** Somebody with just the rights that the project documents, in the cluster and in Vault. */
class Operator {
  private constructor(
    private readonly folder: string,
    private readonly objects: string,
    public readonly env: { KUBECONFIG: string; VAULT_TOKEN: string },
  ) {}

  public static async create(stack: TestStack, options: readonly string[]): Promise<Operator> {
    const group = "system:serviceaccounts:operators";
    const objects = (await stack.command("rights", "--group", group, ...options)).stdout;
    const policy = (await stack.command("rights", "--for", "store", ...options)).stdout;
    await kubectl("create", "namespace", "operators");
    await kubectl("-n", "operators", "create", "serviceaccount", "operator");
    await succeed("kubectl", ["apply", "-f", "-"], { input: objects });
    const write = ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", "policy", "write", "operator", "-"];
    await succeed("kubectl", write, { input: policy });
    const token = (await kubectl("-n", "operators", "create", "token", "operator")).trim();
    const folder = kubeconfigFor(undefined, "operator", token, await kubectl("config", "view", "--raw", "--minify"));
    const vaultToken = await vaultCommand(["token", "create", "-policy=operator", "-ttl=1h", "-field=token"]);
    return new Operator(folder, objects, { KUBECONFIG: folder, VAULT_TOKEN: vaultToken });
  }

  public async dispose(): Promise<void> {
    await run("kubectl", ["delete", "--ignore-not-found", "-f", "-"], { input: this.objects });
    await kubectl("delete", "namespace", "operators");
    rmSync(this.folder);
  }
}

/** Writes a kubeconfig for the test's context. */
function kubeconfigFor(server: string | undefined, user: string, token?: string, from?: string): string {
  const own = parse(from ?? readFileSync(process.env.KUBECONFIG ?? "", "utf8")) as Record<string, unknown> &
    KubeconfigFile;
  const context = (own["current-context"] as string | undefined) ?? "";
  const cluster = { ...own.clusters[0]!.cluster, ...(server === undefined ? {} : { server }) };
  const path = join(mkdtempSync(join(tmpdir(), "kubeconfig-")), "config");
  writeFileSync(
    path,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      clusters: [{ name: "cluster", cluster }],
      users: [{ name: user, user: token === undefined ? {} : { token } }],
      contexts: [{ name: context, context: { cluster: "cluster", user } }],
    }),
  );
  return path;
}
