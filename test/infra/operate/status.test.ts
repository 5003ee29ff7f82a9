import { UnreachableError } from "../../../infra/operate/errors";
import { PermissionDeniedError } from "../../../infra/operate/permission-denied";
import { readStatus, type SecretStatus, type Status } from "../../../infra/operate/status";
import { VaultOperator } from "../../../infra/operate/stores/vault/operator";
import { errorOf } from "../../mocks";
import { clientSecret, config, expectNoSecret, longAgo, node, rootToken, Site, staticRole, values } from "./site";

let site: Site;
/** Everything that was returned or thrown in a test. */
let said: unknown[];
async function start(changes?: Record<string, unknown>): Promise<void> {
  site = await Site.start(changes);
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}
beforeEach(async () => {
  await start();
  said = [];
  delete process.env.VAULT_TOKEN;
});
afterEach(async () => {
  expectNoSecret(...said);
  await site.stop();
});

const path = "aidbox/client";
const neighbour = { neighbour: values.neighbour };
const hour = 3600;

async function status(vaultToken = rootToken): Promise<Status> {
  try {
    const read = await readStatus(site.environment, { vaultToken });
    said.push(read);
    return read;
  } catch (error) {
    said.push(error);
    throw error;
  }
}

async function statusOf(name: string): Promise<SecretStatus> {
  return (await status()).secrets.find(({ secret }) => secret === name)!;
}

/** Sets the file of the client's secret in a pod. */
function setFile(pod: string, content: string): void {
  site.cluster.files.get(pod)!.set(clientSecret, content);
}

function inHours(hours: number): string {
  return new Date(Date.now() + hours * hour * 1000).toISOString();
}

test("where all is in order", async () => {
  const inPods = [
    { pod: "aidbox-a", version: 1, isCurrent: true },
    { pod: "aidbox-b", version: 1, isCurrent: true },
  ];
  const rows = [
    ["client-secret", "secret/aidbox/client"],
    ["neighbour", "secret/aidbox/client"],
    ["admin-password", "secret/aidbox/admin"],
    ["db-password", "secret/aidbox/db"],
  ];
  expect(await status()).toEqual({
    environment: "test",
    store: "Vault 2.0.4",
    secrets: rows.map(([secret, at]) => ({ secret, path: at, version: 1, rotatedAt: longAgo, pods: inPods })),
    nextPickUpSeconds: expect.any(Number) as number,
    warnings: [],
  });
});

test("tells the newest snapshot, and warns where it is too old", async () => {
  const takenAt = new Date("2026-01-02T03:04:05Z");
  const problem = { cause: "the newest snapshot is 9 d old", fix: "kubectl logs" };
  const asked = jest.spyOn(VaultOperator.prototype, "backup").mockResolvedValue({ takenAt, problem });
  expect(await status()).toMatchObject({
    newestSnapshot: takenAt,
    warnings: ["the newest snapshot is 9 d old: kubectl logs"],
  });
  asked.mockRestore();
});

test("changes nothing, and ends the one login that it makes", async () => {
  await status();
  expect(site.cluster.writes).toEqual([]);
  expect(site.vault.writes).toEqual(["POST auth/kubernetes/login", "POST auth/token/revoke-self"]);
  expect([...site.vault.tokens.keys()]).toEqual([rootToken]);
});

test("reads values by that login alone, and none twice: an operator's token reads none", async () => {
  await status();
  const reads = site.vault.requests.filter(({ path: asked }) => asked.startsWith("secret/data/"));
  for (const { method, headers } of reads) expect([method, headers["x-vault-token"]]).toEqual(["GET", "hvs.login-1"]);
  expect(reads.map((each) => each.path).sort()).toEqual(
    ["admin", "client", "client", "db"].map((name) => `secret/data/aidbox/${name}?version=1`),
  );
});

test("needs no more than a viewer's rights", async () => {
  expect((await status(site.restrictTo("viewer"))).warnings).toEqual([]);
});

