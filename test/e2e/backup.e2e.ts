import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import type { Status } from "../../infra/operate/status";
import type { Drill } from "../../infra/operate/stores/vault/drill";
import type { Restoration } from "../../infra/operate/stores/vault/restore";
import {
  clientSecret,
  documents,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  makeRootToken,
  overrides,
  ownProgram,
  type Ran,
  readSecretFile,
  root,
  run,
  story,
  succeed,
  TestStack,
  waitUntil,
} from "./harness";
import { ObjectStore, rcloneImage } from "./object-store";

/** Runs the CronJob of the snapshots once, as its schedule does; what it said. */
async function takeSnapshot(name: string, container = "snapshot"): Promise<string> {
  await kubectl("-n", "vault", "create", "job", name, "--from=cronjob/vault-snapshots");
  await kubectl("-n", "vault", "wait", "--for=condition=Complete", `job/${name}`, "--timeout=120s");
  return (await kubectl("-n", "vault", "logs", `job/${name}`, "-c", container)).trim();
}

/** Runs shell on the volume of the snapshots; what it printed. */
async function onVolume(name: string, script: string): Promise<string> {
  interface Pod {
    containers: { name: string; command: string[] }[];
    initContainers?: Pod["containers"];
  }
  const spec = JSON.parse(await kubectl("-n", "vault", "get", "cronjob", "vault-snapshots", "-o", "json")) as {
    spec: { jobTemplate: { spec: { podFailurePolicy?: object; template: { spec: Pod } } } };
  };
  const { jobTemplate } = spec.spec;
  const pod = jobTemplate.spec.template.spec;
  pod.containers = [...(pod.initContainers ?? []), ...pod.containers].slice(0, 1);
  delete pod.initContainers;
  delete jobTemplate.spec.podFailurePolicy;
  pod.containers[0]!.command = ["sh", "-c", `cd /snapshots && ${script}`];
  const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace: "vault" }, spec: jobTemplate.spec };
  await succeed("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(job) });
  await kubectl("-n", "vault", "wait", "--for=condition=Complete", `job/${name}`, "--timeout=60s");
  return (await kubectl("-n", "vault", "logs", `job/${name}`)).trim();
}

