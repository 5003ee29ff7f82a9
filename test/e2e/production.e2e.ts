import type { X509Certificate } from "node:crypto";
import type { Drill } from "../../infra/operate/stores/vault/drill";
import type { ServerRoll } from "../../infra/operate/stores/vault/roll";
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
  run,
  story,
  TestStack,
  vaultPods,
  waitUntil,
} from "./harness";
import { SecondVault } from "./second-vault";
import { currentCa, shortenCa, shortenServerCertificate, waitUntilServed } from "./server-certificates";

/** One node for all, and nothing that stays behind. */
const storage = { size: "1Gi", retain: false };

/** Something of the servers' pods that changes them and nothing else. */
const annotatedServers = { server: { annotations: { "example.com/changed": "yes" } } };

const dayMilliseconds = 24 * 3600 * 1000;

function brokenOrUnchecked(ran: Ran): object[] {
  return (JSON.parse(ran.stdout) as Verification).links.filter(({ state }) => state !== "ok");
}

describe("three servers with TLS that unseal themselves by a second Vault's key", () => {
  const step = story();
  let stack: TestStack;
  let second: SecondVault;
  let options: string[];
  let vaultConfig: object;
  let env: NodeJS.ProcessEnv;
  let recoveryShares: readonly string[];

  const command = (...args: string[]): Promise<Ran> => stack.commandAs({ env }, args[0]!, ...args.slice(1), ...options);
  /** Vault's command line on the node, by the Service's address. */
  const vault = async (args: readonly string[], input = ""): Promise<Ran> => {
    const ip = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
    const ca = `${stack.folder}/vault-ca.pem`;
    await run("sh", ["-c", `kubectl -n vault get configmap vault-ca -o 'jsonpath={.data.ca\\.crt}' > ${ca}`]);
    const reach = { VAULT_ADDR: `https://${ip}:8200`, VAULT_TLS_SERVER_NAME: "vault", VAULT_CACERT: ca };
    return run("vault", args, { env: { ...env, ...reach }, input });
  };

  beforeAll(async () => {
    second = await SecondVault.start(8300);
    await second.succeed(["secrets", "enable", "transit"]);
    await second.succeed(["write", "-f", "transit/keys/unseal"]);
    const policy = ["encrypt", "decrypt"].map((each) => `path "transit/${each}/unseal" { capabilities = ["update"] }`);
    await second.succeed(["policy", "write", "unseal", "-"], policy.join("\n"));
    const sealToken = await second.succeed([
      "token",
      "create",
      "-orphan",
      "-policy=unseal",
      "-period=24h",
      "-field=token",
    ]);
    env = { VAULT_SEAL_TOKEN: sealToken };
    stack = await TestStack.create("dev");
    const seal = { type: "transit", address: second.address, ca: second.ca, keyName: "unseal" };
    const snapshots = { schedule: "0 0 1 1 *", storage: { size: "1Gi" } };
    vaultConfig = { mode: "ha", replicas: 3, antiAffinity: "none", storage, seal, snapshots };
    options = await overrides({ secrets: [clientSecret], vault: vaultConfig });
  });
  afterAll(async () => {
    await command("destroy", "--yes");
    second.stop();
    await stack.dispose();
  });

  step("the first up stops safely, and says that Vault is to be initialised", async () => {
    const up = await command("up", "--yes");
    expectExit(up, 3);
    expect(up.stdout).toContain("Vault is not initialised: run `npm run vault:init`, then `npm run up`");
  });

  step("vault:init hands out recovery shares and the stack's own token, once", async () => {
    const init = await command("vault:init", "--json", "--shares", "3", "--threshold", "2");
    expectSuccess(init);
    const made = documents(init) as Initialisation;
    expect(made).toMatchObject({ recovery: true, encrypted: false });
    expect(made.keyShares).toHaveLength(3);
    expect(made).toMatchObject({ rootTokenRevoked: true });
    env.VAULT_TOKEN = made.stackToken;
    recoveryShares = made.keyShares.slice(0, 2);
    const again = await command("vault:init");
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("Vault is initialised already");
  });

  step("the next up serves the secret, by TLS alone", async () => {
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    const plain = ["-n", "vault", "exec", "vault-0", "--", "vault", "status", "-address=http://127.0.0.1:8200"];
    expect((await run("kubectl", plain)).stderr).toContain("Client sent an HTTP request to an HTTPS server");
  });

  step("a second up changes nothing, and verify is green", async () => {
    expectUnchanged(await command("up", "--yes"));
    await waitUntil(async () => (await command("verify", "--json")).code === 0, 60).catch(() => undefined);
    expect(brokenOrUnchecked(await command("verify", "--json"))).toEqual([]);
  });

  step("a drill opens the newest snapshot by the seal's key, which stays as it is", async () => {
    await kubectl("-n", "vault", "create", "job", "first", "--from=cronjob/vault-snapshots");
    await kubectl("-n", "vault", "wait", "--for=condition=Complete", "job/first", "--timeout=120s");
    const key = await second.succeed(["read", "-format=json", "-field=data", "transit/keys/unseal"]);
    const input = recoveryShares.join("\n");
    const ran = await stack.commandAs({ env, input }, "vault:drill", "--json", ...options);
    expectSuccess(ran);
    const { secrets, seconds } = JSON.parse(ran.stdout) as Drill;
    console.info(`a drill by the seal's key: ${seconds} s`);
    expect(secrets).toEqual([{ secret: "client-secret", state: "same" }]);
    expect(await second.succeed(["read", "-format=json", "-field=data", "transit/keys/unseal"])).toBe(key);
  });

  step("the stack's token does what the stack needs, and nothing beside it; no root token is left", async () => {
    const capabilities = async (path: string): Promise<string> =>
      (await vault(["token", "capabilities", path])).stdout.trim();
    expect(await capabilities("secret/data/aidbox/client")).toBe("create, patch, update");
    for (const path of [
      "secret/data/other",
      "secret/metadata/other",
      "sys/policies/acl/other",
      "sys/seal",
      "auth/token/create",
    ]) {
      expect({ path, capabilities: await capabilities(path) }).toEqual({ path, capabilities: "deny" });
    }
    expect(await stack.exportState()).not.toContain(env.VAULT_TOKEN);
  });

  step(
    "the leader is killed while secrets are written and read: nothing is lost, nothing is wrong, and it heals",
    async () => {
      const acknowledged = new Map<number, string>();
      let last = 0;
      let failedWrites = 0;
      let longestGap = 0;
      const wrongReads: string[] = [];
      const seconds = Number(process.env.LEADER_KILL_SECONDS ?? 120);
      const end = Date.now() + seconds * 1000;
      let lastWrite = Date.now();
      let seen = 0;
      const write = async (): Promise<void> => {
        for (let round = 1; Date.now() < end; round++) {
          const value = `written-${round}`;
          const put = [
            "kv",
            "patch",
            "-mount=secret",
            "-method=patch",
            "-format=json",
            "aidbox/client",
            "client-secret=-",
          ];
          const ran = await vault(put, value);
          if (ran.code === 0) {
            const { version } = (JSON.parse(ran.stdout) as { data: { version: number } }).data;
            acknowledged.set(version, value);
            last = round;
            longestGap = Math.max(longestGap, Date.now() - lastWrite);
            lastWrite = Date.now();
          } else failedWrites++;
          await new Promise((done) => setTimeout(done, 1000));
        }
      };
      const read = async (): Promise<void> => {
        while (Date.now() < end) {
          const served = await run("kubectl", [
            "-n",
            "aidbox",
            "exec",
            "deploy/aidbox",
            "--",
            "cat",
            "/run/vault-secrets/client-secret",
          ]);
          const round = /^written-(\d+)$/.exec(served.stdout)?.[1];
          if (round !== undefined && Number(round) < seen) wrongReads.push(`${round} after ${seen}`);
          seen = Number(round ?? seen);
          const isSeed = /^[\w-]{32}$/.test(served.stdout);
          if (served.code === 0 && !isSeed && (round === undefined || Number(round) > last + 1))
            wrongReads.push(served.stdout);
          await new Promise((done) => setTimeout(done, 1000));
        }
      };
      const kill = async (): Promise<void> => {
        await new Promise((done) => setTimeout(done, 10_000));
        const leader = await kubectl("-n", "vault", "get", "pods", "-l", "vault-active=true", "-o", "name");
        await kubectl("-n", "vault", "delete", leader.trim(), "--grace-period=0", "--force");
      };
      await Promise.all([write(), read(), kill()]);
      console.info(
        `${acknowledged.size} writes acknowledged, ${failedWrites} refused, longest gap ${(longestGap / 1000).toFixed(1)} s`,
      );
      expect(wrongReads).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(seconds / 4);
      const healed = await waitUntil(async () => (await command("verify", "--json")).code === 0, 120);
      await kubectl("-n", "vault", "wait", "--for=condition=Ready", "pod", "-l", "component=server", "--timeout=120s");
      console.info(`verify was green ${healed.toFixed(0)} s after the last write`);
      // KV keeps the last ten versions.
      const kept = [...acknowledged].slice(-10);
      const token = await podToken();
      for (const [version, value] of kept) {
        const got = await run("sh", [
          "-c",
          `kubectl -n vault exec -i vault-0 -- env VAULT_TOKEN=${token} vault kv get -mount=secret -version=${version} -field=client-secret aidbox/client`,
        ]);
        expect({ version, value: got.stdout }).toEqual({ version, value });
      }
    },
  );

  step(
    "what up wrote reaches the servers by vault:roll, standbys first, and no acknowledged write is lost",
    async () => {
      const leader = await kubectl("-n", "vault", "get", "pods", "-l", "vault-active=true", "-o", "name");
      const before = await kubectl(
        "-n",
        "vault",
        "get",
        "pods",
        "-l",
        "component=server",
        "-o",
        "jsonpath={.items[*].metadata.uid}",
      );
      const annotated = await overrides({
        secrets: [clientSecret],
        vault: { ...vaultConfig, values: annotatedServers },
      });
      const as = (...args: string[]): Promise<Ran> =>
        stack.commandAs({ env }, args[0]!, ...args.slice(1), ...annotated);
      const up = await as("up", "--yes");
      expectSuccess(up);
      expect(up.stderr).toContain(
        "vault-0, vault-1, vault-2 of 3 servers of Vault run what an earlier up wrote: npm run vault:roll",
      );
      expect(brokenOrUnchecked(await as("verify", "--json"))).toContainEqual(
        expect.objectContaining({ name: "vault", state: "broken", fix: "npm run vault:roll" }),
      );
      let rolling = true;
      const acknowledged: string[] = [];
      let refused = 0;
      const write = async (): Promise<void> => {
        for (let round = 1; rolling; round++) {
          const value = `rolled-${round}`;
          const put = await vault(
            ["kv", "patch", "-mount=secret", "-method=patch", "aidbox/client", "client-secret=-"],
            value,
          );
          if (put.code === 0) acknowledged.push(value);
          else refused++;
          await new Promise((done) => setTimeout(done, 1000));
        }
      };
      const roll = as("vault:roll", "--json").finally(() => (rolling = false));
      const [rolled] = await Promise.all([roll, write()]);
      expectSuccess(rolled);
      const { rolled: order } = JSON.parse(rolled.stdout) as ServerRoll;
      console.info(
        `${acknowledged.length} writes acknowledged in the roll, ${refused} refused; in the order ${order.join(", ")}`,
      );
      expect(`pod/${order.at(-1)!}`).toBe(leader.trim());
      expect([...order].sort()).toEqual(["vault-0", "vault-1", "vault-2"]);
      const now = await kubectl(
        "-n",
        "vault",
        "get",
        "pods",
        "-l",
        "component=server",
        "-o",
        "jsonpath={.items[*].metadata.uid}",
      );
      expect(now.split(" ").filter((uid) => before.includes(uid))).toEqual([]);
      await waitUntil(async () => (await readSecretFile()) === acknowledged.at(-1), 60);
      await waitUntil(async () => (await as("verify", "--json")).code === 0, 120);
      const again = await as("vault:roll", "--json");
      expectSuccess(again);
      expect(JSON.parse(again.stdout)).toEqual({ rolled: [] });
      options = annotated;
    },
  );

  step("a certificate near its end is renewed by up, and taken by each server without a restart", async () => {
    const pods = await vaultPods();
    const endsSoon = ({ validTo }: X509Certificate): boolean => Date.parse(validTo) - Date.now() < 31 * dayMilliseconds;
    await shortenServerCertificate(30);
    const shortened = await waitUntilServed(endsSoon, 150);
    expectSuccess(await command("up", "--yes"));
    const renewed = await waitUntilServed((certificate) => !endsSoon(certificate), 150);
    console.info(`certificates were taken after ${shortened.toFixed(0)} and ${renewed.toFixed(0)} s`);
    expect(await vaultPods()).toBe(pods);
    expectUnchanged(await command("up", "--yes"));
  });

  step("a CA near its end is renewed too; until its end the former one is trusted beside it", async () => {
    const pods = await vaultPods();
    const former = await currentCa();
    await shortenCa(30);
    expectSuccess(await command("up", "--yes"));
    const ca = await currentCa();
    expect(ca.verify(former.publicKey)).toBe(false);
    const trusted = await kubectl("-n", "vault", "get", "configmap", "vault-ca", "-o", "jsonpath={.data.ca\\.crt}");
    for (const each of [ca, former]) expect(trusted).toContain(each.toString().trim());
    await waitUntilServed((certificate) => certificate.verify(ca.publicKey), 150);
    expect(await vaultPods()).toBe(pods);
    expectUnchanged(await command("up", "--yes"));
    // The CSI provider, whose file kubelet brings up to date by then, reads by the new one.
    await waitUntil(async () => (await command("rotate", "client-secret", "--generate", "32")).code === 0, 150);
    await waitUntil(async () => (await command("verify", "--json")).code === 0, 60);
  });

  step("destroy leaves no volume behind", async () => {
    expectSuccess(await command("destroy", "--yes"));
    expect(await kubectl("get", "pvc", "-A", "-o", "name")).toBe("");
  });

  async function podToken(): Promise<string> {
    const login = `kubectl -n aidbox create token aidbox --audience vault | tr -d '\\n' |
      kubectl -n vault exec -i vault-0 -- vault write -field=token auth/kubernetes/login role=aidbox jwt=-`;
    return (await run("sh", ["-c", login])).stdout;
  }
});