describe("the versions in the pods", () => {
  test("are each pod's own, and one that is stale is warned of", async () => {
    const createdAt = new Date("2026-02-03T04:05:06.789Z");
    site.vault.put(path, { "client-secret": "second hunter2", ...neighbour }, createdAt);
    site.publish("aidbox-a");
    const { secrets, warnings } = await status();
    expect(secrets[0]).toEqual({
      secret: "client-secret",
      path: "secret/aidbox/client",
      version: 2,
      rotatedAt: createdAt,
      pods: [
        { pod: "aidbox-a", version: 2, isCurrent: true },
        { pod: "aidbox-b", version: 1, isCurrent: false },
      ],
    });
    expect(warnings).toEqual(["client-secret: pod aidbox-b has version 1, Vault has 2"]);
  });

  test("count a neighbour on the same path as current where its value stayed", async () => {
    site.vault.put(path, { "client-secret": "second hunter2", ...neighbour });
    expect((await statusOf("neighbour")).pods.map(({ version }) => version)).toEqual([2, 2]);
  });

  test("are the newest with a value that came back", async () => {
    site.vault.put(path, { "client-secret": "second hunter2", ...neighbour });
    site.vault.put(path, { "client-secret": values["client-secret"], ...neighbour });
    expect((await statusOf("client-secret")).pods.map(({ version }) => version)).toEqual([3, 3]);
  });

  test.each<[what: string, change: () => unknown]>([
    ["has a content of its own", () => { setFile("aidbox-b", "somebody's hunter2"); }], // prettier-ignore
    ["is missing", () => site.cluster.files.get("aidbox-b")!.delete(clientSecret)],
    ["is empty", () => { setFile("aidbox-b", ""); }], // prettier-ignore
  ])("are none where the file %s", async (_, change) => {
    change();
    const { secrets, warnings } = await status();
    expect(secrets[0]!.pods).toEqual([
      { pod: "aidbox-a", version: 1, isCurrent: true },
      { pod: "aidbox-b", version: undefined, isCurrent: false },
    ]);
    expect(warnings).toEqual(["client-secret: pod aidbox-b has no version that Vault still knows, Vault has 1"]);
  });

  test.each([
    [11, 1],
    [12, undefined],
  ])("are looked for up to ten versions back: at version %d, the first is %p", async (current, found) => {
    for (let version = 2; version <= current; version++) {
      site.vault.put(path, { "client-secret": `hunter2 of ${version}`, ...neighbour });
    }
    expect((await statusOf("client-secret")).pods.map(({ version }) => version)).toEqual([found, found]);
  });

  test("are found past a version that was deleted or destroyed", async () => {
    site.vault.put(path, { "client-secret": "second hunter2", ...neighbour });
    site.vault.put(path, { "client-secret": "third hunter2", ...neighbour });
    site.vault.version(path, 2).destroyed = true;
    expect(await statusOf("client-secret")).toMatchObject({ version: 3, pods: [{ version: 1 }, { version: 1 }] });
  });

  test("are told of a value that is no text as the provider writes it: as JSON", async () => {
    site.vault.put("aidbox/db", { "db-password": { user: "aidbox", port: 5432 } });
    for (const pod of ["aidbox-a", "aidbox-b"]) {
      site.cluster.files.get(pod)!.set("/run/vault-secrets/db-password", '{"port":5432,"user":"aidbox"}');
    }
    expect(await statusOf("db-password")).toMatchObject({ version: 2, pods: [{ version: 2 }, { version: 2 }] });
  });

  test("are those of pods that run alone", async () => {
    site.cluster.change("Pod", "aidbox-b", { metadata: { deletionTimestamp: inHours(0) } });
    expect((await statusOf("client-secret")).pods).toEqual([{ pod: "aidbox-a", version: 1, isCurrent: true }]);
  });

  test("are none where no pod runs, and no value is read then", async () => {
    for (const pod of ["aidbox-a", "aidbox-b"]) site.cluster.delete("Pod", pod);
    const { secrets, warnings, nextPickUpSeconds } = await status();
    expect(secrets.map(({ version, pods }) => [version, pods])).toEqual(secrets.map(() => [1, []]));
    expect([warnings, nextPickUpSeconds]).toEqual([[], 0]);
    expect(site.vault.requests.filter(({ path: asked }) => asked.startsWith("secret/data/"))).toEqual([]);
  });
});

