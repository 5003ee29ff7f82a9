import { createHash } from "node:crypto";
import { environmentAnnotation } from "../../../constructs/kubernetes";
import { VersionConflictError } from "../../../constructs/secrets";
import { UnknownOutcomeError } from "../../../constructs/settle";
import { VaultError } from "../../../constructs/stores/vault";
import { InvalidRequestError, NotServedError, UnreachableError } from "../../../infra/operate/errors";
import type { RotateOptions, Rotation } from "../../../infra/operate/follow-change";
import { PermissionDeniedError } from "../../../infra/operate/permission-denied";
import { remake, rollBack, rotate } from "../../../infra/operate/rotate";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";
import { clientSecret, config, expectNoSecret, rootToken, Site, staticRole, values } from "./site";

hurryTimers();

let site: Site;
/** Everything that was told, returned or thrown in a test. */
let said: unknown[];
beforeEach(async () => {
  site = await Site.start();
  said = [];
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  delete process.env.VAULT_TOKEN;
});
afterEach(async () => {
  expectNoSecret(...said);
  await site.stop();
});

const newValue = "second hunter2";
const path = "aidbox/client";

/** Runs a rotation or a roll-back, and notes all that it says. */
async function noting(
  run: (options: RotateOptions) => Promise<Rotation>,
  options: RotateOptions = {},
): Promise<Rotation> {
  try {
    const rotation = await run({ vaultToken: rootToken, onProgress: (text) => said.push(text), ...options });
    said.push(rotation);
    return rotation;
  } catch (error) {
    said.push(error);
    throw error;
  }
}

function rotated(name = "client-secret", options: RotateOptions = {}, value = newValue): Promise<Rotation> {
  return noting((all) => rotate(site.environment, name, () => Promise.resolve(value), all), options);
}

function rolledBack(version: number, options: RotateOptions = {}, name = "client-secret"): Promise<Rotation> {
  return noting((all) => rollBack(site.environment, name, version, all), options);
}

/** Nothing was written, to Vault or to the cluster. */
function expectNothingWritten(): void {
  expect(site.vault.writes.filter((each) => !/login$|revoke-self$/.test(each))).toEqual([]);
  expect(site.cluster.writes).toEqual([]);
}

const republished = (pod: string): string => `patch pods/status ${pod}`;

