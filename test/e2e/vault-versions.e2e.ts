import type { Status } from "../../infra/operate/status";
import type { ServerRoll } from "../../infra/operate/stores/vault/roll";
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
  run,
  story,
  TestStack,
  vaultPods,
  waitUntil,
} from "./harness";

/** Two images of Vault that the cluster has, the earlier first; their tags are the versions. */
const [earlier, later] = (process.env.VAULT_IMAGES ?? "").split(" ").filter(Boolean);
const versionOf = (image: string): string => image.slice(image.lastIndexOf(":") + 1);

const pods = ["vault-0", "vault-1", "vault-2"];
const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

function storyOfTwoVersions(from: string, to: string): void {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let shares: readonly string[];
  let env: NodeJS.ProcessEnv = {};
  let operator: NodeJS.ProcessEnv = {};
  /** The secret's value at the snapshot. */
  let ofSnapshot: string;

  const command = (name: string, args: string[] = [], input = ""): Promise<Ran> =>
    stack.commandAs({ env, input }, name, ...args, ...options);
  const asOperator = (name: string, args: string[], input = ""): Promise<Ran> =>
    stack.commandAs({ env: operator, input }, name, ...args, ...options);
  const withImage = (image: string): Promise<string[]> =>
    overrides({
      secrets: [clientSecret],
      vault: {
        mode: "ha",
        replicas: 3,
        antiAffinity: "none",
        image,
        storage: { size: "1Gi", retain: false },
        snapshots: { schedule: "0 0 1 1 *", keep: 2, storage: { size: "1Gi" } },
      },
    });
  /** Vault's command line on this machine, by the Service's address. */
  const vault = async (args: readonly string[], input = ""): Promise<Ran> => {
    const ip = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
    const ca = `${stack.folder}/vault-ca.pem`;
    await run("sh", ["-c", `kubectl -n vault get configmap vault-ca -o 'jsonpath={.data.ca\\.crt}' > ${ca}`]);
    const reach = { VAULT_ADDR: `https://${ip}:8200`, VAULT_TLS_SERVER_NAME: "vault", VAULT_CACERT: ca };
    return run("vault", args, { env: { ...env, ...reach }, input });
  };
  /** The version that each server says it is. */
  const versions = (): Promise<string[]> =>
    Promise.all(
      pods.map(async (pod) => {
        const status = ["-n", "vault", "exec", pod, "-c", "vault", "--", "vault", "status", "-format=json"];
        return (JSON.parse((await run("kubectl", status)).stdout) as { version: string }).version;
      }),
    );
  /** The keys of the secret's current version, read as the pods read it. */
  const keysInVault = async (): Promise<string[]> => {
    const jwt = await kubectl("-n", "aidbox", "create", "token", "aidbox", "--audience", "vault");
    const login = await vault(["write", "-field=token", "auth/kubernetes/login", "role=aidbox", "jwt=-"], jwt.trim());
    expectSuccess(login);
    const former = env;
    env = { VAULT_TOKEN: login.stdout };
    const got = await vault(["kv", "get", "-mount=secret", "-format=json", "aidbox/client"]);
    env = former;
    expectSuccess(got);
    return Object.keys((JSON.parse(got.stdout) as { data: { data: object } }).data.data);
  };
  const waitForVerify = (): Promise<number> => waitUntil(async () => (await command("verify")).code === 0, 120);

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await withImage(from);
    expectExit(await command("up", ["--yes"]), 3);
    const init = await command("vault:init", ["--json", "--shares", "3", "--threshold", "2"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation & { operator: { token: string } };
    operator = { VAULT_TOKEN: made.operator.token };
    shares = made.keyShares.slice(0, 2);
    env = { VAULT_TOKEN: made.stackToken };
    expectSuccess(await command("up", ["--yes"]));
  });
  afterAll(async () => {
    await command("destroy", ["--yes"]);
    await stack.dispose();
  });

  step("a snapshot is taken of the earlier version, which all servers run", async () => {
    expect(await versions()).toEqual(pods.map(() => versionOf(from)));
    ofSnapshot = await readSecretFile();
    await kubectl("-n", "vault", "create", "job", "before", "--from=cronjob/vault-snapshots");
    await kubectl("-n", "vault", "wait", "--for=condition=Complete", "job/before", "--timeout=120s");
  });

  step("up with the later image leaves the servers, and says what they run; status does too", async () => {
    const before = await vaultPods();
    options = await withImage(to);
    const up = await command("up", ["--yes"]);
    expectSuccess(up);
    const said = `${pods.join(", ")} of 3 servers of Vault run what an earlier up wrote (${from}, and not ${to}): npm run vault:roll`;
    expect(up.stderr).toContain(said);
    const status = await asOperator("status", ["--json"]);
    expectSuccess(status);
    expect((JSON.parse(status.stdout) as Status).warnings).toEqual([said]);
    expect(await vaultPods()).toBe(before);
    expect(await versions()).toEqual(pods.map(() => versionOf(from)));
  });

  step(
    "vault:roll brings the later version, standbys first, while a secret changes each second: no read fails, no write is lost",
    async () => {
      const leader = await kubectl("-n", "vault", "get", "pods", "-l", "vault-active=true", "-o", "name");
      let rolling = true;
      const acknowledged: string[] = [];
      const failedReads: string[] = [];
      let refused = 0;
      let reads = 0;
      // Each write leaves a key of its own, so that the last version tells of all.
      const write = async (): Promise<void> => {
        for (let round = 1; rolling; round++) {
          const put = ["kv", "patch", "-mount=secret", "-method=patch", "aidbox/client", "client-secret=-"];
          const ran = await vault([...put, `round-${round}=there`], `rolled-${round}`);
          if (ran.code === 0) acknowledged.push(`round-${round}`);
          else refused++;
          await pause(1000);
        }
      };
      const read = async (): Promise<void> => {
        for (; rolling; reads++) {
          const served = await readSecretFile().catch((error: unknown) => `failed: ${String(error)}`);
          if (served !== ofSnapshot && !/^rolled-\d+$/.test(served)) failedReads.push(served);
          await pause(500);
        }
      };
      const roll = command("vault:roll", ["--json"], shares.join("\n")).finally(() => (rolling = false));
      const [rolled] = await Promise.all([roll, write(), read()]);
      expectSuccess(rolled);
      const { rolled: order } = JSON.parse(rolled.stdout) as ServerRoll;
      console.info(
        `from ${from} to ${to}: ${order.join(", ")}; ${acknowledged.length} writes acknowledged, ${refused} refused, ${reads} reads`,
      );
      expect(failedReads).toEqual([]);
      expect(reads).toBeGreaterThan(10);
      expect(`pod/${order.at(-1)!}`).toBe(leader.trim());
      expect([...order].sort()).toEqual(pods);
      expect(await versions()).toEqual(pods.map(() => versionOf(to)));
      expect(acknowledged.length).toBeGreaterThan(10);
      expect(await keysInVault()).toEqual(expect.arrayContaining(acknowledged));
      const last = `rolled-${acknowledged.at(-1)!.slice("round-".length)}`;
      await waitUntil(async () => (await readSecretFile()) === last, 60);
    },
  );

  step("then nothing is said of the servers, and a second up changes nothing", async () => {
    await waitForVerify();
    const up = await command("up", ["--yes"]);
    expectUnchanged(up);
    expect(up.stderr).not.toContain("an earlier up wrote");
    expect((JSON.parse((await asOperator("status", ["--json"])).stdout) as Status).warnings).toEqual([]);
  });

  step("the way back by the tag alone is refused before anything is touched", async () => {
    const before = await vaultPods();
    options = await withImage(from);
    const up = await command("up", ["--yes"]);
    expectExit(up, 2);
    expect(up.stdout + up.stderr).toContain(
      `vault.image: "${versionOf(from)}" is earlier than Vault ${versionOf(to)}, which runs`,
    );
    expect(await vaultPods()).toBe(before);
  });

  step(
    "the way back by the snapshot, as docs/upgrade.md has it, brings the earlier version and its values",
    async () => {
      await kubectl("-n", "vault", "scale", "statefulset", "vault", "--replicas", "0");
      await kubectl("-n", "vault", "delete", "pvc", "-l", "component=server");
      expectExit(await command("up", ["--yes"]), 3);
      const restored = await asOperator("vault:restore", ["--confirm", "dev"], shares.join("\n"));
      expectSuccess(restored);
      expect(await versions()).toEqual(pods.map(() => versionOf(from)));
      await waitUntil(async () => (await readSecretFile()) === ofSnapshot, 120);
      expectSuccess(await command("up", ["--yes"]));
      expectUnchanged(await command("up", ["--yes"]));
      await waitForVerify();
    },
  );
}

describe("a Vault of three servers goes to a later version, and back", () => {
  if (earlier === undefined || later === undefined) {
    test.skip("skipped: set VAULT_IMAGES to two images of Vault that the cluster has, the earlier first", () =>
      undefined);
  } else {
    storyOfTwoVersions(earlier, later);
  }
});