describe("a secret without a live version", () => {
  test.each<[what: string, change: () => unknown]>([
    ["was deleted", () => (site.vault.version(path).deletion_time = "2026-02-03T04:05:06Z")],
    ["was destroyed", () => (site.vault.version(path).destroyed = true)],
  ])("since it %s has no version, and that is warned of", async (_, change) => {
    site.vault.put(path, { "client-secret": "second hunter2", ...neighbour });
    change();
    const { secrets, warnings } = await status();
    const pods = [
      { pod: "aidbox-a", version: 1, isCurrent: false },
      { pod: "aidbox-b", version: 1, isCurrent: false },
    ];
    expect(secrets[0]).toEqual({
      secret: "client-secret",
      path: "secret/aidbox/client",
      version: undefined,
      rotatedAt: undefined,
      pods,
    });
    expect(warnings).toEqual(
      ["client-secret", "neighbour"].map(
        (name) => `${name}: secret/aidbox/client has no live value; the pods keep the value that they have`,
      ),
    );
  });

  test("since it never was there has none either, and no pod is current", async () => {
    site.vault.remove("aidbox/admin");
    const { secrets, warnings } = await status();
    expect(secrets[2]).toMatchObject({ secret: "admin-password", version: undefined, rotatedAt: undefined });
    expect(secrets[2]!.pods.map(({ isCurrent }) => isCurrent)).toEqual([false, false]);
    expect(warnings).toEqual([
      "admin-password: secret/aidbox/admin has no live value; the pods keep the value that they have",
    ]);
  });
});

describe("a static role of the database engine", () => {
  const { name, path: role } = staticRole;
  const at = "database/static-creds/box";
  const noLive = `${name}: ${at} has no live value; the pods keep the value that they have`;
  const inPods = (isCurrent: boolean): object[] =>
    ["aidbox-a", "aidbox-b"].map((pod) => ({ pod, version: undefined, isCurrent }));
  const startWith = async (...rows: object[]): Promise<void> => {
    await site.stop();
    await start({ secrets: [...config.secrets, ...rows] });
  };
  beforeEach(() => startWith(staticRole));

  test("has no versions, but a time, and is current in the pods", async () => {
    const { secrets, warnings } = await status(site.restrictTo("viewer"));
    expect(secrets.at(-1)).toEqual({
      secret: name,
      path: at,
      version: undefined,
      rotatedAt: longAgo,
      pods: inPods(true),
    });
    expect(warnings).toEqual([]);
  });

  test("is read once, by the pods' login alone", async () => {
    await status();
    const reads = site.vault.requests.filter(({ path: asked }) => asked.startsWith("database/static-creds/"));
    expect(reads.map(({ path: asked, headers }) => [asked, headers["x-vault-token"]])).toEqual([[at, "hvs.login-1"]]);
  });

  test("is stale in a pod that has another password, which is warned of", async () => {
    const rotatedAt = new Date("2026-02-03T04:05:06.789Z");
    site.vault.rotateRole(role, rotatedAt);
    site.publish("aidbox-a");
    const { secrets, warnings } = await status();
    expect(secrets.at(-1)).toMatchObject({
      rotatedAt,
      pods: [
        { pod: "aidbox-a", isCurrent: true },
        { pod: "aidbox-b", isCurrent: false },
      ],
    });
    expect(warnings).toEqual([`${name}: pod aidbox-b has another value than Vault`]);
  });

  test("keeps the user's name current when its password changes", async () => {
    await startWith(staticRole, { ...staticRole, name: "box-user", key: "username" });
    site.vault.rotateRole(role);
    const { secrets } = await status();
    expect(secrets.slice(-2)).toMatchObject([
      { secret: name, pods: inPods(false) },
      { secret: "box-user", pods: inPods(true) },
    ]);
  });

  test("that never was rotated is current nowhere, not even where the pods have its empty password", async () => {
    Object.assign(site.vault.staticRole(role), { password: "", rotatedAt: undefined });
    site.publish("aidbox-a");
    const { secrets, warnings } = await status();
    expect(secrets.at(-1)).toMatchObject({ secret: name, rotatedAt: undefined, pods: inPods(false) });
    expect(warnings).toEqual([noLive]);
  });

  // Vault answers a read of its password with 400, not with 404.
  test("that is gone is current nowhere, and keeps nobody from seeing the other secrets", async () => {
    site.vault.staticRoles.delete(role);
    const { secrets, warnings } = await status();
    expect(secrets).toHaveLength(5);
    expect(secrets.at(-1)).toMatchObject({ secret: name, rotatedAt: undefined, pods: inPods(false) });
    expect(warnings).toEqual([noLive]);
  });
});