describe("a rotation", () => {
  test("writes the value, has each pod published again, and tells when each served it", async () => {
    const start = Date.now();
    const rotation = await rotated();
    const took = (Date.now() - start) / 1000;
    const seconds = expect.any(Number) as number;
    expect(rotation).toEqual({
      secret: "client-secret",
      path: "secret/aidbox/client",
      previousVersion: 1,
      version: 2,
      pods: [
        { pod: "aidbox-a", seconds },
        { pod: "aidbox-b", seconds },
      ],
    });
    for (const pod of rotation.pods) {
      expect(pod.seconds).toBeGreaterThanOrEqual(0);
      expect(pod.seconds).toBeLessThanOrEqual(took);
    }
    expect([...new Set(said.slice(0, -1))]).toEqual([
      "client-secret is at version 1: taking the new value",
      "version 2 is written: 0 of 2 pods serve it",
      "version 2 is written: 1 of 2 pods serve it",
      "version 2 is written: 2 of 2 pods serve it",
    ]);
  });

  // That it is written is told where it is written, and again where its way is followed.
  test("tells each step once", async () => {
    await rotated();
    expect(said).toHaveLength(new Set(said).size);
  });

  test("keeps the path's other keys, and writes once, on top of the version that it saw", async () => {
    await rotated();
    expect(site.vault.writes).toEqual(["PATCH secret/data/aidbox/client"]);
    const [write] = site.vault.requests.filter(({ method }) => method === "PATCH");
    expect(write!.body).toEqual({ options: { cas: 1 }, data: { "client-secret": newValue } });
    expect(site.vault.data(path)).toEqual({ "client-secret": newValue, neighbour: values.neighbour });
  });

  test("whose answer is lost is looked up as the pods, and followed: it was written once", async () => {
    site.vault.loses = ({ method }) => method === "PATCH";
    const rotation = await rotated("client-secret", { vaultToken: site.restrictTo("rotator") });
    expect(rotation).toMatchObject({ version: 2, pods: [{ pod: "aidbox-a" }, { pod: "aidbox-b" }] });
    expect(site.vault.writes.filter((each) => each.startsWith("PATCH"))).toHaveLength(1);
    expect([...site.vault.tokens.keys()].filter((token) => token.startsWith("hvs.login"))).toEqual([]);
  });

  test("whose answer is lost, and which nobody can look up, says how to see it", async () => {
    site.vault.loses = ({ method }) => method === "PATCH";
    site.vault.intercept = ({ path: asked }) =>
      asked === "auth/kubernetes/login" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
    const error = await errorOf(rotated());
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.message).toBe(
      "The write of secret/aidbox/client got no clear answer (fetch failed: other side closed), and it cannot be looked up " +
        "(Vault answered POST auth/kubernetes/login with 403: permission denied): whether it was carried out is not known.\n" +
        "To see it: npm run status -- --env test",
    );
  });

  test("changes nothing of the cluster but an annotation of each pod, once", async () => {
    const before = Date.now();
    await rotated();
    expect([...site.cluster.writes].sort()).toEqual([republished("aidbox-a"), republished("aidbox-b")]);
    for (const { body, headers, resource } of site.cluster.requests) {
      if (resource !== "pods/status") continue;
      const { metadata, ...rest } = body as { metadata: { annotations: Record<string, string> } };
      expect(rest).toEqual({});
      expect(Object.keys(metadata)).toEqual(["annotations"]);
      expect(Object.keys(metadata.annotations)).toEqual(["aidbox-secrets/republish"]);
      expect(Date.parse(metadata.annotations["aidbox-secrets/republish"]!)).toBeGreaterThanOrEqual(before);
      expect(headers["content-type"]).toBe("application/merge-patch+json");
    }
  });

  test("compares digests: no content of a file is asked for, and no value is in a request to the cluster", async () => {
    await rotated();
    const commands = site.cluster.requests.flatMap(({ resource, query }) =>
      resource === "pods/exec" ? [query.getAll("command")] : [],
    );
    expect(new Set(commands.map((each) => each.join(" ")))).toEqual(new Set([`sha256sum ${clientSecret}`]));
    const digest = createHash("sha256").update(newValue).digest("hex");
    for (const { query, body } of site.cluster.requests) {
      expect(`${query.toString()} ${JSON.stringify(body)}`).not.toMatch(new RegExp(`hunter2|${digest}`));
    }
  });

  test("takes the value once, after it has seen the version and before it writes", async () => {
    const value = jest.fn(() => {
      expect(said.at(-1)).toBe("client-secret is at version 1: taking the new value");
      expect(site.vault.writes).toEqual([]);
      return Promise.resolve(newValue);
    });
    await noting((options) => rotate(site.environment, "client-secret", value, options));
    expect(value).toHaveBeenCalledTimes(1);
  });

  test("waits for a pod that serves late, and tells of each by itself", async () => {
    site.busy.set("aidbox-b", () => setTimeout(() => { site.publish("aidbox-b"); }, 700)); // prettier-ignore
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a", "aidbox-b"]);
    expect(pods[0]!.seconds).toBeLessThan(pods[1]!.seconds);
    expect(pods[1]!.seconds).toBeGreaterThanOrEqual(0.7);
  });

  test("asks a pod again that did not notice the first time", async () => {
    let asked = 0;
    site.busy.set("aidbox-b", () => {
      if (++asked === 2) site.publish("aidbox-b");
    });
    const { pods } = await rotated();
    expect(pods[1]!.seconds).toBeGreaterThan(4);
    expect(asked).toBe(2);
    expect(site.cluster.writes.filter((each) => each === republished("aidbox-a"))).toHaveLength(1);
  });

  test("waits for no pod that goes away meanwhile", async () => {
    site.busy.set("aidbox-b", () => {
      site.cluster.delete("Pod", "aidbox-b");
    });
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a"]);
  });

  test("waits for no pod that is told to end while it cannot be looked into", async () => {
    site.busy.set("aidbox-b", () => {
      site.cluster.execution = (pod) => (pod === "aidbox-b" ? "loses its connection" : "runs");
      site.cluster.object("Pod", "aidbox-b").metadata.deletionTimestamp = new Date().toISOString();
    });
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a"]);
  });

  test("follows a pod too that takes another's place, and has mounted the former value", async () => {
    site.busy.set("aidbox-b", () => {
      site.cluster.delete("Pod", "aidbox-b");
      site.addPod("aidbox-c");
      site.cluster.files.get("aidbox-c")!.set(clientSecret, values["client-secret"]);
    });
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a", "aidbox-c"]);
    expect(site.cluster.writes).toContain(republished("aidbox-c"));
  });

  test("goes on after a connection to a pod broke", async () => {
    let broken = 0;
    site.cluster.execution = () => (++broken <= 3 ? "loses its connection" : "runs");
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a", "aidbox-b"]);
  });

  test.each<[what: string, change: object]>([
    ["was told to end", { metadata: { deletionTimestamp: new Date().toISOString() } }],
    ["has failed", { status: { phase: "Failed" } }],
    ["does not run yet", { status: { containerStatuses: [{ name: "aidbox", state: { waiting: {} } }] } }],
    ["has no containers yet", { status: { containerStatuses: null } }],
    ["is of another Aidbox", { metadata: { labels: { "app.kubernetes.io/instance": "other" } } }],
  ])("leaves alone a pod that %s", async (_, change) => {
    site.cluster.change("Pod", "aidbox-b", change);
    const { pods } = await rotated();
    expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a"]);
    expect(site.cluster.writes).toEqual([republished("aidbox-a")]);
  });

  test("is done at once where no pod runs", async () => {
    for (const pod of ["aidbox-a", "aidbox-b"]) site.cluster.delete("Pod", pod);
    expect((await rotated()).pods).toEqual([]);
    expect(site.vault.data(path)["client-secret"]).toBe(newValue);
  });

  test("takes VAULT_TOKEN where no token is given", async () => {
    process.env.VAULT_TOKEN = rootToken;
    const { version } = await rotate(site.environment, "client-secret", () => Promise.resolve(newValue));
    expect(version).toBe(2);
  });

  test("leaves no login in Vault", async () => {
    await rotated();
    expect([...site.vault.tokens.keys()]).toEqual([rootToken]);
  });
});

