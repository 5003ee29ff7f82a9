import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ownKeys } from "../../infra/config/project";
import type { Verification } from "../../infra/operate/verify";
import { blocksOf } from "../page-blocks";
import {
  aidboxPods,
  currentContext,
  documents,
  expectExit,
  expectSuccess,
  type Initialisation,
  kubectl,
  makeRootToken,
  readSecretFile,
  root,
  run,
  story,
  succeed,
  waitUntil,
} from "./harness";
import { currentCa, servedCertificates } from "./server-certificates";
import { Operator } from "./written-commands";

const servers = ["vault-0", "vault-1", "vault-2"] as const;
const priorityClass = "secrets-first";
const production = ownKeys(
  (parse(readFileSync(join(root, "test/environments/Pulumi.prod.yaml"), "utf8")) as { config: object })
    .config as Record<string, unknown>,
);

function onServer(pod: string, script: string): Promise<string> {
  return kubectl("-n", "vault", "exec", pod, "-c", "vault", "--", "sh", "-c", script);
}

async function sealStatus(pod: string): Promise<{ readonly initialized: boolean; readonly sealed: boolean }> {
  const exec = ["-n", "vault", "exec", pod, "-c", "vault", "--", "vault", "status", "-format=json"];
  return JSON.parse((await run("kubectl", exec)).stdout || '{ "initialized": false, "sealed": true }') as {
    initialized: boolean;
    sealed: boolean;
  };
}

/** What a flood was answered, and how others fared meanwhile. */
interface Flooded {
  /** Number of answers by status. */
  readonly codes: Readonly<Record<string, number>>;
  readonly others: Logins;
}

/** Logins of a ServiceAccount from this machine's address, one each second. */
interface Logins {
  readonly count: number;
  readonly medianSeconds: number;
  readonly longestSeconds: number;
  readonly failed: readonly string[];
}

async function logins(seconds: number): Promise<Logins> {
  const ip = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
  const jwt = (await kubectl("-n", "aidbox", "create", "token", "aidbox", "--audience", "vault")).trim();
  const options = [
    "-sk",
    "--resolve",
    `vault:8200:${ip}`,
    "-o",
    "/dev/null",
    "-w",
    "%{http_code} %{time_total}",
    "-d",
    "@-",
  ];
  const [times, failed]: [number[], string[]] = [[], []];
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const input = JSON.stringify({ role: "aidbox", jwt });
    const { stdout } = await run("curl", [...options, "https://vault:8200/v1/auth/kubernetes/login"], { input });
    const [code, time] = stdout.split(" ");
    if (code === "200") times.push(Number(time));
    else failed.push(stdout);
    await new Promise((done) => setTimeout(done, 1000));
  }
  times.sort((one, other) => one - other);
  const [medianSeconds = 0, longestSeconds = 0] = [times[Math.floor(times.length / 2)], times.at(-1)];
  return { count: times.length, medianSeconds, longestSeconds, failed };
}

/** Logs in with a token that is none, from one pod and without a pause, while others do theirs. */
async function flood(seconds: number, meanwhile = (): Promise<void> => Promise.resolve()): Promise<Flooded> {
  const url = "https://vault.vault.svc:8200/v1/auth/kubernetes/login?n=[1-10000000]";
  const curl = `curl -sk --parallel --parallel-max 20 -o /dev/null -w '%{http_code}\\n' -d '{"role":"aidbox","jwt":"none"}' '${url}' 2>/dev/null`;
  const container = {
    name: "flood",
    image: "docker.io/curlimages/curl:8.17.0",
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", `timeout ${seconds} ${curl} | sort | uniq -c`],
  };
  const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 0, containers: [container] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "flood", namespace: "default" }, spec };
  await succeed("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(pod) });
  try {
    await kubectl("wait", "--for=condition=Ready", "pod/flood", "--timeout=60s");
    const [others] = await Promise.all([logins(seconds - 5), meanwhile()]);
    await kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/flood", "--timeout=60s");
    // A line that was cut off, as the flood was, has no whole status.
    const counted = [...(await kubectl("logs", "flood")).matchAll(/^ *(\d+) (\d{3})$/gm)];
    return { codes: Object.fromEntries(counted.map(([, count, code]) => [code!, Number(count)])), others };
  } finally {
    await kubectl("delete", "pod", "flood", "--grace-period=0", "--force");
  }
}