describe("when a change is picked up", () => {
  const annotate = (pod: string, secondsAgo: number): void => {
    const { annotations } = site.cluster.object("Pod", pod).metadata;
    annotations!["aidbox-secrets/republish"] = new Date(Date.now() - secondsAgo * 1000).toISOString();
  };

  /** The time that is told, which a slow machine may have spent some of. */
  async function expectPickUp(seconds: number): Promise<void> {
    const { nextPickUpSeconds } = await status();
    expect(nextPickUpSeconds).toBeLessThanOrEqual(seconds);
    expect(nextPickUpSeconds).toBeGreaterThan(seconds - 4);
  }

  test("is told by the pod that was published the latest", async () => {
    annotate("aidbox-a", 20);
    annotate("aidbox-b", 10);
    await expectPickUp(15);
  });

  test("is at once where a publication is due", async () => {
    for (const pod of ["aidbox-a", "aidbox-b"]) annotate(pod, 60);
    expect((await status()).nextPickUpSeconds).toBe(0);
  });

  test("is the whole interval for a pod that was never published again", async () => {
    site.cluster.object("Pod", "aidbox-a").metadata.annotations = {};
    annotate("aidbox-b", 10);
    await expectPickUp(25);
  });

  test("is kubelet's own time where nothing else is deployed for it", async () => {
    await site.stop();
    await start({ rotationBound: "2m" });
    expect((await status()).nextPickUpSeconds).toBe(90);
  });
});

describe("warnings of time", () => {
  test("tell of a current version that Vault deletes within a day", async () => {
    const ends = inHours(5);
    site.vault.version("aidbox/admin").deletion_time = ends;
    expect((await status()).warnings).toEqual([
      `admin-password: Vault deletes its current version at ${ends} (delete_version_after)`,
    ]);
    expect((await statusOf("admin-password")).version).toBe(1);
  });

  test("do not tell of one that it deletes later, nor of an earlier version", async () => {
    site.vault.version("aidbox/admin").deletion_time = inHours(25);
    site.vault.put("aidbox/db", { "db-password": values["db-password"] });
    site.vault.version("aidbox/db", 1).deletion_time = inHours(1);
    expect((await status()).warnings).toEqual([]);
  });

  test.each([
    [hour, ["your Vault token ends in 60 min"]],
    [90, ["your Vault token ends in 2 min"]],
    [24 * hour, ["your Vault token ends in 1440 min"]],
    [24 * hour + 1, []],
    [0, []],
  ])("tell of a token that ends in %d s (0: never): %j", async (ttl, warnings) => {
    site.vault.tokens.set("hvs.operator", { may: "all", ttl });
    expect((await status("hvs.operator")).warnings).toEqual(warnings);
  });
});

test("a time of the last publication that is none counts as none", async () => {
  for (const pod of ["aidbox-a", "aidbox-b"])
    site.cluster.change("Pod", pod, { metadata: { annotations: { "aidbox-secrets/republish": "soon" } } });
  const { rotationBoundSeconds } = site.environment;
  expect((await status()).nextPickUpSeconds).toBe(rotationBoundSeconds - 5);
});

describe("a pod that goes away while its files are read", () => {
  const endWhileRead = (pods: readonly string[]): void => {
    site.cluster.intercept = ({ resource, name = "" }) => {
      if (resource === "pods/exec" && pods.includes(name)) site.cluster.delete("Pod", name);
      return undefined;
    };
  };

  test.each([
    [["aidbox-b"], [{ pod: "aidbox-a", version: 1, isCurrent: true }]],
    [["aidbox-a", "aidbox-b"], []],
  ])("is left out: %j", async (gone, pods) => {
    endWhileRead(gone);
    const { secrets, warnings } = await status();
    expect(secrets.map((secret) => secret.pods)).toEqual(secrets.map(() => pods));
    expect(warnings).toEqual([]);
  });
});