describe("a secret that is an environment variable too", () => {
  const name = "admin-password";
  const secretName = "aidbox-environment";

  /** Has a workload as its API server shows it once all of it is new. */
  function addWorkload(kind: string, workload: string, container: object, at = "containers"): void {
    const counts = { observedGeneration: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1, replicas: 1 };
    site.cluster.add({
      apiVersion: "apps/v1",
      kind,
      metadata: { name: workload, namespace: "health", generation: 1 },
      spec: {
        replicas: 1,
        selector: {},
        template: { spec: { containers: [{ name: "other" }], [at]: [{ name: "main", ...container }] } },
      },
      status: { ...counts, desiredNumberScheduled: 1, numberReady: 1, updatedNumberScheduled: 1 },
    });
  }
  const takes = (key: string, from = secretName): object => ({
    env: [
      { name: "PLAIN", value: "x" },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: from, key } } },
    ],
  });
  /** What was changed of workloads. */
  const workloadWrites = (): string[] => site.cluster.writes.filter((each) => !each.startsWith("patch pods/status"));
  const annotationsOf = (kind: string, workload: string): string[] => {
    const { spec } = site.cluster.object(kind, workload) as {
      spec?: { template: { metadata: { annotations: object } } };
    };
    return Object.keys(spec!.template.metadata.annotations);
  };
  /** Has the Deployment's last pod become new a while later. */
  const finishLate = (): void => {
    site.cluster.change("Deployment", "aidbox", { status: { updatedReplicas: 0 } });
    setTimeout(() => {
      site.cluster.change("Deployment", "aidbox", { status: { updatedReplicas: 1 } });
    }, 800);
  };

  test("is followed into the Kubernetes Secret, and what takes it is named, not waited for", async () => {
    finishLate();
    const { synced } = await rotated(name);
    expect(synced).toEqual({
      name: secretName,
      seconds: expect.any(Number) as number,
      consumers: [{ kind: "Deployment", name: "aidbox", rollsByItself: true }],
      restarted: false,
    });
    expect(said.at(-2)).toBe("waiting for the Kubernetes Secret aidbox-environment");
    expect(workloadWrites()).toEqual([]);
  });

  test("names each workload that takes this key, in whatever way, and no other", async () => {
    addWorkload("StatefulSet", "by-key", takes("BOX_ADMIN_PASSWORD"));
    addWorkload("DaemonSet", "whole", { envFrom: [{ secretRef: { name: secretName } }] });
    addWorkload("Deployment", "at-first", takes("BOX_ADMIN_PASSWORD"), "initContainers");
    addWorkload("Deployment", "other-key", takes("BOX_LICENSE"));
    addWorkload("Deployment", "other-secret", takes("BOX_ADMIN_PASSWORD", "another"));
    addWorkload("StatefulSet", "config-map", { envFrom: [{ configMapRef: { name: secretName } }] });
    const { synced } = await rotated(name);
    expect(synced!.consumers).toEqual([
      { kind: "Deployment", name: "aidbox", rollsByItself: true },
      { kind: "Deployment", name: "at-first", rollsByItself: false },
      { kind: "StatefulSet", name: "by-key", rollsByItself: false },
      { kind: "DaemonSet", name: "whole", rollsByItself: false },
    ]);
  });

  test("rolls what takes it where that is asked for, one after the other, and waits until all of it is new", async () => {
    addWorkload("StatefulSet", "by-key", takes("BOX_ADMIN_PASSWORD"));
    addWorkload("DaemonSet", "whole", { envFrom: [{ secretRef: { name: secretName } }] });
    finishLate();
    const { synced } = await rotated(name, { restart: true });
    expect(synced).toMatchObject({ restarted: true, consumers: { length: 3 } });
    // The Republisher rolls Aidbox.
    expect(workloadWrites()).toEqual(["patch statefulsets by-key", "patch daemonsets whole"]);
    expect(said.slice(-4, -1)).toEqual([
      "rolling Deployment aidbox",
      "rolling StatefulSet by-key",
      "rolling DaemonSet whole",
    ]);
    expect(site.cluster.object("Deployment", "aidbox")).toMatchObject({ status: { updatedReplicas: 1 } });
    expect(annotationsOf("DaemonSet", "whole")).toEqual(["kubectl.kubernetes.io/restartedAt"]);
  });

  test("waits where that is asked for until the Republisher has rolled Aidbox", async () => {
    site.rolls = false;
    let start = Infinity;
    // A roll before it is waited for is not the one that is waited for.
    const onProgress = (text: string): void => {
      if (text !== "rolling Deployment aidbox") return;
      start = Date.now();
      setTimeout(() => {
        site.rollAidbox();
      }, 700);
    };
    const { synced } = await rotated(name, { restart: true, onProgress });
    expect(Date.now() - start).toBeGreaterThanOrEqual(700);
    expect(synced).toMatchObject({ restarted: true });
    expect(workloadWrites()).toEqual([]);
  });

  test("rolls Aidbox too where the Republisher has not noted yet what its pods have", async () => {
    site.rolls = false;
    site.cluster.change("Deployment", "aidbox", { metadata: { annotations: null } });
    const { synced } = await rotated(name, { restart: true, vaultToken: site.restrictTo("rotator") });
    expect(synced!.consumers).toEqual([{ kind: "Deployment", name: "aidbox", rollsByItself: false }]);
    expect(workloadWrites()).toEqual(["patch deployments aidbox"]);
  });

  test("does not take another's workload with the note for one that the Republisher rolls", async () => {
    addWorkload("Deployment", "other", takes("BOX_ADMIN_PASSWORD"));
    site.cluster.change("Deployment", "other", { metadata: { annotations: { [environmentAnnotation]: "noted" } } });
    addWorkload("StatefulSet", "aidbox", takes("BOX_ADMIN_PASSWORD"));
    const { synced } = await rotated(name);
    expect(synced!.consumers.map(({ kind, rollsByItself }) => [kind, rollsByItself])).toEqual([
      ["Deployment", true],
      ["Deployment", false],
      ["StatefulSet", false],
    ]);
  });

  test("rolls Aidbox too where there is no Republisher that does", async () => {
    await site.stop();
    site = await Site.start({ rotationBound: "90s" });
    site.rolls = false;
    process.env.KUBECONFIG = site.cluster.kubeconfig;
    finishLate();
    const { synced } = await rotated(name, { restart: true, vaultToken: site.restrictTo("rotator") });
    expect(synced!.consumers).toEqual([{ kind: "Deployment", name: "aidbox", rollsByItself: false }]);
    expect(workloadWrites()).toEqual(["patch deployments aidbox"]);
    expect(annotationsOf("Deployment", "aidbox")).toContain("kubectl.kubernetes.io/restartedAt");
    expect(site.cluster.object("Deployment", "aidbox")).toMatchObject({ status: { updatedReplicas: 1 } });
  });

  test("fails where the Kubernetes Secret does not follow in time", async () => {
    site.syncs = false;
    const error = await errorOf(rotated(name, { timeoutSeconds: 2 }));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      "The pods' files have the new value of admin-password, but the Kubernetes Secret aidbox-environment has not.\n" +
        "To see it: kubectl --context somewhere -n health describe secret aidbox-environment\n" +
        "To go back: npm run rotate -- admin-password --rollback 1 --env test",
    );
  });

  test("fails so too where there is no Kubernetes Secret", async () => {
    site.syncs = false;
    site.cluster.delete("Secret", secretName);
    const error = await errorOf(rotated(name, { timeoutSeconds: 2 }));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toMatch(/, but the Kubernetes Secret aidbox-environment has not\.\n/);
  });

  test("says how to go back where it cannot be seen what takes it", async () => {
    site.cluster.intercept = ({ resource }) =>
      resource === "statefulsets" ? { status: 500, body: { message: "etcdserver: request timed out" } } : undefined;
    const error = await errorOf(rotated(name));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      "Version 2 of admin-password is in Vault, but it was not seen to arrive: etcdserver: request timed out\n" +
        "To go back: npm run rotate -- admin-password --rollback 1 --env test",
    );
  });

  test("says so too where a right turns out to be lacking only then", async () => {
    addWorkload("StatefulSet", "by-key", takes("BOX_ADMIN_PASSWORD"));
    const error = await errorOf(rotated(name, { restart: true, vaultToken: site.restrictTo("rotator") }));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      "Version 2 of admin-password is in Vault, but it was not seen to arrive: Missing permission: " +
        'statefulsets "by-key" is forbidden: User "operator" cannot patch resource "statefulsets" in API group "apps" ' +
        'in the namespace "health". See `npm run rights` for all that the commands need.\n' +
        "To go back: npm run rotate -- admin-password --rollback 1 --env test",
    );
  });

  test("needs neither Kubernetes Secret nor workloads where it is a file only", async () => {
    expect(await rotated("client-secret")).not.toHaveProperty("synced");
    const asked = site.cluster.requests.map(({ resource }) => resource);
    for (const each of ["secrets", "deployments", "statefulsets", "daemonsets"]) expect(asked).not.toContain(each);
  });
});