describe("three servers whose snapshots are taken, restored and tried", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv = {};
  let shares: readonly string[];
  let before: readonly string[];
  let stackToken: string;
  let store: ObjectStore | undefined;
  let inNewCluster: Ran;
  const vault = {
    mode: "ha",
    replicas: 3,
    antiAffinity: "none",
    storage: { size: "1Gi", retain: false },
    snapshots: { schedule: "0 0 1 1 *", keep: 2, storage: { size: "1Gi" } },
  };
  const secrets = [
    clientSecret,
    { name: "partner-key", path: "aidbox/partner", source: "external" },
    { name: "smtp-password", path: "aidbox/smtp", source: "managed" },
  ];

  const command = (name: string, args: string[] = [], input = ""): Promise<Ran> =>
    stack.commandAs({ env, input }, name, ...args, ...options);
  const vaultCli = (token: string, args: readonly string[], input = ""): Promise<Ran> =>
    stack.commandAs({ env: { VAULT_TOKEN: token }, input }, "vault", ...options, "--", ...args);
  /** Digests of every version of every secret, by an administrator's token that is made for it. */
  const digests = async (): Promise<string[]> => {
    const token = await makeRootToken((args, input) => vaultCli("", args, input), shares);
    const paths = [
      ...[1, 2, 3, 4, 5].map((version) => ["aidbox/client", version]),
      ["aidbox/partner", 1],
      ["aidbox/smtp", 1],
    ];
    const read: string[] = [];
    for (const [path, version] of paths) {
      const got = await vaultCli(token, [
        "kv",
        "get",
        "-mount=secret",
        `-version=${version!}`,
        "-format=json",
        String(path),
      ]);
      expectSuccess(got);
      const { data } = (JSON.parse(got.stdout) as { data: { data: object } }).data;
      read.push(`${path!} ${version!} ${createHash("sha256").update(JSON.stringify(data)).digest("hex")}`);
    }
    expectSuccess(await vaultCli(token, ["token", "revoke", "-self"]));
    return read;
  };
  const restored = (ran: Ran): Restoration => JSON.parse(ran.stdout) as Restoration;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { secrets, vault });
    await stack.setSecret("aidbox-secrets:values.smtp-password", "of-the-config");
    options = await overrides({ secrets, vault });
    expect((await stack.pulumiAs({ env }, "up")).stdout).toContain("Vault is not initialised");
    inNewCluster = await run("kubectl", [
      "-n",
      "vault",
      "get",
      "pvc/vault-snapshots",
      "serviceaccount/vault-snapshots",
    ]);
  });
  afterAll(async () => {
    store?.stop();
    await command("destroy", ["--yes"]);
    await stack.dispose();
  });

  step("up makes the CronJob once Vault is initialised, and a second up changes nothing", async () => {
    const init = await command("vault:init", ["--json", "--shares", "3", "--threshold", "2"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation & { operator: { token: string } };
    shares = made.keyShares.slice(0, 2);
    env = { VAULT_TOKEN: made.stackToken };
    expect((await stack.pulumiAs({ env }, "up")).stdout).toContain("write -- partner-key");
    stackToken = made.stackToken;
    env = { VAULT_TOKEN: made.operator.token };
    expectSuccess(await command("write", ["partner-key", "--generate", "32"]));
    env = { VAULT_TOKEN: stackToken };
    expectSuccess(await stack.pulumiAs({ env }, "up"));
    expectUnchanged(await stack.pulumiAs({ env }, "up"));
    env = { VAULT_TOKEN: made.operator.token };
    for (let version = 2; version <= 5; version++) {
      expectSuccess(await command("rotate", ["client-secret", "--generate", "32"]));
    }
    before = await digests();
    expect(new Set(before).size).toBe(7);
  });

  step("a snapshot is taken by a login that may do nothing else, and so many are kept", async () => {
    for (const name of ["first", "second", "third"]) {
      const said = await takeSnapshot(name);
      console.info(said);
      expect(said).toMatch(/saved \d{8}T\d{6}Z\.snap, \d+ bytes; \d of 2 are there$/);
    }
    expect((await onVolume("count", "ls | grep -c snap$")).trim()).toBe("2");
  });

  step("a damaged snapshot is refused before anything is asked, and a whole one by name is not", async () => {
    const damage = "newest=$(ls | grep snap$ | tail -n 1); cp $newest 20990101T000000Z.snap";
    await onVolume("damage", `${damage}; printf XXXX | dd of=20990101T000000Z.snap bs=1 seek=3000 conv=notrunc`);
    const refused = await command("vault:restore", ["--confirm", "dev"], shares.join("\n"));
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("snapshot 20990101T000000Z.snap is damaged, and was not used") as string,
    });
    await onVolume("mend", "rm 20990101T000000Z.snap");
    expect(await kubectl("-n", "vault", "get", "jobs", "-o", "name")).not.toContain("vault-restore");
  });

  step("values that somebody destroyed come back: a Vault with the same keys", async () => {
    const token = await makeRootToken((args, input) => vaultCli("", args, input), shares);
    expectSuccess(await vaultCli(token, ["secrets", "disable", "secret"]));
    expect((await command("vault:restore", [], shares.join("\n"))).code).toBe(2); // nobody confirms
    const ran = await command("vault:restore", ["--confirm", "dev", "--json"], shares.join("\n"));
    expectSuccess(ran);
    console.info(`with the same keys: ${restored(ran).seconds} s`);
    expect(await digests()).toEqual(before);
  });

  step("all is back in a Vault whose storage is gone, by the original shares", async () => {
    await kubectl("-n", "vault", "scale", "statefulset", "vault", "--replicas=0");
    await kubectl("-n", "vault", "delete", "pvc", "-l", "app.kubernetes.io/instance=vault,component=server");
    await kubectl("-n", "vault", "scale", "statefulset", "vault", "--replicas=3");
    const isEmpty = async (): Promise<boolean> => {
      const pods = ["vault-0", "vault-1", "vault-2"];
      const states = await Promise.all(
        pods.map((pod) =>
          run("kubectl", ["-n", "vault", "exec", pod, "-c", "vault", "--", "vault", "status", "-format=json"]),
        ),
      );
      return states.every(({ stdout }) => stdout.includes('"initialized": false'));
    };
    await waitUntil(isEmpty, 120);
    // A pod answers before the cluster calls it running, and a restore takes those that are.
    const running = "--for=jsonpath={.status.phase}=Running";
    await kubectl("-n", "vault", "wait", running, "pod", "-l", "component=server", "--timeout=60s");
    const start = Date.now();
    const ran = await command("vault:restore", ["--confirm", "dev", "--json"], shares.join("\n"));
    expectSuccess(ran);
    console.info(`from empty: ${restored(ran).seconds} s, with all ${Math.round((Date.now() - start) / 1000)} s`);
    expect(await digests()).toEqual(before);
    const status = JSON.parse((await command("status", ["--json"])).stdout) as Status;
    expect(status.secrets.flatMap(({ pods }) => pods).every(({ isCurrent }) => isCurrent)).toBe(true);
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
  });

  step("a drill finds every secret in the newest snapshot as it is live, and leaves nothing", async () => {
    const ran = await command("vault:drill", ["--json"], shares.join("\n"));
    expectSuccess(ran);
    const { secrets: drilled, seconds, lostSeconds } = JSON.parse(ran.stdout) as Drill;
    console.info(`drill: ${seconds} s, ${lostSeconds} s would be lost`);
    expect(drilled).toEqual(secrets.map(({ name }) => ({ secret: name, state: "same" })));
    await waitUntil(isDrillGone, 60);
  });

  step("a value that was changed after the snapshot is named", async () => {
    expectSuccess(await command("rotate", ["client-secret", "--generate", "32"]));
    const ran = await command("vault:drill", [], shares.join("\n"));
    expect({ code: ran.code, stderr: ran.stderr.includes(shares[0]!) }).toEqual({ code: 5, stderr: false });
    expect(ran.stdout).toContain("client-secret: differs: it was changed after the snapshot");
    expect(ran.stdout).toContain("2 of 3 secrets are as the live ones");
  });

  step("a drill that is killed leaves nothing", async () => {
    const child = spawn("node", [...ownProgram(), "vault:drill", ...options], {
      cwd: root,
      env: { ...process.env, ...stack.env, ...env },
    });
    child.stdin.end(shares.join("\n"));
    const killed = new Promise<string>((done) => {
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("in place, in a Vault of the drill's own")) child.kill("SIGKILL");
      });
      child.on("close", () => {
        done(said);
      });
    });
    expect(await killed).toContain("in a Vault of the drill's own");
    const seconds = await waitUntil(isDrillGone, 60);
    console.info(`a killed drill was gone after ${seconds.toFixed(0)} s`);
  });

  test("what a restore in a new cluster needs is there before Vault is initialised", () => {
    expectSuccess(inNewCluster);
  });

  if (rcloneImage === undefined) {
    test.skip("copies (skipped: set RCLONE_IMAGE to one that the cluster has, and install versitygw)", () => undefined);
  } else {
    step("snapshots are copied to an S3-compatible store as they are, and so many are kept there", async () => {
      store = await ObjectStore.start();
      await withFiles({
        "access-key-id": ObjectStore.accessKey,
        "secret-access-key": ObjectStore.secretKey,
        "ca.crt": store.ca,
      });
      const copies = {
        image: rcloneImage,
        bucket: `${ObjectStore.bucket}/dev`,
        endpoint: store.endpoint,
        credentialsSecret: "backup-store",
        caConfigMap: "backup-store-ca",
        keep: 2,
      };
      const { hostname, port } = new URL(store.endpoint);
      const allowTo = [{ peer: { cidr: `${hostname}/32` }, ports: [Number(port)] }];
      const copied = { secrets, vault: { ...vault, snapshots: { ...vault.snapshots, copies, allowTo } } };
      options = await overrides(copied);
      stack.configure(copied);
      env = { VAULT_TOKEN: stackToken };
      expectSuccess(await stack.pulumiAs({ env }, "up"));
      expectUnchanged(await stack.pulumiAs({ env }, "up"));
      for (const name of ["fourth", "fifth", "sixth"]) {
        const said = await takeSnapshot(name, "copy");
        console.info(said);
        expect(said).toMatch(/copied \d{8}T\d{6}Z\.snap; \d are in backups\/dev$/);
      }
      const names = store.list("dev");
      expect(names).toHaveLength(2);
      const sums = await onVolume("sums", "sha256sum *.snap");
      for (const name of names) {
        expect(sums).toContain(
          `${createHash("sha256")
            .update(store.read(`dev/${name}`))
            .digest("hex")}  ${name}`,
        );
      }
    });

    step("a copy is fetched where the volume lost it, and its secrets are as the live ones", async () => {
      await onVolume("lose", "rm *.snap");
      const ran = await command("vault:drill", ["--from-copies", "--json"], shares.join("\n"));
      expectSuccess(ran);
      const { snapshot, secrets: drilled, seconds } = JSON.parse(ran.stdout) as Drill;
      console.info(`drill of a copy: ${seconds} s`);
      expect(snapshot).toBe(store!.list("dev").at(-1));
      expect(drilled).toEqual(secrets.map(({ name }) => ({ secret: name, state: "same" })));
      const absent = ["--from-copies", "--snapshot", "20200101T000000Z.snap"];
      const refused = await command("vault:restore", [...absent, "--confirm", "dev"], shares.join("\n"));
      expect({ code: refused.code, stderr: refused.stderr }).toEqual({
        code: 4,
        stderr: expect.stringContaining("did not give 20200101T000000Z.snap, and nothing was changed") as string,
      });
      await waitUntil(isDrillGone, 60);
    });

    step("a run whose copy is refused fails at once, so that it is alarmed, and shows no credential", async () => {
      const before = await onVolume("before", "ls | grep -c snap$");
      await withFiles({
        "access-key-id": ObjectStore.accessKey,
        "secret-access-key": "wrong-secret",
        "ca.crt": store!.ca,
      });
      await kubectl("-n", "vault", "create", "job", "refused", "--from=cronjob/vault-snapshots");
      await kubectl("-n", "vault", "wait", "--for=condition=Failed", "job/refused", "--timeout=240s");
      const said = await kubectl("-n", "vault", "logs", "job/refused", "-c", "copy");
      expect(said).toContain("SignatureDoesNotMatch");
      expect(said).not.toContain("wrong-secret");
      const pods = await kubectl("-n", "vault", "get", "pods", "-l", "job-name=refused", "-o", "name");
      expect(pods.trim().split("\n")).toHaveLength(1);
      // It took one, and its failure took no other.
      expect(Number(await onVolume("after", "ls | grep -c snap$"))).toBe(Number(before) + 1);
    });
  }
});

/** The Secret and the ConfigMap of the store of copies, as an operator makes them. */
async function withFiles(files: Readonly<Record<string, string>>): Promise<void> {
  const { "ca.crt": ca, ...stringData } = files;
  const metadata = { namespace: "vault" };
  const objects = [
    { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: "backup-store" }, stringData },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, name: "backup-store-ca" }, data: { "ca.crt": ca } },
  ];
  await succeed("kubectl", ["apply", "-f", "-"], {
    input: objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  });
}

async function isDrillGone(): Promise<boolean> {
  const left = await kubectl(
    "-n",
    "vault",
    "get",
    "jobs,pods",
    "-l",
    "app.kubernetes.io/name=vault-drill",
    "-o",
    "name",
  );
  return left === "";
}