async function linesThatAreNoJson(namespace: string, pod: string, container: string): Promise<string[]> {
  const lines = (await kubectl("-n", namespace, "logs", pod, "-c", container)).split("\n").filter(Boolean);
  return lines.filter((line) => {
    try {
      return typeof JSON.parse(line) !== "object";
    } catch {
      return true;
    }
  });
}

/** Replaces all pods of Aidbox, each of which logs in by the provider; the seconds it took. */
async function rollAidbox(): Promise<number> {
  const start = Date.now();
  await kubectl("-n", "aidbox", "rollout", "restart", "deployment/aidbox");
  await kubectl("-n", "aidbox", "rollout", "status", "deployment/aidbox", "--timeout=120s");
  return Math.round((Date.now() - start) / 1000);
}

describe("production as docs/limits.md and docs/runbooks.md have it", () => {
  const step = story();
  let operator: Operator;
  let keyShares: readonly string[];
  let stackToken: string;
  let writer: string;

  /** As many as unseal, and no more of them than there are. */
  const someShares = (): readonly string[] => keyShares.slice(0, 3);
  const shares = (): string => someShares().join("\n");
  /** Digest of each version of each secret that is not destroyed, by an administrator's token that is made for it. */
  const digests = async (): Promise<string[]> => {
    const token = await makeRootToken((args, input) => operator.vault(args, { input: input ?? "" }), someShares());
    const read = async (args: readonly string[]): Promise<Record<string, unknown>> => {
      const [verb = "", ...rest] = args;
      const ran = await operator.vault([verb, "-format=json", ...rest], { token });
      expectSuccess(ran);
      return (JSON.parse(ran.stdout) as { data: Record<string, unknown> }).data;
    };
    const found: string[] = [];
    for (const path of ["aidbox/client", "aidbox/auth-keys"]) {
      const versions = (await read(["read", `secret/metadata/${path}`])).versions as Record<
        string,
        { destroyed: boolean }
      >;
      for (const [version, { destroyed }] of Object.entries(versions)) {
        if (destroyed) continue;
        const { data } = await read(["read", `secret/data/${path}`, `version=${version}`]);
        found.push(`${path} ${version} ${createHash("sha256").update(JSON.stringify(data)).digest("hex")}`);
      }
    }
    expectSuccess(await operator.vault(["token", "revoke", "-self"], { token }));
    return found;
  };

  beforeAll(async () => {
    const value = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: priorityClass },
      value: 1_000_000,
    };
    await succeed("kubectl", ["apply", "-f", "-"], { input: JSON.stringify(value) });
    const config = {
      ...production,
      kubeContext: await currentContext(),
      csiDriver: { priorityClass: "system-node-critical", logFormat: "json" },
      vault: {
        mode: "ha",
        replicas: 3,
        antiAffinity: "none",
        storage: { size: "1Gi", retain: false },
        audit: { size: "1Gi", rotateAt: "50Mi", keep: 2 },
        snapshots: { schedule: "0 0 1 1 *", keep: 2, storage: { size: "1Gi" } },
        priorityClass,
        logFormat: "json",
        tlsMinVersion: "1.3",
        loginsPerSecond: 20,
      },
      republisher: { priorityClass, logFormat: "json" },
      aidbox: { image: "healthsamurai/aidboxone:2605", replicas: 2 },
    };
    operator = new Operator(config, blocksOf("docs/runbooks.md", "sh"));
  });
  afterAll(async () => {
    await operator.destroy(stackToken);
    operator.dispose();
    // The volume of the snapshots outlives a production, and its namespace with it.
    await kubectl("delete", "namespace", "vault");
    await kubectl("delete", "priorityclass", priorityClass);
  });

  step("it comes up by its documented steps", async () => {
    const up = (token = ""): ReturnType<Operator["command"]> =>
      operator.command("up", ["--env", "prod", "--yes"], { token });
    expectExit(await up(), 3);
    const init = await operator.command("vault:init", ["--env", "prod", "--json", "--shares", "5", "--threshold", "3"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation & { operator: { token: string } };
    keyShares = made.keyShares;
    stackToken = made.stackToken;
    writer = made.operator.token;
    expectExit(await up(stackToken), 3);
    const write = ["client-secret", "--env", "prod", "--generate", "32"];
    expectSuccess(await operator.command("write", write, { token: writer }));
    expectSuccess(await up(stackToken));
  });

  step("a flood of logins from one pod is answered 429, and the others are served", async () => {
    const quiet = await logins(10);
    const unlimited = await flood(12);
    const grant = ["--env", "prod", "--shares", "--no-tokens"];
    expectSuccess(await operator.command("vault:grant", grant, { input: shares() }));
    const rolledAlone = await rollAidbox();
    let rolledInFlood = 0;
    const limited = await flood(60, async () => {
      rolledInFlood = await rollAidbox();
      expectSuccess(
        await operator.command("rotate", ["client-secret", "--generate", "32", "--env", "prod"], { token: writer }),
      );
    });
    console.info(JSON.stringify({ quiet, unlimited, limited, rolledAlone, rolledInFlood }));
    expect(unlimited.codes["429"]).toBeUndefined();
    const taken = Object.entries(limited.codes).filter(([code]) => code !== "429");
    expect(limited.codes["429"]).toBeGreaterThan(1000);
    // Each server counts by itself, and there are three.
    expect(taken.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(3 * 20 * 65);
    expect(limited.others.failed).toEqual([]);
    expect(unlimited.others.count).toBeGreaterThan(0);
    await operator.follow("Before you begin", 0, { input: `${writer}\n` });
  });

  step("priority, TLS 1.3 and logs are as the keys say", async () => {
    const pods = JSON.parse(await kubectl("get", "pods", "-A", "-o", "json")) as {
      items: { metadata: { name: string }; spec: { priorityClassName?: string } }[];
    };
    const classes = (prefix: string): (string | undefined)[] => [
      ...new Set(
        pods.items.filter(({ metadata }) => metadata.name.startsWith(prefix)).map(({ spec }) => spec.priorityClassName),
      ),
    ];
    for (const name of ["vault-0", "vault-1", "vault-2", "vault-node-csi-provider", "aidbox-republisher"]) {
      expect({ name, classes: classes(name) }).toEqual({ name, classes: [priorityClass] });
    }
    expect(classes("csi-secrets-store")).toEqual(["system-node-critical"]);
    const address = await kubectl("-n", "vault", "get", "pod", "vault-0", "-o", "jsonpath={.status.podIP}");
    const handshake = (version: string): ReturnType<typeof run> =>
      run("openssl", ["s_client", "-connect", `${address}:8200`, version], { input: "" });
    expect((await handshake("-tls1_2")).stderr).toContain("alert protocol version");
    expect((await handshake("-tls1_3")).stdout).toContain("TLSv1.3");
    const container = (pod: string, name: string): Promise<string[]> => linesThatAreNoJson("vault", pod, name);
    for (const name of ["certificate-reloader", "audit-log-rotator"])
      expect(await container("vault-0", name)).toEqual([]);
    // Vault's banner comes before its log, whatever the format.
    const banner = await container("vault-0", "vault");
    expect(banner.filter((line) => /^\d{4}-\d{2}-\d{2}T/.test(line))).toEqual([]);
    console.info(`no JSON of vault-0: ${banner.length} lines, as ${banner.slice(0, 3).join(" / ")}`);
    const format = "jsonpath={.spec.template.spec.containers[?(@.name=='secrets-store')].args}";
    const driver = ["get", "daemonset", "csi-secrets-store-csi-driver", "-o", format];
    expect(await kubectl("-n", "kube-system", ...driver)).toContain("--log-format-json=true");
    expect(await linesThatAreNoJson("aidbox", "deployment/aidbox-republisher", "republisher")).toEqual([]);
    await kubectl("-n", "vault", "create", "job", "logged", "--from=cronjob/vault-snapshots");
    await kubectl("-n", "vault", "wait", "--for=condition=Complete", "job/logged", "--timeout=120s");
    expect(await linesThatAreNoJson("vault", "job/logged", "snapshot")).toEqual([]);
    expect(await kubectl("-n", "vault", "logs", "job/logged")).toMatch(/"message":"saved .* of 2 are there"/);
  });

  step("a server that crashed dumps no core, is sealed, and is unsealed", async () => {
    await onServer("vault-2", "kill -ABRT $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)").catch(() => "");
    const ended = "jsonpath={.status.containerStatuses[?(@.name=='vault')].lastState.terminated.exitCode}";
    const exitCode = (): Promise<string> => kubectl("-n", "vault", "get", "pod", "vault-2", "-o", ended);
    await waitUntil(async () => (await exitCode()) !== "", 60);
    expect(await exitCode()).toBe("2"); // Go's own; where a core is dumped the signal ends it: 134
    await waitUntil(async () => (await sealStatus("vault-2")).initialized, 60);
    expect(await sealStatus("vault-2")).toMatchObject({ sealed: true });
    await operator.follow("A server is sealed", 0, { input: shares(), token: writer });
  });

  step("the stack's token leaked: it gets 403, what it did is told, and a new one does its work", async () => {
    const lookUp = (): ReturnType<Operator["vault"]> => operator.vault(["token", "lookup"], { token: stackToken });
    expectSuccess(await lookUp());
    const heading = "The stack's token leaked";
    await operator.follow(heading, 0, { input: `${stackToken}\n` });
    expect((await lookUp()).stderr).toContain("Code: 403");
    const granted = await operator.follow(heading, 1, { input: shares(), token: writer });
    stackToken = /^the stack's token: (\S+)$/m.exec(granted)![1]!;
    const done = await operator.follow(heading, 2);
    expect(done).toMatch(/\tupdate\tauth\/token\/revoke-self\t[\d.]+$/m);
    await operator.follow(heading, 3, { token: stackToken });
    await operator.follow(heading, 4, { token: writer });
  });

  step("a secret leaked: pods have another, who read it is told, and the old value is destroyed", async () => {
    const leaked = await readSecretFile();
    const heading = "A secret leaked";
    await operator.follow(heading, 0, { token: writer });
    expect(await readSecretFile()).not.toBe(leaked);
    expect(await operator.follow(heading, 1, { token: writer })).toContain("client-secret");
    expect(await operator.follow(heading, 2)).toMatch(/\tread\tkubernetes-aidbox-aidbox\t[\d.]+$/m);
    const before = await digests();
    await operator.follow(heading, 3, { token: writer });
    const after = await digests();
    expect(after).toEqual(before.filter((line) => !line.startsWith("aidbox/client 1 ")));
    expect(after).toHaveLength(before.length - 1);
  });

  step("a key share is lost: there are new ones, and the former ones unseal no more", async () => {
    const former = keyShares;
    const before = await digests();
    const heading = "A key share is lost";
    const printed = await operator.follow(heading, 0, { token: writer, input: shares() });
    keyShares = [...printed.matchAll(/^new key share \d: (\S+)$/gm)].map(([, share]) => share!);
    expect(keyShares).toHaveLength(5);
    await operator.follow(heading, 1, { token: writer });
    await kubectl("-n", "vault", "delete", "pod", "vault-2");
    await kubectl("-n", "vault", "wait", "--for=jsonpath={.status.phase}=Running", "pod/vault-2", "--timeout=60s");
    await waitUntil(async () => (await sealStatus("vault-2")).initialized, 60);
    const refused = await operator.command("vault:unseal", ["--env", "prod"], { input: former.join("\n") });
    expect({ code: refused.code, said: refused.stderr }).toEqual({
      code: 2,
      said: expect.stringContaining("vault-2 refuses the key shares") as string,
    });
    await operator.follow("A server is sealed", 0, { input: shares(), token: writer });
    expect(await digests()).toEqual(before);
  });

  step("the CA changes: servers have a certificate of the new one, and no pod loses its file or restarts", async () => {
    const [before, pods, ca] = [await readSecretFile(), await aidboxPods(), await currentCa()];
    const reading = { goesOn: true, failed: [] as string[], count: 0 };
    const reads = (async () => {
      while (reading.goesOn) {
        const read = await readSecretFile().catch((error: unknown) => String(error));
        reading.count++;
        if (read !== before) reading.failed.push(read);
        await new Promise((done) => setTimeout(done, 500));
      }
    })();
    const heading = "The CA changes";
    await operator.follow(heading, 0, { token: stackToken });
    const renewed = await currentCa();
    const trusted = (): Promise<string> =>
      kubectl("-n", "vault", "get", "configmap", "vault-ca", "-o", "jsonpath={.data.ca\\.crt}");
    for (const each of [ca, renewed]) expect(await trusted()).toContain(each.toString().trim());
    await operator.follow(heading, 1);
    await operator.follow(heading, 2, { token: stackToken });
    await operator.follow(heading, 3, { token: writer });
    expect((await trusted()).trim()).toBe(renewed.toString().trim());
    const served = await servedCertificates();
    expect(served.map((certificate) => certificate.verify(renewed.publicKey))).toEqual([true, true, true]);
    reading.goesOn = false;
    await reads;
    expect(reading.failed).toEqual([]);
    expect(await aidboxPods()).toBe(pods);
    const told = await kubectl("-n", "vault", "logs", "vault-1", "-c", "certificate-reloader", "--tail=1");
    expect(JSON.parse(told)).toMatchObject({ message: "Vault takes the renewed certificate" });
    console.info(`${reading.count} reads while the CA changed`);
    // By the new CA alone: a value that the pods have not yet.
    await waitUntil(async () => {
      const rotated = await operator.command("rotate", ["client-secret", "--generate", "32", "--env", "prod"], {
        token: writer,
      });
      return rotated.code === 0;
    }, 150);
  });

  step("two of three servers are lost: all that was there is there again, by the one that is left", async () => {
    const before = await digests();
    const file = await readSecretFile();
    for (const pod of ["vault-0", "vault-2"]) {
      const claims = [`pvc/data-${pod}`, `pvc/audit-${pod}`];
      await kubectl("-n", "vault", "delete", ...claims, "--wait=false");
      await kubectl("-n", "vault", "delete", "pod", pod, "--grace-period=0", "--force");
    }
    const broken = async (): Promise<object | undefined> => {
      const { stdout } = await operator.command("verify", ["--env", "prod", "--json"], { token: stackToken });
      return (JSON.parse(stdout) as Verification).links.find(({ state }) => state === "broken");
    };
    const seen = new Set<string>();
    const lost = await waitUntil(async () => {
      seen.add(JSON.stringify((await broken()) ?? {}));
      return [...seen].at(-1)!.includes("no server of Vault leads");
    }, 120).catch(() => NaN);
    console.info(`verify said after ${lost.toFixed(0)} s: ${[...seen].join("\n")}`);
    expect(lost).toBeLessThan(120);
    await waitUntil(
      async () =>
        (await kubectl("-n", "vault", "get", "pod", "vault-0", "-o", "jsonpath={.status.phase}")) === "Running",
      120,
    );
    const init = await operator.command("vault:init", ["--env", "prod"]);
    expectExit(init, 2);
    expect(init.stderr).toContain("vault-1 of 3 servers of Vault has data, so it is initialised already");
    const start = Date.now();
    const heading = "Lost quorum";
    for (const index of [0, 1, 2]) await operator.follow(heading, index);
    await operator.follow(heading, 3, { input: shares(), token: writer });
    console.info(`verify was green ${Math.round((Date.now() - start) / 1000)} s after the first command`);
    for (const pod of servers) expect(await sealStatus(pod)).toMatchObject({ initialized: true, sealed: false });
    expect(await digests()).toEqual(before);
    expect(await readSecretFile()).toBe(file);
  });

  step("too few shares are left: pods keep their files, and a new Vault has their values", async () => {
    const before = await readSecretFile();
    const heading = "Too few shares are left";
    await operator.follow(heading, 0);
    const printed = await operator.follow(heading, 1);
    keyShares = [...printed.matchAll(/^key share \d: (\S+)$/gm)].map(([, share]) => share!).slice(0, 3);
    stackToken = /^the stack's token: (\S+)$/m.exec(printed)![1]!;
    writer = /^the operators' token: (\S+)$/m.exec(printed)![1]!;
    expect(await readSecretFile()).toBe(before);
    await operator.follow(heading, 2, { token: stackToken, exitCode: 3 });
    expect(await readSecretFile()).toBe(before);
    await operator.follow(heading, 3, { token: writer });
    await operator.follow(heading, 4, { token: stackToken });
    await operator.follow(heading, 5, { token: writer, input: shares() });
    expect(await readSecretFile()).toBe(before);
  });

  step("no command of the page was left out", () => {
    expect(operator.notRun).toEqual([]);
    return Promise.resolve();
  });
});