describe("a rotation that not all pods serve in time", () => {
  test("fails with what is stale, and how to see why and to go back", async () => {
    site.busy.set("aidbox-b", () => undefined);
    const error = await errorOf(rotated("client-secret", { timeoutSeconds: 2 }));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      "Version 2 of client-secret is in Vault, but after 2 s not in aidbox-b.\n" +
        "To see why: npm run verify -- --env test\n" +
        "To go back: npm run rotate -- client-secret --rollback 1 --env test",
    );
    expect(said.at(-2)).toBe("version 2 is written: 1 of 2 pods serve it");
    expect(site.vault.data(path)["client-secret"]).toBe(newValue);
  });

  test("names all that are stale", async () => {
    for (const pod of ["aidbox-a", "aidbox-b"]) site.busy.set(pod, () => undefined);
    const error = await errorOf(rotated("client-secret", { timeoutSeconds: 2 }));
    expect(error.message).toContain("but after 2 s not in aidbox-a, aidbox-b.\n");
  });

  test("follows no Kubernetes Secret any more", async () => {
    site.busy.set("aidbox-b", () => undefined);
    await errorOf(rotated("admin-password", { timeoutSeconds: 2, restart: true }));
    expect(said).not.toContain("waiting for the Kubernetes Secret aidbox-environment");
    expect(site.cluster.requests.map(({ resource }) => resource)).not.toContain("secrets");
  });

  test("is one of a file that is not there, too", async () => {
    site.busy.set("aidbox-b", () => site.cluster.files.delete("aidbox-b"));
    expect(await errorOf(rotated("client-secret", { timeoutSeconds: 2 }))).toBeInstanceOf(NotServedError);
  });

  test.each([
    ["never ends", "sha256sum gave no answer in pod aidbox-b for 10 s"],
    [
      "is not in the image",
      'sha256sum did not run in pod aidbox-b: exec: "sha256sum": executable file not found in $PATH',
    ],
    ["loses its connection", "the connection to pod aidbox-b broke"],
  ] as const)("is one of a command that %s, too, which is told", async (outcome, reason) => {
    site.cluster.execution = (pod) => (pod === "aidbox-b" ? outcome : "runs");
    const error = await errorOf(rotated("client-secret", { timeoutSeconds: 1 }));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      `Version 2 of client-secret is in Vault, but after 1 s not in aidbox-b (${reason}).\n` +
        "To see why: npm run verify -- --env test\n" +
        "To go back: npm run rotate -- client-secret --rollback 1 --env test",
    );
  });

  test("is one of a pod that may not be published again any more, too", async () => {
    site.cluster.intercept = ({ resource, name: pod }) =>
      resource === "pods/status" && pod === "aidbox-b" ? { status: 409, body: { message: "try again" } } : undefined;
    const error = await errorOf(rotated("client-secret", { timeoutSeconds: 1 }));
    expect(error.message).toContain(" not in aidbox-b");
    expect(error).toBeInstanceOf(NotServedError);
  });

  test("looks once at least, however short the time", async () => {
    expect((await rotated("client-secret", { timeoutSeconds: 0 })).pods).toHaveLength(2);
  });
});