describe("errors that the driver hides from kubelet", () => {
  const metrics = [
    "# HELP rotation_reconcile_error_total Total number of rotation reconciles with error",
    "# TYPE rotation_reconcile_error_total counter",
    'rotation_reconcile_error_total{error_type="GRPCProviderError",provider="vault",rotated="false"} 3',
    'rotation_reconcile_error_total{provider="vault"} 1',
    'rotation_reconcile_total{provider="vault",rotated="true"} 17',
    "",
  ].join("\n");
  const met = (count: number, kind: string): string =>
    `the driver on ${node} met ${count} errors "${kind}" since it started`;
  beforeEach(() => {
    site.cluster.metrics = metrics;
  });

  test("are told by kind while a pod is stale", async () => {
    setFile("aidbox-b", "somebody's hunter2");
    expect((await status()).warnings.slice(1)).toEqual([met(3, "GRPCProviderError"), met(1, "unknown")]);
  });

  test("are told also of a million, as Prometheus' text has them", async () => {
    site.cluster.metrics = 'rotation_reconcile_error_total{error_type="ProviderBinaryNotFound"} 1.234567e+06\n';
    setFile("aidbox-b", "somebody's hunter2");
    expect((await status()).warnings.slice(1)).toEqual([met(1_234_567, "ProviderBinaryNotFound")]);
  });

  test("are not told while none is: the counters never go back", async () => {
    expect((await status()).warnings).toEqual([]);
  });

  test("are those of nodes with Aidbox's pods alone", async () => {
    setFile("aidbox-b", "somebody's hunter2");
    site.cluster.change("Pod", "csi-driver-x", { spec: { nodeName: "node-2" } });
    expect((await status()).warnings).toHaveLength(1);
  });

  test("are not known where another stack installed the driver", async () => {
    await site.stop();
    await start({ csiDriver: { install: false } });
    site.cluster.metrics = metrics;
    setFile("aidbox-b", "somebody's hunter2");
    expect((await status()).warnings).toHaveLength(1);
    expect(site.cluster.requests.map(({ resource }) => resource)).not.toContain("pods/proxy");
  });

  test("cannot be read without the right to, which is told then", async () => {
    setFile("aidbox-b", "somebody's hunter2");
    const token = site.restrictTo("viewer");
    site.revoke("get", "pods/proxy");
    expect((await status(token)).warnings.slice(1)).toEqual([
      'the driver\'s metrics cannot be read: pods "csi-driver-x:8095" is forbidden: User "operator" cannot get ' +
        'resource "pods/proxy" in API group "" in the namespace "kube-system"',
    ]);
  });

  test("do not keep the status from being told where the driver's pod does not answer", async () => {
    setFile("aidbox-b", "somebody's hunter2");
    site.cluster.intercept = ({ resource }) =>
      resource === "pods/proxy" ? { status: 503, body: { message: "error trying to reach service" } } : undefined;
    const { secrets, warnings } = await status();
    expect(secrets).toHaveLength(4);
    expect(warnings.slice(1)).toEqual(["the driver's metrics cannot be read: error trying to reach service"]);
  });
});

test.each([403, 502])("a login that cannot be ended (%i) takes nothing of the result away", async (code) => {
  site.vault.intercept = ({ path }) =>
    path === "auth/token/revoke-self" ? { status: code, body: { errors: ["not today"] } } : undefined;
  expect((await status()).secrets).toHaveLength(config.secrets.length);
});

describe("the login is ended too", () => {
  const expectEnded = (): void => {
    expect([...site.vault.tokens.keys()].filter((token) => token.startsWith("hvs.login"))).toEqual([]);
  };

  test("where nothing can be run in the pods", async () => {
    site.cluster.execution = () => "is not in the image";
    expect((await errorOf(status())).message).toMatch(/^sha256sum did not run in pod aidbox-[ab]: /);
    expectEnded();
  });

  // It is asked for beside the versions, and what comes of it is lost where one of them may not be read.
  test("where a secret's versions may not be looked at", async () => {
    site.vault.allow("hvs.blind", 'path "secret/metadata/aidbox/client" { capabilities = ["read"] }');
    await errorOf(status("hvs.blind"));
    await new Promise((resolve) => setTimeout(resolve, 200)); // what was asked for meanwhile is answered
    expectEnded();
  });
});

describe("fails", () => {
  test("where the operator may not look at the pods, in Kubernetes' words", async () => {
    const token = site.restrictTo("viewer");
    site.revoke("list", "pods");
    const error = await errorOf(status(token));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toBe(
      'Missing permission: pods is forbidden: User "operator" cannot list resource "pods" in API group "" in the ' +
        'namespace "health". See `npm run rights` for all that the commands need.',
    );
  });

  test("where the operator may run nothing in them", async () => {
    const token = site.restrictTo("viewer");
    site.revoke("get", "pods/exec");
    expect(await errorOf(status(token))).toEqual(
      new PermissionDeniedError('"get" and "create" on pods/exec in namespace health'),
    );
  });

  test("where the operator may not look at a secret's versions", async () => {
    site.vault.allow("hvs.blind", 'path "secret/metadata/aidbox/client" { capabilities = ["read"] }');
    const error = await errorOf(status("hvs.blind"));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toContain(
      ": Vault refuses GET secret/metadata/aidbox/admin with this token; " +
        "Vault refuses GET secret/metadata/aidbox/db with this token.",
    );
  });

  test("where Vault is sealed", async () => {
    site.vault.intercept = ({ path: asked }) =>
      asked.startsWith("sys/health")
        ? { status: 200, body: { initialized: true, sealed: true, version: "2.0.4" } }
        : undefined;
    expect(await errorOf(status())).toEqual(
      new UnreachableError("Vault is sealed; to see why: npm run verify -- --env test"),
    );
  });
});