describe("nothing is written", () => {
  afterEach(expectNothingWritten);

  test("where somebody else wrote while the value was read", async () => {
    const value = (): Promise<string> => {
      site.vault.put(path, { "client-secret": "the other's hunter2" });
      return Promise.resolve(newValue);
    };
    const error = await errorOf(noting((options) => rotate(site.environment, "client-secret", value, options)));
    expect(error).toBeInstanceOf(VersionConflictError);
    expect(error.message).toBe(
      "aidbox/client is no longer at version 1: somebody else wrote it, and this write left it alone",
    );
    expect(site.vault.data(path)).toEqual({ "client-secret": "the other's hunter2" });
    // The attempt, which Vault refuses, is the one write.
    expect(site.vault.writes).toEqual(["PATCH secret/data/aidbox/client"]);
    (site.vault.requests as unknown[]).length = 0;
  });

  test("where the value cannot be had", async () => {
    const value = (): Promise<string> => Promise.reject(new InvalidRequestError("the new value is empty"));
    const error = await errorOf(noting((options) => rotate(site.environment, "client-secret", value, options)));
    expect(error).toEqual(new InvalidRequestError("the new value is empty"));
  });

  test("of a managed secret, which nothing is asked about", async () => {
    for (const run of [() => rotated("db-password"), () => rolledBack(1, {}, "db-password")]) {
      const error = await errorOf(run());
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error.message).toBe(
        "db-password is managed: Pulumi writes its value, and the next up could write the old one again. " +
          "Set the new one with\n" +
          "  pulumi config set --secret --path aidbox-secrets:values.db-password\n" +
          "and run npm run up -- --env test",
      );
    }
    expect([site.cluster.requests, site.vault.requests]).toEqual([[], []]);
  });

  test("of a secret that the table has not", async () => {
    const error = await errorOf(rotated("client-secrets"));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(
      'environment "test" has no secret "client-secrets": did you mean client-secret? It has client-secret, neighbour, admin-password, db-password',
    );
  });

  test.each<[what: string, change: () => unknown]>([
    ["is not in Vault", () => { site.vault.remove(path); }], // prettier-ignore
    ["has no such key", () => site.vault.put(path, { neighbour: values.neighbour })],
    ["was deleted", () => (site.vault.version(path).deletion_time = "2026-02-03T04:05:06Z")],
    ["was destroyed", () => (site.vault.version(path).destroyed = true)],
  ])("of a secret that %s", async (_, change) => {
    change();
    const error = await errorOf(rotated());
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(
      "secret/aidbox/client has no key client-secret to rotate: see npm run verify -- --env test",
    );
  });

  describe("where a right is lacking", () => {
    const end = " See `npm run rights` for all that the commands need.";

    test("and all that lack are named, before the value is asked for", async () => {
      const vaultToken = site.restrictTo("viewer");
      site.revoke("get", "pods/exec");
      site.revoke("list", "pods");
      const value = jest.fn(() => Promise.resolve(newValue));
      const error = await errorOf(
        noting((options) => rotate(site.environment, "client-secret", value, options), { vaultToken }),
      );
      expect(error).toBeInstanceOf(PermissionDeniedError);
      expect(error.message).toBe(
        'Missing permission: "list" on pods in namespace health; "get" on pods/exec in namespace health; ' +
          '"patch" on pods/status in namespace health; "patch" on secret/data/aidbox/client in Vault.' +
          end,
      );
      expect(value).not.toHaveBeenCalled();
    });

    test("for a synced secret, and for a roll of what takes it", async () => {
      const vaultToken = site.restrictTo("rotator");
      site.revoke("get", "secrets");
      site.revoke("patch", "deployments");
      expect((await errorOf(rotated("admin-password", { vaultToken }))).message).toBe(
        `Missing permission: "get" on secrets in namespace health.${end}`,
      );
      expect((await errorOf(rotated("admin-password", { vaultToken, restart: true }))).message).toBe(
        'Missing permission: "get" on secrets in namespace health; "patch" on deployments in namespace health.' + end,
      );
    });

    test("to list the workloads that may take a synced secret", async () => {
      const vaultToken = site.restrictTo("rotator");
      site.revoke("list", "statefulsets");
      const error = await errorOf(rotated("admin-password", { vaultToken }));
      expect(error).toBeInstanceOf(PermissionDeniedError);
      const lacks = ["deployments", "statefulsets", "daemonsets"].map(
        (each) => `"list" on ${each} in namespace health`,
      );
      expect(error.message).toBe(`Missing permission: ${lacks.join("; ")}.${end}`);
    });

    test("in Vault, to see the versions", async () => {
      site.vault.allow("hvs.blind", 'path "secret/data/aidbox/client" { capabilities = ["patch"] }');
      const error = await errorOf(rotated("client-secret", { vaultToken: "hvs.blind" }));
      expect(error).toBeInstanceOf(PermissionDeniedError);
      expect(error.message).toBe(
        "Missing permission: Vault refuses GET secret/metadata/aidbox/client with this token; " +
          `Vault refuses GET secret/subkeys/aidbox/client with this token.${end}`,
      );
    });

    test("since the token is none of Vault's", async () => {
      const error = await errorOf(rotated("client-secret", { vaultToken: "hvs.of-yesterday" }));
      expect(error).toBeInstanceOf(PermissionDeniedError);
      expect(error.message).toBe(`Missing permission: Vault refuses POST sys/capabilities-self with this token.${end}`);
    });

    test("since there is no token", async () => {
      const error = await errorOf(rotate(site.environment, "client-secret", () => Promise.resolve(newValue)));
      expect(error).toBeInstanceOf(PermissionDeniedError);
      expect(error.message).toBe(`Missing permission: a Vault token: set VAULT_TOKEN.${end}`);
      await new Promise((resolve) => setTimeout(resolve, 100)); // what was asked of the cluster meanwhile is answered
    });
  });

  describe("where something cannot be reached", () => {
    const why = "to see why: npm run verify -- --env test";

    test("as the cluster", async () => {
      site.cluster.intercept = ({ resource }) =>
        resource === "version" ? { status: 503, body: { message: "not today" } } : undefined;
      const error = await errorOf(rotated());
      expect(error).toBeInstanceOf(UnreachableError);
      expect(error.message).toBe("the cluster of context somewhere does not answer: not today");
    });

    test.each([
      ["not initialised", { initialized: false, sealed: true }],
      ["sealed", { initialized: true, sealed: true }],
    ])("as a Vault that is %s", async (state, health) => {
      site.vault.intercept = ({ path: asked }) =>
        asked.startsWith("sys/health") ? { status: 200, body: { ...health, version: "2.0.4" } } : undefined;
      const error = await errorOf(rotated());
      expect(error).toBeInstanceOf(UnreachableError);
      expect(error.message).toBe(`Vault is ${state}; ${why}`);
    });

    test("as a Vault that answers nothing that makes sense", async () => {
      site.vault.intercept = () => ({ status: 502, body: "<html>Bad gateway</html>" });
      expect(await errorOf(rotated())).toEqual(new UnreachableError(`Vault does not answer; ${why}`));
    });
  });
});

describe("a roll-back", () => {
  beforeEach(() => {
    site.vault.put(path, { "client-secret": "second hunter2", neighbour: values.neighbour });
    site.vault.put(path, { "client-secret": "third hunter2", neighbour: "changed hunter2" });
    for (const pod of ["aidbox-a", "aidbox-b"]) site.publish(pod);
  });

  test("writes the value of an earlier version as a new one, and leaves the other keys as they are", async () => {
    const rotation = await rolledBack(1);
    expect(rotation).toMatchObject({
      previousVersion: 3,
      version: 4,
      pods: [{ pod: "aidbox-a" }, { pod: "aidbox-b" }],
    });
    expect(site.vault.data(path)).toEqual({ "client-secret": values["client-secret"], neighbour: "changed hunter2" });
    for (const pod of ["aidbox-a", "aidbox-b"]) {
      expect(site.cluster.files.get(pod)!.get(clientSecret)).toBe(values["client-secret"]);
    }
  });

  test("reads the value by a login of the pods, which it ends, since an operator's token reads none", async () => {
    const vaultToken = site.restrictTo("rotator");
    await rolledBack(1, { vaultToken });
    const reads = site.vault.requests.filter(({ method, path: asked }) => method === "GET" && asked.includes("/data/"));
    expect(reads.map((each) => [each.path, each.headers["x-vault-token"]])).toEqual([
      ["secret/data/aidbox/client?version=1", "hvs.login-1"],
    ]);
    expect([...site.vault.tokens.keys()]).toEqual([rootToken, vaultToken]);
  });

  test("writes an object as one, without what a later version had added to it", async () => {
    const account = { uri: "https://x.example/?a=1&b=2" };
    const first = site.vault.put(path, { "client-secret": { account }, neighbour: values.neighbour });
    site.vault.put(path, { "client-secret": { account: { uri: "hunter2", more: 1 } }, neighbour: values.neighbour });
    await rolledBack(first);
    expect(site.vault.data(path)).toEqual({ "client-secret": { account }, neighbour: values.neighbour });
    expect(site.cluster.files.get("aidbox-a")!.get(clientSecret)).toBe(
      String.raw`{"account":{"uri":"https://x.example/?a=1\u0026b=2"}}`,
    );
  });

  test("to an object with null inside is refused, which Vault's patch would delete", async () => {
    const first = site.vault.put(path, { "client-secret": { account: null } });
    site.vault.put(path, { "client-secret": "hunter2" });
    const error = await errorOf(rolledBack(first));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(
      "nothing was written: it has null inside, which Vault's patch takes for the order to delete",
    );
    expectNothingWritten();
  });

  const choose = (version: number, versions: string): string =>
    `version ${version} of client-secret holds no value: choose one of ${versions}`;

  test("to a version that there is none of is refused, with those that there are", async () => {
    const error = await errorOf(rolledBack(9));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(choose(9, "1, 2, 3"));
    expectNothingWritten();
  });

  test("to one that was deleted or destroyed is refused, with the others", async () => {
    site.vault.version(path, 1).deletion_time = "2026-02-03T04:05:06Z";
    site.vault.version(path, 2).destroyed = true;
    expect((await errorOf(rolledBack(1))).message).toBe(choose(1, "3"));
    expect((await errorOf(rolledBack(2))).message).toBe(choose(2, "3"));
    expectNothingWritten();
  });

  test("to one that had no such key is refused", async () => {
    site.vault.put("aidbox/admin", { other: "hunter2" });
    site.vault.put("aidbox/admin", { "admin-password": "hunter2" });
    const error = await errorOf(rolledBack(2, {}, "admin-password"));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toMatch(/^version 2 of admin-password holds no value: /);
    expectNothingWritten();
  });

  // Those are live until then (`delete_version_after`).
  test("names versions that Vault deletes later among those to choose from", async () => {
    for (const number of [1, 2, 3]) site.vault.version(path, number).deletion_time = "2999-01-01T00:00:00Z";
    expect((await errorOf(rolledBack(9))).message).toBe(choose(9, "1, 2, 3"));
  });

  // Vault takes ?version=0 for the current one.
  test("to version 0 is refused", async () => {
    const error = await errorOf(rolledBack(0));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe("there is no version 0: versions begin with 1");
    expectNothingWritten();
  });

  test("ends its login too where the version cannot be read", async () => {
    site.vault.intercept = ({ path: asked }) =>
      asked.includes("/data/") ? { status: 500, body: { errors: ["internal error"] } } : undefined;
    await errorOf(rolledBack(1));
    expect([...site.vault.tokens.keys()]).toEqual([rootToken]);
    expectNothingWritten();
  });

  test("can be rolled back in turn, by what its error or result tells", async () => {
    site.busy.set("aidbox-b", () => undefined);
    const error = await errorOf(rolledBack(1, { timeoutSeconds: 2 }));
    expect(error.message).toContain("To go back: npm run rotate -- client-secret --rollback 3 --env test");
    site.busy.clear();
    await rolledBack(3);
    expect(site.vault.data(path)["client-secret"]).toBe("third hunter2");
  });
});

test("a roll-back is told as it went where its login cannot be ended", async () => {
  await rotated();
  site.vault.intercept = ({ path: asked }) =>
    asked === "auth/token/revoke-self" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
  expect(await rolledBack(1)).toMatchObject({ version: 3 });
});

describe("the password of a PostgreSQL for development", () => {
  const name = "database-password";
  const own = "aidbox/database";
  const row = { name, path: own, environment: "BOX_DB_PASSWORD" };
  const pod = "aidbox-postgres-0";

  async function start(database: object | undefined): Promise<void> {
    await site.stop();
    site = await Site.start({
      development: true,
      secrets: [row],
      ...(database === undefined ? {} : { database }),
    });
    process.env.KUBECONFIG = site.cluster.kubeconfig;
    site.cluster.add({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: pod, namespace: "health", labels: { "app.kubernetes.io/instance": "aidbox-postgres" } },
    });
    site.busy.set(pod, () => undefined); // its files are none of Aidbox's
  }
  /** What was changed of the cluster, in order. */
  const writes = (): readonly string[] => site.cluster.writes;

  test.each([
    ["rotation", (vaultToken: string) => rotated(name, { vaultToken })],
    ["roll-back", (vaultToken: string) => rolledBack(1, { vaultToken }, name)],
  ])("reaches it by a %s before Aidbox, with a rotator's rights", async (_, run) => {
    await start({ mode: "development" });
    await run(site.restrictTo("rotator"));
    expect(writes()[0]).toBe(republished(pod));
    expect([...writes()].sort()).toEqual([republished("aidbox-a"), republished("aidbox-b"), republished(pod)]);
  });

  test("is that of Aidbox alone where the database is an external one, or none is told", async () => {
    const external = { mode: "external", host: "postgres.example.com", tls: { mode: "require" } };
    for (const database of [external, undefined]) {
      await start(database);
      await rotated(name);
      expect([...writes()].sort()).toEqual([republished("aidbox-a"), republished("aidbox-b")]);
    }
  });

  test("reaches Aidbox also while no pod of it runs", async () => {
    await start({ mode: "development" });
    site.cluster.delete("Pod", pod);
    expect((await rotated(name)).pods).toHaveLength(2);
  });

  test("that cannot be published again there is not rolled out, and it is told how to go back", async () => {
    await start({ mode: "development" });
    site.cluster.intercept = ({ resource, name: asked }) =>
      resource === "pods/status" && asked === pod ? { status: 500, body: { message: "not today" } } : undefined;
    const error = await errorOf(rotated(name));
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      "Version 2 of database-password is in Vault, but it was not seen to arrive: The write of pod aidbox-postgres-0 " +
        "got no clear answer (not today). It was not carried out so far, but may yet be.\n" +
        "To go back: npm run rotate -- database-password --rollback 1 --env test",
    );
    expect(writes()).toEqual([republished(pod), republished(pod)]); // its answer leaves open what became of it
  });
});

describe("a rotation of a static role of Vault's database engine", () => {
  const { name, path: role } = staticRole;
  const file = "/run/vault-secrets/box-password";
  const changed = "Vault changed the password of static role box";
  const rotateRole = "POST database/rotate-role/box";
  const pods = ["aidbox-a", "aidbox-b"];
  const broken = { status: 500, body: { errors: ["internal error"] } };
  const row = { ...staticRole, environment: "BOX_DB_PASSWORD" };

  beforeEach(async () => {
    await site.stop();
    site = await Site.start({ secrets: [...config.secrets, row] });
    process.env.KUBECONFIG = site.cluster.kubeconfig;
  });

  function rotatedRole(options: RotateOptions = {}, secret = name): Promise<Rotation> {
    return noting((all) => remake(site.environment, secret, all), options);
  }

  function expectLoginEnded(): void {
    expect([...site.vault.tokens.keys()].filter((token) => token.startsWith("hvs.login"))).toEqual([]);
  }

  test("has Vault change the password once, and tells when each pod served it, and of no versions", async () => {
    const rotation = await rotatedRole();
    const seconds = expect.any(Number) as number;
    expect(rotation).toStrictEqual({
      secret: name,
      path: "database/static-creds/box",
      pods: pods.map((pod) => ({ pod, seconds })),
      synced: {
        name: "aidbox-environment",
        seconds,
        consumers: [{ kind: "Deployment", name: "aidbox", rollsByItself: true }],
        restarted: false,
      },
    });
    expect(site.vault.writes.filter((each) => each.includes("database"))).toEqual([rotateRole]);
    const { password } = site.vault.staticRole(role);
    expect(password).not.toBe(values["box-password"]);
    expect(pods.map((pod) => site.cluster.files.get(pod)!.get(file))).toEqual([password, password]);
    expect(said.slice(0, -1)).toEqual([
      "the password is changed: 0 of 2 pods serve it",
      "the password is changed: 1 of 2 pods serve it",
      "the password is changed: 2 of 2 pods serve it",
      "waiting for the Kubernetes Secret aidbox-environment",
    ]);
  });

  test("waits where that is asked for until what takes it is rolled, with a rotator's rights", async () => {
    site.rolls = false;
    site.cluster.change("Deployment", "aidbox", { metadata: { annotations: null } });
    const { synced } = await rotatedRole({ restart: true, vaultToken: site.restrictTo("rotator") });
    expect(synced).toMatchObject({ consumers: [{ name: "aidbox", rollsByItself: false }], restarted: true });
    expect(site.cluster.writes).toContain("patch deployments aidbox");
  });

  test("reads the new password by a login of the pods, which it ends, since an operator's token reads none", async () => {
    await rotatedRole({ vaultToken: site.restrictTo("rotator") });
    const reads = site.vault.requests.filter(({ path: at }) => at === "database/static-creds/box");
    expect(new Set(reads.map(({ headers }) => headers["x-vault-token"]))).toEqual(new Set(["hvs.login-1"]));
    expectLoginEnded();
  });

  test("fails where the new password cannot be read, and has no pod published again", async () => {
    site.vault.intercept = ({ path: asked }) =>
      asked === "database/static-creds/box" && site.vault.writes.includes(rotateRole) ? broken : undefined;
    const error = await errorOf(rotatedRole());
    expect(error).toBeInstanceOf(NotServedError);
    expect(error.message).toBe(
      `${changed}, but it cannot be read: Vault answered GET database/static-creds/box with 500: internal error`,
    );
    expect(site.cluster.writes).toEqual([]);
    expectLoginEnded();
  });

  test("has no pod published again where the database refuses the change", async () => {
    site.vault.intercept = ({ path: asked }) => (asked === "database/rotate-role/box" ? broken : undefined);
    const error = await errorOf(rotatedRole());
    expect(error).toBeInstanceOf(VaultError);
    expect(error.message).toBe(`Vault answered ${rotateRole} with 500: internal error`);
    expect(site.vault.writes.filter((each) => each === rotateRole)).toHaveLength(1);
    expect(site.cluster.writes).toEqual([]);
    expectLoginEnded();
  });

  test("that nobody answers is called unknown where the pods still read the old password, and is not made twice", async () => {
    site.vault.intercept = ({ path: asked }) =>
      asked === "database/rotate-role/box" ? { status: 504, body: "" } : undefined;
    const error = await errorOf(rotatedRole());
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.message).toBe(
      `The write of the password of static role box got no clear answer (Vault answered ${rotateRole} with 504). ` +
        "It was not carried out so far, but may yet be.\nTo see it: npm run status -- --env test",
    );
    expect(site.vault.writes.filter((each) => each === rotateRole)).toHaveLength(1);
  });

  test("whose answer is lost is followed where the pods can read another password, and is made once", async () => {
    site.vault.loses = ({ path: asked }) => asked === "database/rotate-role/box";
    const rotation = await rotatedRole({ vaultToken: site.restrictTo("rotator") });
    expect(rotation.pods.map(({ pod }) => pod)).toEqual(pods);
    expect(site.vault.writes.filter((each) => each === rotateRole)).toHaveLength(1);
    expectLoginEnded();
  });

  describe("names no way back", () => {
    const fails = async (options?: RotateOptions): Promise<string> => {
      const error = await errorOf(rotatedRole(options));
      expect(error).toBeInstanceOf(NotServedError);
      expectLoginEnded();
      return error.message;
    };

    test("where not all pods serve it in time", async () => {
      site.busy.set("aidbox-b", () => undefined);
      expect(await fails({ timeoutSeconds: 2 })).toBe(
        `${changed}, but after 2 s not in aidbox-b.\nTo see why: npm run verify -- --env test`,
      );
    });

    test("where the Kubernetes Secret does not follow in time", async () => {
      site.syncs = false;
      expect(await fails({ timeoutSeconds: 2 })).toBe(
        "The pods' files have the new value of box-password, but the Kubernetes Secret aidbox-environment has not.\n" +
          "To see it: kubectl --context somewhere -n health describe secret aidbox-environment",
      );
    });

    test("where it is not seen to arrive", async () => {
      site.cluster.intercept = ({ resource }) =>
        resource === "statefulsets" ? { status: 500, body: { message: "not today" } } : undefined;
      expect(await fails()).toBe(`${changed}, but it was not seen to arrive: not today`);
    });
  });

  // Vault has changed the password by then, and keeps no other.
  test("is told as it went where the login had ended by itself meanwhile", async () => {
    site.vault.intercept = ({ path: asked, headers }) => {
      if (asked === "auth/token/revoke-self") site.vault.tokens.delete(String(headers["x-vault-token"]));
      return undefined;
    };
    expect((await rotatedRole()).pods).toHaveLength(2);
  });

  describe("changes nothing", () => {
    afterEach(expectNothingWritten);

    test("without the right to, which is named", async () => {
      const vaultToken = site.restrictTo("viewer");
      site.cluster.roles = undefined;
      const error = await errorOf(rotatedRole({ vaultToken }));
      expect(error).toBeInstanceOf(PermissionDeniedError);
      expect(error.message).toBe(
        'Missing permission: "update" on database/rotate-role/box in Vault. ' +
          "See `npm run rights` for all that the commands need.",
      );
    });

    test.each(config.secrets)("of $name, whose value Vault does not make", async ({ name: secret }) => {
      const error = await errorOf(rotatedRole({}, secret));
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error.message).toBe(`${secret} is not of source database, so Vault does not make its value`);
      expect([site.cluster.requests, site.vault.requests]).toEqual([[], []]);
    });

    test.each([
      ["a value of one's own", () => rotated(name)],
      ["a roll-back", () => rolledBack(1, {}, name)],
    ])("by %s, which nothing is asked about", async (_, run) => {
      const error = await errorOf(run());
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error.message).toBe(
        "box-password is of source database: Vault makes its value and keeps no earlier one. " +
          "Have it make a new one with\n" +
          "  npm run rotate -- box-password --env test",
      );
      expect([site.cluster.requests, site.vault.requests]).toEqual([[], []]);
    });
  });
});

describe("with the documented rights and no more", () => {
  test("a rotator rotates a file, rolls back, and rolls what takes a synced secret", async () => {
    const vaultToken = site.restrictTo("rotator");
    expect((await rotated("client-secret", { vaultToken })).pods).toHaveLength(2);
    expect((await rolledBack(1, { vaultToken })).version).toBe(3);
    expect((await rotated("admin-password", { vaultToken, restart: true })).synced).toMatchObject({
      consumers: [{ kind: "Deployment", name: "aidbox", rollsByItself: true }],
      restarted: true,
    });
  });

  test("each right of the cluster that a rotation needs is asked for before it", async () => {
    const vaultToken = site.restrictTo("rotator");
    await rotated("client-secret", { vaultToken });
    const reviewed = site.cluster.requests.flatMap(({ resource, body }) => {
      if (resource !== "selfsubjectaccessreviews") return [];
      const { resourceAttributes: asked } = (body as { spec: { resourceAttributes: Record<string, string> } }).spec;
      return [`${asked.verb!} ${[asked.resource, asked.subresource].filter(Boolean).join("/")}`];
    });
    const used = site.cluster.requests
      .filter(({ namespace }) => namespace !== undefined)
      .map(({ verb, resource }) => `${verb} ${resource}`);
    expect(new Set(used)).toEqual(new Set(reviewed));
  });
});
