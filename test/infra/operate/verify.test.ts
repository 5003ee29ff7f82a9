import { readPolicy } from "../../../constructs/stores/vault";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import type { LinkReport } from "../../../infra/operate/link";
import { VaultSession } from "../../../infra/operate/stores/vault/session";
import { type Verification, verify, type VerifyOptions } from "../../../infra/operate/verify";
import { hurryTimers } from "../../hurry-timers";
import type { JsonObject } from "../../mocks";
import { publicKeyPem } from "../../pems";
import { helmRecord, type Rendered } from "../cluster/helm-record";
import { clientSecret, config, expectNoSecret, node, rootToken, Site, staticRole, values } from "./site";

let site: Site;
/** Everything that was returned in a test. */
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

async function verified(options: VerifyOptions = { vaultToken: rootToken }): Promise<Verification> {
  const verification = await verify(site.environment, options);
  said.push(verification);
  return verification;
}

/** What links say, by name: what was seen, or the state with its reasons. */
function told(links: readonly LinkReport[]): Record<string, string> {
  return Object.fromEntries(
    links.map((link) => {
      switch (link.state) {
        case "ok":
          return [link.name, link.seen];
        case "broken":
          return [link.name, `broken: ${link.cause}`];
        case "not permitted":
          return [link.name, `not permitted: ${link.right}`];
        case "not checked":
          return [link.name, `not checked: ${link.behind.join(", ")}`];
      }
    }),
  );
}

/** What links say that are not in order. */
function notOk(links: readonly LinkReport[]): Record<string, string> {
  return told(links.filter(({ state }) => state !== "ok"));
}

const secretLinks = ["client-secret", "neighbour", "admin-password", "db-password"].map((name) => `secret ${name}`);
const linksBeforeSecrets = ["cluster", "driver", "provider", "releases", "clocks", "vault", "auth", "role", "policy"];
const linksAfterSecrets = ["login", "access", "vault clock", "class", "vault-config", "deployment", "files", "health"];
const allLinks = [...linksBeforeSecrets, ...secretLinks, ...linksAfterSecrets, "synced secret", "republisher"];

describe("where all is in order", () => {
  test("the mount is asked for its version once, for all secrets", async () => {
    await verified();
    const asked = site.vault.requests.filter(({ path }) => path.startsWith("sys/internal/ui/mounts/"));
    expect(asked).toHaveLength(1);
  });

  test("every link is, and says what was seen", async () => {
    const { environment, ok, links } = await verified();
    expect([environment, ok]).toEqual(["test", true]);
    const version = "version 1 of 2026-01-02T03:04:05.000Z";
    expect(told(links)).toEqual({
      cluster: `Kubernetes 1.34.4 at ${site.cluster.address}`,
      driver:
        "DaemonSet kube-system/csi-secrets-store-csi-driver ready on 1 of 1 nodes; " +
        "rotation on, audience vault, registered with 1 kubelets",
      provider:
        "DaemonSet vault-csi-provider/vault-node-csi-provider ready on 1 of 1 nodes; " +
        "socket in /var/run/secrets-store-csi-providers",
      releases: "nothing of theirs is gone",
      clocks: "this machine's is right; no lease of 1 nodes tells otherwise",
      "vault clock": "right",
      vault: "Vault 2.0.4, initialised, unsealed",
      auth: "asks this cluster's API server, no stored reviewer token",
      role: "bound as it should be, tokens live 3600 s",
      policy: "reads secret/data/aidbox/client, secret/data/aidbox/admin, secret/data/aidbox/db",
      ...Object.fromEntries(secretLinks.map((name) => [name, version])),
      login: "logged in as health/aidbox",
      access: "reads 3 of 3 paths, refused beside them",
      class: "SecretProviderClass aidbox-vault-secrets is as drawn",
      "vault-config": "ConfigMap aidbox-vault-config is as drawn",
      deployment: "ServiceAccount aidbox, secrets at /run/vault-secrets",
      files: "2 pods, 4 files each, all current",
      health: "2 of 2 pods ready",
      "synced secret": "Secret aidbox-environment: BOX_ADMIN_PASSWORD current",
      republisher: expect.stringMatching(/^oldest publication \d+ s ago$/) as string,
    });
    expect(links.map(({ name }) => name)).toEqual(allLinks);
  });

  test("what each link checks is told in words of this environment", async () => {
    const { links } = await verified();
    expect(Object.fromEntries(links.map(({ name, checks }) => [name, checks]))).toMatchSnapshot();
  });

  test("progress counts each link once", async () => {
    const progress: string[] = [];
    await verified({ vaultToken: rootToken, onProgress: (done, all) => progress.push(`${done} of ${all}`) });
    expect(progress).toEqual(allLinks.map((_, index) => `${index + 1} of ${allLinks.length}`));
  });

  test("nothing is changed, and the one login is ended", async () => {
    await verified();
    expect(site.cluster.writes).toEqual([]);
    expect(site.vault.writes).toEqual(["POST auth/kubernetes/login", "POST auth/token/revoke-self"]);
    expect([...site.vault.tokens.keys()]).toEqual([rootToken]);
  });

  test("only the pods' login reads values, and only the table's", async () => {
    await verified();
    const reads = site.vault.requests.filter(({ path }) => path.startsWith("secret/data/"));
    expect(reads.map(({ path, headers }) => [path, headers["x-vault-token"]])).toEqual(
      ["client", "admin", "db"].flatMap((name) => [
        [`secret/data/aidbox/${name}`, "hvs.login-1"],
        [`secret/data/aidbox/${name}-beside`, "hvs.login-1"],
      ]),
    );
  });

  test("a viewer's documented rights are enough", async () => {
    const { links } = await verified({ vaultToken: site.restrictTo("viewer") });
    expect(notOk(links)).toEqual({});
    // A Secret of whoever runs the driver: a viewer reads none.
    expect(told(links).releases).toBe(
      "not looked at: Helm's record in kube-system, vault-csi-provider, or what it names, is not yours to read",
    );
  });

  test.each([
    ["is as old as they are", 600, 600],
    ["is older", 600, 700],
    ["was made anew so long ago that kubelet has renewed their tokens", 8000, 4000],
  ])("pods of the driver whose ServiceAccount %s are in order", async (_, pod, account) => {
    runDriverBy(secondsAgo(pod), secondsAgo(account));
    expect(notOk((await verified()).links)).toEqual({});
  });

  test.each<[what: string, change: () => unknown]>([
    [
      "that are off by no more than a few seconds",
      () => {
        setClocks({ cluster: 4, node: 8, vault: 8 });
      },
    ],
    [
      "of a node that is not ready, whose lease has ended for that",
      () => {
        setClocks({ cluster: 0, node: -100, vault: 0 });
        site.cluster.change("Node", node, { status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
      },
    ],
    ["of a node without a lease", () => site.cluster.delete("Lease", node)],
    [
      "that nobody tells",
      () => {
        answer(/^sys\/health/, 200, { initialized: true, sealed: false, version: "2.0.4" });
        site.cluster.intercept = ({ resource }) =>
          resource === "version" ? { status: 200, body: { gitVersion: "v1.34.4" }, headers: { Date: "" } } : undefined;
      },
    ],
  ])("clocks %s are in order", async (_, change) => {
    change();
    expect(notOk((await verified()).links)).toEqual({});
  });

  test.each<[what: string, changes: Record<string, unknown>, gone: readonly string[]]>([
    [
      "no secret is environment too",
      { secrets: config.secrets.filter((each) => !each.environment) },
      ["synced secret"],
    ],
    ["kubelet alone keeps the bound", { rotationBound: "90s" }, ["republisher"]],
  ])("there is no link for what is not deployed, where %s", async (_, changes, gone) => {
    await site.stop();
    await start(changes);
    const { ok, links } = await verified();
    expect(ok).toBe(true);
    const names = links.map(({ name }) => name);
    expect(gone.filter((name) => names.includes(name))).toEqual([]);
  });

  test("driver and provider of another stack are found by their labels", async () => {
    await site.stop();
    await start({ csiDriver: { install: false }, vault: { csiProvider: false } });
    const provider = site.cluster.object("DaemonSet", "vault-node-csi-provider");
    provider.metadata.labels = { "app.kubernetes.io/name": "vault-csi-provider" };
    const { ok, links } = await verified({ vaultToken: site.restrictTo("viewer") });
    expect(notOk(links)).toEqual({});
    expect(ok).toBe(true);
  });

  test.each<[what: string, break_: () => unknown]>([
    [
      "on no node",
      () => site.cluster.change("DaemonSet", "csi-secrets-store-csi-driver", { status: { desiredNumberScheduled: 0 } }),
    ],
    [
      "without rotation",
      () => site.cluster.change("CSIDriver", "secrets-store.csi.k8s.io", { spec: { requiresRepublish: false } }),
    ],
    ["unknown to kubelet", () => site.cluster.change("CSINode", "node-1", { spec: { drivers: [] } })],
  ])("a driver of others that is %s is its owner's to mend, and nothing of it is to be deleted", async (_, break_) => {
    await site.stop();
    await start({ csiDriver: { install: false }, vault: { csiProvider: false } });
    site.cluster.object("DaemonSet", "vault-node-csi-provider").metadata.labels = {
      "app.kubernetes.io/name": "vault-csi-provider",
    };
    break_();
    const driver = (await verified()).links.find(({ name }) => name === "driver")!;
    expect(driver).toMatchObject({
      state: "broken",
      fix: "ask whoever installed DaemonSet kube-system/csi-secrets-store-csi-driver, which is not this stack's",
    });
  });

  test.each([
    ["is a break where the stack's own provider needs one", {}, false],
    ["is none where the provider makes its own", { csiProviderMakesTokens: true }, true],
  ])("a driver of others that hands out no token %s", async (_, vault, ok) => {
    await site.stop();
    await start({ csiDriver: { install: false }, vault });
    site.cluster.change("CSIDriver", "secrets-store.csi.k8s.io", { spec: { tokenRequests: [] } });
    const { links } = await verified();
    expect(notOk(links)).toEqual(
      ok ? {} : { driver: "broken: CSIDriver secrets-store.csi.k8s.io hands out tokens for nobody, not for vault" },
    );
  });

  test("a Vault that checks the pods' tokens by itself", async () => {
    await site.stop();
    const key = `${publicKeyPem}\n`;
    const login = {
      method: "jwt",
      mount: "cluster-one",
      issuer: "https://issuer.example",
      keys: { publicKeys: [key] },
    };
    await start({ vault: { login } });
    site.vault.entries.set("auth/cluster-one/config", {
      bound_issuer: "https://issuer.example",
      jwt_validation_pubkeys: [key.trim()],
    });
    site.vault.entries.set("auth/cluster-one/role/aidbox", {
      bound_subject: "system:serviceaccount:health:aidbox",
      bound_audiences: ["vault"],
      token_policies: ["aidbox"],
      token_ttl: 3600,
      token_explicit_max_ttl: 3600,
    });
    const { ok, links } = await verified({ vaultToken: site.restrictTo("viewer") });
    expect(notOk(links)).toEqual({});
    expect(ok).toBe(true);
    expect(told(links)).toMatchObject({
      auth: "checks signatures with jwt_validation_pubkeys",
      role: "bound as it should be, tokens live 3600 s",
    });
  });

  test("a value that is JSON, compared as the CSI provider writes it", async () => {
    const account = { uri: "https://x.example/?a=1&b=2", id: 1 };
    site.vault.put("aidbox/client", { ...site.vault.data("aidbox/client"), "client-secret": { account } });
    for (const pod of ["aidbox-a", "aidbox-b"]) {
      const file = String.raw`{"account":{"id":1,"uri":"https://x.example/?a=1\u0026b=2"}}`;
      site.cluster.files.get(pod)!.set(clientSecret, file);
    }
    expect(told((await verified()).links).files).toBe("2 pods, 4 files each, all current");
  });

  test("a version too young to be in the files yet is no break", async () => {
    site.vault.put("aidbox/client", { "client-secret": "second hunter2", neighbour: values.neighbour });
    const { ok, links } = await verified();
    expect(ok).toBe(true);
    expect(told(links).files).toMatch(
      /^2 pods, 4 files each; \S+\/client-secret of pod aidbox-a, \S+\/client-secret of pod aidbox-b follows: Vault's version is \d s old$/,
    );
  });
});

describe("rights that lack", () => {
  const refusedBy = (path: string): string => `not permitted: Vault refuses GET ${path} with this token`;
  const metadata = Object.fromEntries(
    Object.entries({
      "client-secret": "client",
      neighbour: "client",
      "admin-password": "admin",
      "db-password": "db",
    }).map(([name, path]) => [`secret ${name}`, refusedBy(`secret/metadata/aidbox/${path}`)]),
  );

  test("a token without rights: what only it can see is not permitted, all else is checked", async () => {
    site.vault.allow("hvs.nobody", "");
    const { ok, links } = await verified({ vaultToken: "hvs.nobody" });
    expect(ok).toBe(false);
    expect(notOk(links)).toEqual({
      auth: refusedBy("auth/kubernetes/config"),
      role: refusedBy("auth/kubernetes/role/aidbox"),
      policy: refusedBy("sys/policies/acl/aidbox"),
      ...metadata,
    });
  });

  test("a token that is none of Vault's", async () => {
    const { links } = await verified({ vaultToken: "hvs.of-yesterday" });
    expect(notOk(links)).toEqual({
      auth: refusedBy("auth/kubernetes/config"),
      role: refusedBy("auth/kubernetes/role/aidbox"),
      policy: refusedBy("sys/policies/acl/aidbox"),
      ...metadata,
    });
  });

  test("no token", async () => {
    const { links } = await verified({});
    const lacks = "not permitted: a Vault token: set VAULT_TOKEN";
    expect(notOk(links)).toEqual(
      Object.fromEntries(["auth", "role", "policy", ...secretLinks].map((name) => [name, lacks])),
    );
  });

  test("no rights in the cluster: what cannot be seen is not permitted, in Kubernetes' words, and nothing is broken", async () => {
    const vaultToken = site.restrictTo("viewer");
    site.cluster.roles = [];
    const { ok, links } = await verified({ vaultToken });
    const cannot = (subject: string, verb: string, resource: string, group: string, namespace?: string): string => {
      const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
      return (
        `not permitted: ${subject} is forbidden: User "operator" cannot ${verb} resource "${resource}" ` +
        `in API group "${group}" ${where}`
      );
    };
    const driver = "csi-secrets-store-csi-driver";
    const classes = "secretproviderclasses";
    expect(ok).toBe(false);
    expect(notOk(links)).toEqual({
      driver: cannot(`daemonsets "${driver}"`, "get", "daemonsets", "apps", "kube-system"),
      provider: cannot('daemonsets "vault-node-csi-provider"', "get", "daemonsets", "apps", "vault-csi-provider"),
      login: cannot('serviceaccounts "aidbox"', "create", "serviceaccounts/token", "", "health"),
      access: "not permitted: that of the login, without which nothing can be read",
      class: cannot(`${classes} "aidbox-vault-secrets"`, "get", classes, "secrets-store.csi.x-k8s.io", "health"),
      "vault-config": cannot('configmaps "aidbox-vault-config"', "get", "configmaps", "", "health"),
      deployment: cannot('deployments "aidbox"', "get", "deployments", "apps", "health"),
      files: "not permitted: that of the login, whose values the files are compared with",
      health: cannot("pods", "list", "pods", "", "health"),
      clocks: cannot("pods", "list", "pods", "", "health"),
      "synced secret": cannot('secrets "aidbox-environment"', "get", "secrets", "", "health"),
      republisher: cannot('deployments "aidbox-republisher"', "get", "deployments", "apps", "health"),
    });
  });

  test("no right to run a command in the pods", async () => {
    const vaultToken = site.restrictTo("viewer");
    site.revoke("get", "pods/exec");
    expect(notOk((await verified({ vaultToken })).links)).toEqual({
      files: 'not permitted: "get" and "create" on pods/exec in namespace health',
    });
  });
});

const up = "npm run up -- --refresh --env test";
const kubectl = (namespace: string, command: string): string =>
  `kubectl --context somewhere -n ${namespace} ${command}`;
const reinstall = `${kubectl("kube-system", "delete daemonset csi-secrets-store-csi-driver")} && ${up}`;

const vault = (command: string): string => `VAULT_ADDR=https://vault vault ${command}`;

const rewriteAuth = vault(
  "write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc disable_local_ca_jwt=false kubernetes_ca_cert=",
);
const driverLog = kubectl(
  "kube-system",
  "logs -l app=secrets-store-csi-driver,app.kubernetes.io/instance=csi -c secrets-store --since=5m",
);

/** Changes what Vault has beside secrets. */
function changeEntry(path: string, changes: JsonObject): unknown {
  return site.vault.entries.set(path, { ...site.vault.entries.get(path), ...changes });
}

/** Changes the Aidbox container of the Deployment. */
function changeContainer(changes: object): unknown {
  const { spec } = site.cluster.object("Deployment", "aidbox") as {
    spec?: { template: { spec: { containers: object[] } } };
  };
  return Object.assign(spec!.template.spec.containers[0]!, changes);
}

/** Has Vault answer some requests in another way. */
function answer(path: RegExp, status: number, body: JsonObject): unknown {
  return (site.vault.intercept = (request) => (path.test(request.path) ? { status, body } : undefined));
}

function setHealth(state: JsonObject): unknown {
  return answer(/^sys\/health/, 200, { version: "2.0.4", ...state });
}

function setFile(pod: string, content: string): unknown {
  return site.cluster.files.get(pod)!.set(clientSecret, content);
}

/** Has the cluster warn of a pod. */
function warn(pod: string, message: string, lastTimestamp: string): void {
  site.cluster.add({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${pod}.${lastTimestamp}`, namespace: "health" },
    type: "Warning",
    involvedObject: { kind: "Pod", name: pod },
    lastTimestamp,
    message,
  });
}

/** Ends pods in the moment in which somebody runs a command in them. */
function endWhileRead(...pods: readonly string[]): void {
  site.cluster.intercept = ({ resource, name = "" }) => {
    if (resource === "pods/exec" && pods.includes(name)) site.cluster.delete("Pod", name);
    return undefined;
  };
}

const driverName = "csi-secrets-store-csi-driver";
const providerName = "vault-node-csi-provider";
const csiDriver = "secrets-store.csi.k8s.io";
const policyPath = "sys/policies/acl/aidbox";
const role = "auth/kubernetes/role/aidbox";
const waiting = (reason: string): object => ({
  containerStatuses: [{ name: "aidbox", state: { waiting: { reason } } }],
});
const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** Has Helm record what the driver's release has installed beside its DaemonSet. */
function recordDriver(...others: readonly Rendered[]): void {
  const daemonSet = { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: driverName } };
  site.cluster.add(helmRecord("kube-system", "csi", [daemonSet, ...others], 2));
}

const driverRole = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "secretproviderclasses-role" },
};
const driverAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "secrets-store-csi-driver", namespace: "kube-system" },
};

/** Has the driver's pod and its ServiceAccount be made at some times. */
function runDriverBy(podMade: string, accountMade: string): void {
  recordDriver(driverAccount);
  const { metadata } = driverAccount;
  site.cluster.add({ ...driverAccount, metadata: { ...metadata, creationTimestamp: accountMade } });
  const spec = { template: { spec: { serviceAccountName: metadata.name } } };
  site.cluster.change("DaemonSet", driverName, { spec });
  site.cluster.change("Pod", "csi-driver-x", { metadata: { creationTimestamp: podMade } });
}

/** Sets the clocks of the API server, the node and Vault, in seconds that they are ahead of this machine's. */
function setClocks({ cluster, node: ofNode, vault: ofVault }: Record<"cluster" | "node" | "vault", number>): void {
  site.cluster.secondsAhead = cluster;
  site.vault.secondsAhead = ofVault;
  site.cluster.change("Lease", node, { spec: { renewTime: secondsAgo(-ofNode) } });
  site.cluster.add({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: node },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  });
}

type Break = readonly [what: string, change: () => unknown, link: string, cause: string | RegExp, fix: string];

/** What somebody did, the one link that is broken by it, why, and what mends it. */
const breaks: readonly Break[] = [
  [
    "the cluster does not answer",
    () => (site.cluster.intercept = ({ resource }) => (resource === "version" ? { status: 503, body: {} } : undefined)),
    "cluster",
    "the cluster of context somewhere does not answer: HTTP-Code: 503",
    "kubectl --context somewhere cluster-info",
  ],
  [
    "the operator's login to the cluster has ended",
    () => (site.cluster.intercept = ({ resource }) => (resource === "version" ? { status: 401, body: {} } : undefined)),
    "cluster",
    "the cluster of context somewhere refuses your credentials (401), which may have ended: log in to it again",
    "kubectl --context somewhere cluster-info",
  ],
  [
    "the driver is gone",
    () => site.cluster.delete("DaemonSet", driverName),
    "driver",
    "DaemonSet kube-system/csi-secrets-store-csi-driver is gone",
    up,
  ],
  [
    "what the driver may do is gone",
    () => {
      recordDriver(driverRole);
      site.cluster.add({ ...driverRole, metadata: { name: "another" } });
    },
    "releases",
    "Helm release kube-system/csi has lost ClusterRole secretproviderclasses-role",
    up,
  ],
  [
    "what the driver's pods run as is gone",
    () => {
      recordDriver(driverAccount, driverRole);
      site.cluster.add(driverRole);
    },
    "releases",
    "Helm release kube-system/csi has lost ServiceAccount secrets-store-csi-driver",
    up,
  ],
  [
    "what the driver's pods run as was made anew after them",
    () => {
      runDriverBy(secondsAgo(600), secondsAgo(60));
    },
    "releases",
    "the pods of DaemonSet kube-system/csi-secrets-store-csi-driver are older than their ServiceAccount, and the cluster " +
      "refuses the tokens that they have: until kubelet renews these, within an hour, no pod starts that mounts secrets",
    kubectl("kube-system", "rollout restart daemonset csi-secrets-store-csi-driver"),
  ],
  [
    "a release was uninstalled, and its objects kept",
    () => site.cluster.delete("Secret", "sh.helm.release.v1.csi.v1"),
    "releases",
    "Helm has no record that release kube-system/csi is installed",
    up,
  ],
  [
    "this machine's clock is ahead",
    () => {
      setClocks({ cluster: -42, node: -42, vault: -42 });
    },
    "clocks",
    /^this machine's clock is at least [34]\d s ahead of the API server's: every age that is told here is wrong by that/,
    "timedatectl set-ntp true",
  ],
  [
    "this machine's clock is behind",
    () => {
      setClocks({ cluster: 42, node: 42, vault: 42 });
    },
    "clocks",
    /^this machine's clock is at least [34]\d s behind the API server's/,
    "timedatectl set-ntp true",
  ],
  [
    "a node's clock is ahead",
    () => {
      setClocks({ cluster: 0, node: 1000, vault: 0 });
    },
    "clocks",
    /^the clock of node node-1 is at least 9\d\d s ahead of the API server's: kubelet keeps the pods' tokens by it/,
    "on node node-1: timedatectl set-ntp true",
  ],
  [
    "a node's clock is behind by more than its lease lasts",
    () => {
      setClocks({ cluster: 0, node: -1000, vault: 0 });
    },
    "clocks",
    /^the clock of node node-1 is at least \d{3,4} s behind the API server's/,
    "on node node-1: timedatectl set-ntp true",
  ],
  [
    "Vault's clock is behind",
    () => {
      setClocks({ cluster: 0, node: 0, vault: -75 });
    },
    "vault clock",
    /^Vault's clock is at least [67]\d s behind the API server's: from 60 s on Vault refuses the pods' tokens, as not valid yet$/,
    "on the machine of Vault: timedatectl set-ntp true",
  ],
  [
    "Vault's clock is ahead",
    () => {
      setClocks({ cluster: 0, node: 0, vault: 75 });
    },
    "vault clock",
    /^Vault's clock is at least [67]\d s ahead of the API server's: Vault takes the pods' tokens for ended before they are$/,
    "on the machine of Vault: timedatectl set-ntp true",
  ],
  [
    "Vault's clock is so far behind that it refuses a token",
    () => {
      setClocks({ cluster: 0, node: 0, vault: -75 });
      site.vault.intercept = ({ path }) =>
        path.endsWith("/login")
          ? { status: 403, body: { errors: ["invalid not before (nbf) claim: token not yet valid"] } }
          : undefined;
    },
    "vault clock",
    /^Vault's clock is at least [67]\d s behind/,
    "on the machine of Vault: timedatectl set-ntp true",
  ],
  [
    "the driver is wanted nowhere",
    () =>
      site.cluster.change("DaemonSet", driverName, {
        spec: { template: { spec: { nodeSelector: { nowhere: "true" } } } },
        status: { desiredNumberScheduled: 0 },
      }),
    "driver",
    'DaemonSet kube-system/csi-secrets-store-csi-driver is wanted on no node: its node selector is {"nowhere":"true"}',
    reinstall,
  ],
  [
    "the driver is not registered",
    () => site.cluster.delete("CSIDriver", csiDriver),
    "driver",
    "CSIDriver secrets-store.csi.k8s.io is gone",
    up,
  ],
  [
    "the driver hands out tokens for others",
    () => site.cluster.change("CSIDriver", csiDriver, { spec: { tokenRequests: [{ audience: "conjur" }] } }),
    "driver",
    "CSIDriver secrets-store.csi.k8s.io hands out tokens for conjur, not for vault",
    reinstall,
  ],
  [
    "the driver hands out no tokens",
    () => site.cluster.change("CSIDriver", csiDriver, { spec: { tokenRequests: null } }),
    "driver",
    "CSIDriver secrets-store.csi.k8s.io hands out tokens for nobody, not for vault",
    reinstall,
  ],
  [
    "rotation is off",
    () => site.cluster.change("CSIDriver", csiDriver, { spec: { requiresRepublish: false } }),
    "driver",
    "CSIDriver secrets-store.csi.k8s.io does not publish again: rotation is off",
    reinstall,
  ],
  [
    "kubelet does not know the driver",
    () => site.cluster.change("CSINode", node, { spec: { drivers: [{ name: "other", nodeID: node }] } }),
    "driver",
    "kubelet knows the driver on 0 of 1 nodes (CSINode)",
    kubectl("kube-system", "rollout restart daemonset csi-secrets-store-csi-driver"),
  ],
  [
    "the provider is gone",
    () => site.cluster.delete("DaemonSet", providerName),
    "provider",
    "DaemonSet vault-csi-provider/vault-node-csi-provider is gone",
    up,
  ],
  [
    "the provider's socket lies elsewhere",
    () =>
      site.cluster.change("DaemonSet", providerName, {
        spec: { template: { spec: { volumes: [{ name: "x", hostPath: { path: "/var/run/other" } }] } } },
      }),
    "provider",
    "DaemonSet vault-csi-provider/vault-node-csi-provider has its socket in /var/run/other of the node, and the driver looks in /var/run/secrets-store-csi-providers and /etc/kubernetes/secrets-store-csi-providers",
    up,
  ],
  [
    "the provider has no socket on the node",
    () => site.cluster.change("DaemonSet", providerName, { spec: { template: { spec: { volumes: null } } } }),
    "provider",
    "DaemonSet vault-csi-provider/vault-node-csi-provider has its socket in no folder of the node, and the driver looks in /var/run/secrets-store-csi-providers and /etc/kubernetes/secrets-store-csi-providers",
    up,
  ],
  [
    "Vault is sealed",
    () => setHealth({ initialized: true, sealed: true }),
    "vault",
    "Vault is sealed",
    vault("operator unseal"),
  ],
  [
    "Vault is not initialised",
    () => setHealth({ initialized: false, sealed: true }),
    "vault",
    "Vault is not initialised",
    vault("operator init"),
  ],
  [
    "no server of Vault leads",
    () =>
      (site.vault.intercept = ({ path }) => {
        const bodies: Record<string, JsonObject> = {
          "sys/health": { version: "2.0.4", initialized: true, sealed: false, standby: true },
          "sys/leader": { ha_enabled: true, is_self: false, leader_address: "" },
        };
        const body = bodies[path.split("?")[0]!];
        return body === undefined ? { status: 500, body: { errors: ["no leader"] } } : { status: 200, body };
      }),
    "vault",
    "Vault is a standby, and knows no server that leads",
    vault("operator raft list-peers"),
  ],
  [
    "Vault cannot say whether it takes a token",
    () => answer(/\/login$/, 500, { errors: ["local node not active but active cluster node not found"] }),
    "login",
    "Vault answered POST auth/kubernetes/login with 500: local node not active but active cluster node not found",
    "try again: this was no finding, but a call that failed",
  ],
  [
    "something else answers",
    () => setHealth({}),
    "vault",
    "Vault does not answer at https://vault: Error: what answers is not Vault",
    "curl https://vault/v1/sys/health",
  ],
  [
    "the auth mount is disabled",
    () => {
      for (const key of site.vault.entries.keys()) if (key.startsWith("auth/")) site.vault.entries.delete(key);
    },
    "auth",
    "auth/kubernetes is not enabled",
    up,
  ],
  [
    "the auth mount is not configured",
    () => site.vault.entries.delete("auth/kubernetes/config"),
    "auth",
    "auth/kubernetes is not configured",
    up,
  ],
  [
    "the auth mount asks another cluster",
    () => changeEntry("auth/kubernetes/config", { kubernetes_host: "https://10.0.0.1" }),
    "auth",
    'kubernetes_host of auth/kubernetes is "https://10.0.0.1", and should be "https://kubernetes.default.svc"',
    up,
  ],
  [
    "the auth mount has a reviewer's token",
    () => changeEntry("auth/kubernetes/config", { token_reviewer_jwt_set: true }),
    "auth",
    "token_reviewer_jwt_set of auth/kubernetes is true, and should be false",
    rewriteAuth,
  ],
  [
    "the auth mount does not read Vault's own token",
    () => changeEntry("auth/kubernetes/config", { disable_local_ca_jwt: true }),
    "auth",
    "disable_local_ca_jwt of auth/kubernetes is true, and should be false",
    rewriteAuth,
  ],
  [
    "the auth mount trusts a CA that somebody stored",
    () => changeEntry("auth/kubernetes/config", { kubernetes_ca_cert: "of yesterday" }),
    "auth",
    'kubernetes_ca_cert of auth/kubernetes is "of yesterday", and should be ""',
    rewriteAuth,
  ],
  ["the role is gone", () => site.vault.entries.delete(role), "role", "role aidbox is gone", up],
  [
    "the role is for another ServiceAccount",
    () => changeEntry(role, { bound_service_account_names: ["default"] }),
    "role",
    'bound_service_account_names of role aidbox is ["default"], and should be ["aidbox"]',
    up,
  ],
  [
    "the role is for another namespace too",
    () => changeEntry(role, { bound_service_account_namespaces: ["health", "*"] }),
    "role",
    'bound_service_account_namespaces of role aidbox is ["health","*"], and should be ["health"]',
    up,
  ],
  [
    "the role has no audience",
    () => changeEntry(role, { audience: "" }),
    "role",
    'audience of role aidbox is "", and should be "vault"',
    up,
  ],
  [
    "the role has another policy too",
    () => changeEntry(role, { token_policies: ["aidbox", "admin"] }),
    "role",
    'token_policies of role aidbox is ["aidbox","admin"], and should be ["aidbox"]',
    up,
  ],
  [
    "the role's tokens live longer",
    () => changeEntry(role, { token_ttl: 7200 }),
    "role",
    "token_ttl of role aidbox is 7200, and should be 3600",
    up,
  ],
  [
    "the role's tokens can be renewed for a month",
    () => changeEntry(role, { token_explicit_max_ttl: 0 }),
    "role",
    "token_explicit_max_ttl of role aidbox is 0, and should be 3600",
    up,
  ],
  [
    "the role takes logins from some addresses alone",
    () => changeEntry(role, { token_bound_cidrs: ["10.99.0.0/16"] }),
    "role",
    'token_bound_cidrs of role aidbox is ["10.99.0.0/16"], and should be []',
    `${vault("delete auth/kubernetes/role/aidbox")} && ${up}`,
  ],
  [
    "the role's tokens are for one request",
    () => changeEntry(role, { token_num_uses: 1 }),
    "role",
    "token_num_uses of role aidbox is 1, and should be 0",
    `${vault("delete auth/kubernetes/role/aidbox")} && ${up}`,
  ],
  [
    "the role is for the namespaces of a label too",
    () => changeEntry(role, { bound_service_account_namespace_selector: "{}" }),
    "role",
    'bound_service_account_namespace_selector of role aidbox is "{}", and should be ""',
    `${vault("delete auth/kubernetes/role/aidbox")} && ${up}`,
  ],
  ["the policy is gone", () => site.vault.entries.delete(policyPath), "policy", "policy aidbox is gone", up],
  [
    "the policy is for other paths",
    () => changeEntry(policyPath, { policy: 'path "secret/data/other" { capabilities = ["read"] }' }),
    "policy",
    "policy aidbox lacks secret/data/aidbox/client, secret/data/aidbox/admin, secret/data/aidbox/db and has secret/data/other too",
    up,
  ],
  [
    "the policy gives more",
    () =>
      changeEntry(policyPath, {
        policy: readPolicy(site.environment.table, vaultPaths(site.environment)).replaceAll(
          '"read"',
          '"read", "update"',
        ),
      }),
    "policy",
    "policy aidbox gives other rights than read on the table's paths",
    up,
  ],
  [
    "an external secret is not there",
    () => site.vault.remove("aidbox/client"),
    "secret client-secret",
    "secret/aidbox/client is not there",
    "npm run write -- client-secret --env test",
  ],
  [
    "a seeded secret is not there",
    () => site.vault.remove("aidbox/admin"),
    "secret admin-password",
    "secret/aidbox/admin is not there",
    "npm run up -- --env test",
  ],
  [
    "a secret was deleted",
    () => (site.vault.version("aidbox/admin").deletion_time = "2026-02-03T04:05:06Z"),
    "secret admin-password",
    "version 1 of secret/aidbox/admin, the last one, was deleted at 2026-02-03T04:05:06.000Z",
    vault("kv undelete -mount=secret -versions=1 aidbox/admin"),
  ],
  [
    "a secret was destroyed",
    () => (site.vault.version("aidbox/db").destroyed = true),
    "secret db-password",
    "version 1 of secret/aidbox/db, the last one, was destroyed",
    "npm run up -- --env test",
  ],
  [
    "an external secret has no such key",
    () => site.vault.put("aidbox/client", { neighbour: values.neighbour, other: "hunter2" }),
    "secret client-secret",
    "version 2 of secret/aidbox/client has no key client-secret, but neighbour, other",
    "npm run write -- client-secret --env test",
  ],
  [
    "a seeded secret has no such key",
    () => site.vault.put("aidbox/admin", { other: "hunter2" }),
    "secret admin-password",
    "version 2 of secret/aidbox/admin has no key admin-password, but other",
    "npm run up -- --env test",
  ],
  [
    "the ServiceAccount is gone",
    () => site.cluster.delete("ServiceAccount", "aidbox"),
    "login",
    "ServiceAccount health/aidbox is gone",
    up,
  ],
  [
    "Vault takes no token of the pods",
    () => answer(/\/login$/, 403, { errors: ["permission denied"] }),
    "login",
    "Vault refuses a token of health/aidbox: permission denied",
    up,
  ],
  [
    "the login reads a path too few",
    () => answer(/^secret\/data\/aidbox\/admin$/, 403, { errors: ["permission denied"] }),
    "access",
    "role aidbox may not read secret/data/aidbox/admin",
    up,
  ],
  [
    "the login reads a path too many",
    () => answer(/admin-beside$/, 404, { errors: [] }),
    "access",
    "role aidbox may read secret/data/aidbox/admin-beside too, by a policy that is not this stack's",
    up,
  ],
  [
    "the SecretProviderClass is gone",
    () => site.cluster.delete("SecretProviderClass", "aidbox-vault-secrets"),
    "class",
    "SecretProviderClass aidbox-vault-secrets is gone",
    up,
  ],
  [
    "the SecretProviderClass was changed",
    () =>
      site.cluster.change("SecretProviderClass", "aidbox-vault-secrets", {
        spec: { parameters: { roleName: "other" }, secretObjects: null },
      }),
    "class",
    "SecretProviderClass aidbox-vault-secrets differs from the table in parameters.roleName, secretObjects",
    up,
  ],
  [
    "vault-config.json is gone",
    () => site.cluster.delete("ConfigMap", "aidbox-vault-config"),
    "vault-config",
    "ConfigMap aidbox-vault-config is gone",
    up,
  ],
  [
    "vault-config.json was changed",
    () => site.cluster.change("ConfigMap", "aidbox-vault-config", { data: { "vault-config.json": "{}" } }),
    "vault-config",
    "ConfigMap aidbox-vault-config differs from the table",
    up,
  ],
  [
    "the Deployment is gone",
    () => site.cluster.delete("Deployment", "aidbox"),
    "deployment",
    "Deployment aidbox is gone",
    up,
  ],
  [
    "the Deployment has another ServiceAccount",
    () =>
      site.cluster.change("Deployment", "aidbox", { spec: { template: { spec: { serviceAccountName: "default" } } } }),
    "deployment",
    "Deployment aidbox: ServiceAccount is default, and should be aidbox",
    up,
  ],
  [
    "the Deployment has another image",
    () => changeContainer({ image: "healthsamurai/aidboxone:2511" }),
    "deployment",
    "Deployment aidbox: image is healthsamurai/aidboxone:2511, and should be healthsamurai/aidboxone:2605",
    up,
  ],
  [
    "the Deployment mounts no secrets",
    () => changeContainer({ volumeMounts: [] }),
    "deployment",
    "Deployment aidbox: volume of the secrets is not there, and should be aidbox-vault-secrets",
    up,
  ],
  [
    "the Deployment does not tell Aidbox of them",
    () => changeContainer({ env: [] }),
    "deployment",
    "Deployment aidbox: BOX_VAULT_CONFIG is not there, and should be /etc/aidbox/vault-config.json",
    up,
  ],
  [
    "the pods have an older vault-config.json",
    () =>
      site.cluster.change("Deployment", "aidbox", {
        spec: { template: { metadata: { annotations: { "checksum/vault-config": "of yesterday" } } } },
      }),
    "deployment",
    /^Deployment aidbox: checksum of vault-config\.json is of yesterday, and should be [0-9a-f]{64}$/,
    up,
  ],
  [
    "a file is missing",
    () => site.cluster.files.get("aidbox-b")!.delete(clientSecret),
    "files",
    "/run/vault-secrets/client-secret of pod aidbox-b is missing",
    kubectl("health", "delete pod aidbox-b"),
  ],
  [
    "a file is empty",
    () => setFile("aidbox-b", ""),
    "files",
    "/run/vault-secrets/client-secret of pod aidbox-b is empty",
    kubectl("health", "delete pod aidbox-b"),
  ],
  [
    "a file is stale",
    () => setFile("aidbox-b", "somebody's hunter2"),
    "files",
    /^\/run\/vault-secrets\/client-secret of pod aidbox-b has another content than Vault's current version, after \d+ s$/,
    driverLog,
  ],
  [
    "a pod is not ready",
    () =>
      site.cluster.change("Pod", "aidbox-b", {
        status: { containerStatuses: [{ name: "aidbox", ready: false, state: { running: {} } }] },
      }),
    "health",
    "not ready: aidbox-b (running, but /health does not answer)",
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "a pod waits",
    () => site.cluster.change("Pod", "aidbox-b", { status: waiting("CrashLoopBackOff") }),
    "health",
    "not ready: aidbox-b (CrashLoopBackOff)",
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "a pod ends again and again",
    () =>
      site.cluster.change("Pod", "aidbox-b", {
        status: {
          containerStatuses: [
            {
              name: "aidbox",
              state: { waiting: { reason: "CrashLoopBackOff" } },
              lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
            },
          ],
        },
      }),
    "health",
    "not ready: aidbox-b (CrashLoopBackOff, ended with 137, OOMKilled)",
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "no node has room for a pod",
    () =>
      site.cluster.change("Pod", "aidbox-b", {
        status: {
          phase: "Pending",
          containerStatuses: null,
          conditions: [
            { type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient cpu." },
          ],
        },
      }),
    "health",
    "not ready: aidbox-b (0/3 nodes are available: 3 Insufficient cpu.)",
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "a pod's volume does not mount",
    () => {
      warn("aidbox-b", "too old", secondsAgo(50));
      warn("aidbox-b", 'MountVolume.SetUp failed for volume "secrets":\n\n* permission denied', secondsAgo(5));
      warn("aidbox-a", "of another", secondsAgo(1));
      site.cluster.change("Pod", "aidbox-b", { status: waiting("ContainerCreating") });
    },
    "health",
    'not ready: aidbox-b (ContainerCreating: MountVolume.SetUp failed for volume "secrets": * permission denied)',
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "a pod waits for its secrets",
    () =>
      site.cluster.change("Pod", "aidbox-b", {
        status: {
          containerStatuses: null,
          initContainerStatuses: [{ name: "wait-for-secrets", state: { waiting: { reason: "ImagePullBackOff" } } }],
        },
      }),
    "health",
    "not ready: aidbox-b (ImagePullBackOff)",
    kubectl("health", "describe pod aidbox-b"),
  ],
  [
    "the synced Secret is gone",
    () => site.cluster.delete("Secret", "aidbox-environment"),
    "synced secret",
    "Secret aidbox-environment is gone",
    kubectl("health", "rollout restart deployment aidbox"),
  ],
  [
    "the synced Secret lacks a variable",
    () => site.cluster.change("Secret", "aidbox-environment", { data: { BOX_ADMIN_PASSWORD: null } }),
    "synced secret",
    "Secret aidbox-environment has no BOX_ADMIN_PASSWORD",
    kubectl("health", "rollout restart deployment aidbox"),
  ],
  [
    "the synced Secret is stale",
    () => site.cluster.change("Secret", "aidbox-environment", { data: { BOX_ADMIN_PASSWORD: "b2xk" } }),
    "synced secret",
    "BOX_ADMIN_PASSWORD of Secret aidbox-environment is not Vault's current version",
    kubectl("health", "rollout restart deployment aidbox"),
  ],
  [
    "the Republisher is gone",
    () => site.cluster.delete("Deployment", "aidbox-republisher"),
    "republisher",
    "Deployment aidbox-republisher is gone",
    up,
  ],
  [
    "the Republisher is not ready",
    () => site.cluster.change("Deployment", "aidbox-republisher", { status: { readyReplicas: 0 } }),
    "republisher",
    "Deployment aidbox-republisher is not ready",
    kubectl("health", "logs deployment/aidbox-republisher"),
  ],
  [
    "the Republisher was scaled away",
    () =>
      site.cluster.change("Deployment", "aidbox-republisher", {
        spec: { replicas: 0 },
        status: { readyReplicas: null },
      }),
    "republisher",
    "Deployment aidbox-republisher is not ready",
    up,
  ],
  [
    "the Republisher does nothing",
    () =>
      site.cluster.change("Pod", "aidbox-b", {
        metadata: { annotations: { "aidbox-secrets/republish": secondsAgo(100) } },
      }),
    "republisher",
    /^a pod's volumes were last published again 10\d s ago$/,
    kubectl("health", "logs deployment/aidbox-republisher"),
  ],
];

describe("of a broken chain, one link is named, with why and what mends it, where", () => {
  test.each(breaks)("%s", async (_, change, name, cause, fix) => {
    change();
    const { ok, links } = await verified();
    expect(ok).toBe(false);
    const broken = links.flatMap((each) => (each.state === "broken" ? [each] : []));
    const found = broken.find((each) => each.name === name)!;
    const known = (text: string): string => text.replaceAll(site.vault.address, "https://vault");
    expect(broken.map((each) => each.name)).toEqual(
      // Two secrets lie on one path.
      name === "secret client-secret" && site.vault.lacks("aidbox/client") ? [name, "secret neighbour"] : [name],
    );
    expect(known(found.cause)).toEqual(typeof cause === "string" ? cause : expect.stringMatching(cause));
    expect(known(found.fix)).toBe(fix);
    // What is not checked lies behind it, or behind what lies behind it.
    const faulty = links.filter(({ state }) => state !== "ok").map((each) => each.name);
    for (const each of links)
      if (each.state === "not checked") expect(faulty).toEqual(expect.arrayContaining([...each.behind]));
    expect(links.filter(({ state }) => state === "not permitted")).toEqual([]);
  });
});

test.each([
  ["driver", driverName, "kube-system", "app=secrets-store-csi-driver"],
  [
    "provider",
    providerName,
    "vault-csi-provider",
    "app.kubernetes.io/name=vault-csi-provider,app.kubernetes.io/instance=vault-node",
  ],
])(
  "a %s that is not ready on every node is shown by the labels that its pods have",
  async (link, name, namespace, labels) => {
    site.cluster.change("DaemonSet", name, { status: { desiredNumberScheduled: 3 } });
    const { links } = await verified();
    expect(links.filter(({ state }) => state === "broken")).toEqual([
      expect.objectContaining({
        name: link,
        cause: `DaemonSet ${namespace}/${name} is ready on 1 of 3 nodes`,
        fix: kubectl(namespace, `describe pods -l ${labels}`),
      }),
    ]);
  },
);

describe("a value that is empty in the store", () => {
  const [first, ...others] = config.secrets;

  test("is told by its name, also while no pod starts for it, with what fills it", async () => {
    site.vault.put("aidbox/client", { ...site.vault.data("aidbox/client"), "client-secret": "" });
    for (const pod of ["aidbox-a", "aidbox-b"]) site.cluster.delete("Pod", pod);
    const { links } = await verified();
    expect(links.find(({ name }) => name === "files")).toMatchObject({
      state: "broken",
      cause: "client-secret is empty in Vault, so no pod starts, and mayBeEmpty is not set for it",
      fix: "npm run rotate -- client-secret --stdin --env test",
    });
  });

  test("is in order where it may be, as a file and as a variable", async () => {
    await site.stop();
    await start({
      secrets: [
        { ...first, mayBeEmpty: true },
        others[0],
        { ...others[1], source: "external", mayBeEmpty: true },
        others[2],
      ],
    });
    site.vault.put("aidbox/client", { ...site.vault.data("aidbox/client"), "client-secret": "" });
    site.vault.put("aidbox/admin", { "admin-password": "" });
    for (const pod of ["aidbox-a", "aidbox-b"]) site.publish(pod);
    expect(notOk((await verified()).links)).toEqual({});
  });
});

describe("a node with Aidbox where the DaemonSet does not run", () => {
  const addNode = (spec: object, labels: Record<string, string> = {}): void => {
    site.cluster.add({ apiVersion: "v1", kind: "Node", metadata: { name: node, labels }, spec });
  };
  const taints = [
    { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
    { key: "spot", value: "yes", effect: "PreferNoSchedule" },
    { key: "dedicated", value: "aidbox", effect: "NoSchedule" },
  ];
  const tolerate = (name: string, ...tolerations: object[]): unknown =>
    site.cluster.change("DaemonSet", name, { spec: { template: { spec: { tolerations } } } });
  const causes = async (): Promise<[string, string][]> =>
    (await verified()).links.flatMap((link) => (link.state === "broken" ? [[link.name, link.cause]] : []));

  test("is named, with the taint", async () => {
    addNode({ taints });
    tolerate("csi-secrets-store-csi-driver", { operator: "Exists" });
    const cause = `DaemonSet vault-csi-provider/${providerName} does not run on node ${node}, where Aidbox does: it does not tolerate the taint dedicated=aidbox:NoSchedule`;
    expect(await causes()).toEqual([["provider", cause]]);
    tolerate(providerName, { key: "dedicated", operator: "Equal", value: "other" });
    expect(await causes()).toEqual([["provider", cause]]);
    tolerate(providerName, { key: "dedicated", value: "aidbox", effect: "NoSchedule" });
    expect(await causes()).toEqual([]);
  });

  test("is named, with the label that it lacks", async () => {
    addNode({}, { "kubernetes.io/os": "linux" });
    const nodeSelector = { "kubernetes.io/os": "linux", pool: "csi" };
    site.cluster.change("DaemonSet", providerName, { spec: { template: { spec: { nodeSelector } } } });
    expect(await causes()).toEqual([
      ["provider", expect.stringMatching(/where Aidbox does: the node lacks the label pool=csi$/)],
    ]);
  });
});

test("where no pod runs, neither files nor health are in order", async () => {
  for (const pod of ["aidbox-a", "aidbox-b"]) site.cluster.delete("Pod", pod);
  const { links } = await verified();
  expect(notOk(links)).toEqual({
    files: "broken: no Aidbox pod runs",
    health: "broken: Deployment aidbox has no pod",
    "synced secret": "not checked: files",
  });
});

test("where nothing mounts for want of the driver, it alone is named", async () => {
  site.cluster.delete("DaemonSet", driverName);
  site.cluster.delete("DaemonSet", providerName);
  for (const pod of ["aidbox-a", "aidbox-b"]) site.cluster.change("Pod", pod, { status: waiting("ContainerCreating") });
  const { links } = await verified();
  expect(notOk(links)).toEqual({
    driver: "broken: DaemonSet kube-system/csi-secrets-store-csi-driver is gone",
    provider: "not checked: driver",
    files: "not checked: driver, provider",
    health: "not checked: driver, provider",
    "synced secret": "not checked: files",
  });
});

test("a pod without sha256sum breaks the link of the files, in words of who ran it", async () => {
  site.cluster.execution = (pod) => (pod === "aidbox-b" ? "is not in the image" : "runs");
  const { links } = await verified();
  expect(notOk(links)).toEqual({
    files: 'broken: sha256sum did not run in pod aidbox-b: exec: "sha256sum": executable file not found in $PATH',
    "synced secret": "not checked: files",
  });
});

test("a pod that goes away while its files are read is left out", async () => {
  endWhileRead("aidbox-b");
  expect(told((await verified()).links).files).toBe("1 pods, 4 files each, all current");
});

test("where all pods go away meanwhile, none runs", async () => {
  endWhileRead("aidbox-a", "aidbox-b");
  expect(told((await verified()).links).files).toBe("broken: no Aidbox pod runs");
});

test("a connection that breaks is a call that failed, not a finding", async () => {
  site.cluster.execution = () => "loses its connection";
  const { links } = await verified();
  expect(links.find(({ name }) => name === "files")).toMatchObject({
    state: "broken",
    cause: expect.stringMatching(/^the connection to pod aidbox-[ab] broke$/) as string,
    fix: "try again: this was no finding, but a call that failed",
  });
});

describe("an answer of the cluster that is an error is told in its own words, in one line", () => {
  const failWith = (message: string): unknown =>
    (site.cluster.intercept = ({ resource }) =>
      resource === "configmaps" ? { status: 500, body: { message } } : undefined);

  test("and is no finding", async () => {
    failWith("etcdserver: request timed out");
    expect((await verified()).links.find(({ name }) => name === "vault-config")).toMatchObject({
      state: "broken",
      cause: "etcdserver: request timed out",
      fix: "try again: this was no finding, but a call that failed",
    });
  });

  test("and what is no JSON is not taken for any", async () => {
    site.cluster.intercept = ({ resource }) =>
      resource === "configmaps" ? { status: 502, body: '{"message":"of a\tproxy"}' } : undefined;
    expect(notOk((await verified()).links)["vault-config"]).toBe("broken: HTTP-Code: 502");
  });

  // The words are cut out of the JSON as they are there, with the backslashes of quotation marks.
  test("with quotation marks as they are", async () => {
    failWith('failed calling webhook "x.example"');
    expect(notOk((await verified()).links)["vault-config"]).toBe('broken: failed calling webhook "x.example"');
  });
});

test("an answer of Vault that is an error is told in one line", async () => {
  answer(/^sys\/policies/, 500, { errors: ["internal error"] });
  expect(notOk((await verified()).links).policy).toBe(
    "broken: Vault answered GET sys/policies/acl/aidbox with 500: internal error",
  );
});

test("a file that is stale for long is a break, also where another secret was written just now", async () => {
  setFile("aidbox-b", "somebody's hunter2");
  site.vault.put("aidbox/db", { "db-password": values["db-password"] });
  expect(notOk((await verified()).links).files).toMatch(
    /^broken: \S+\/client-secret of pod aidbox-b has another content than Vault's current version, after \d+ s$/,
  );
});

describe("a file that is stale", () => {
  const filesWith = async (changes: Record<string, unknown>): Promise<LinkReport> => {
    await site.stop();
    await start(changes);
    site.cluster.metrics = 'rotation_reconcile_error_total{error_type="GRPCProviderError"} 3\n';
    setFile("aidbox-b", "somebody's hunter2");
    return (await verified({ vaultToken: site.restrictTo("viewer") })).links.find(({ name }) => name === "files")!;
  };

  test("is explained by the driver, which hides its errors from the pod", async () => {
    expect(await filesWith({ rotationBound: "90s" })).toMatchObject({
      state: "broken",
      cause: expect.stringMatching(
        /, after \d+ s; the driver on node-1 met 3 errors "GRPCProviderError" since it started$/,
      ) as string,
      fix: driverLog,
    });
  });

  // Where it runs is not known, and it is the first pod that is shown, stale or not.
  test("is shown by its pod where the driver is another's", async () => {
    expect(await filesWith({ csiDriver: { install: false } })).toMatchObject({
      state: "broken",
      fix: kubectl("health", "describe pod aidbox-b"),
    });
  });

  test("is not told of where the Republisher is the cause", async () => {
    setFile("aidbox-b", "somebody's hunter2");
    site.cluster.delete("Deployment", "aidbox-republisher");
    expect(notOk((await verified()).links)).toEqual({
      files: "not checked: republisher",
      "synced secret": "not checked: files",
      republisher: "broken: Deployment aidbox-republisher is gone",
    });
  });
});

describe("a static role of the database engine", () => {
  const { path: name } = staticRole;
  const link = "secret box-password";
  const rows = [...config.secrets, { ...staticRole, environment: "BOX_DB_PASSWORD" }];
  const database = { mode: "external", host: "postgres.example.com", tls: { mode: "require" } };
  const ofLink = (links: readonly LinkReport[], wanted = link): LinkReport =>
    links.find((each) => each.name === wanted)!;

  async function startWith(changes: Record<string, unknown>): Promise<void> {
    await site.stop();
    await start(changes);
  }

  beforeEach(() => startWith({ secrets: rows, database }));

  test("is in order, with a viewer's rights", async () => {
    const { ok, links } = await verified({ vaultToken: site.restrictTo("viewer") });
    expect(notOk(links)).toEqual({});
    expect(ok).toBe(true);
    expect(ofLink(links)).toEqual({
      name: link,
      checks: "static role box of database has a password",
      state: "ok",
      seen: "user aidbox, password of 2026-01-02T03:04:05.000Z",
    });
    expect(told(links)).toMatchObject({
      policy:
        "reads secret/data/aidbox/client, secret/data/aidbox/admin, secret/data/aidbox/db, database/static-creds/box",
      access: "reads 4 of 4 paths, refused beside them",
      files: "2 pods, 5 files each, all current",
      "synced secret": "Secret aidbox-environment: BOX_ADMIN_PASSWORD, BOX_DB_PASSWORD current",
    });
  });

  test("may be of any user where the config tells of no database", async () => {
    await startWith({ secrets: rows });
    site.vault.staticRole(name).username = "somebody";
    expect(told((await verified()).links)[link]).toBe("user somebody, password of 2026-01-02T03:04:05.000Z");
  });

  const make = "write database/static-roles/box db_name=CONNECTION username=aidbox rotation_period=24h";
  const noRoute = { errors: ['no handler for route "database/static-roles/box". route entry not found.'] };

  test.each<[what: string, change: () => unknown, cause: string, fix: string]>([
    [
      "without an engine",
      () => answer(/^database\//, 404, noRoute),
      "there is no database engine at database",
      vault("secrets enable -path=database database"),
    ],
    ["that is gone", () => site.vault.staticRoles.delete(name), "database has no static role box", vault(make)],
    [
      "of another user than Aidbox's",
      () => (site.vault.staticRole(name).username = "postgres"),
      "static role box is of user postgres, and Aidbox logs in as aidbox",
      `${vault("delete database/static-roles/box")} && ${vault(make)}`,
    ],
    [
      "that makes no password",
      () => (site.vault.staticRole(name).credentialType = "rsa_private_key"),
      "static role box makes no password, but a rsa_private_key",
      `${vault("delete database/static-roles/box")} && ${vault(make)}`,
    ],
    [
      "that never was rotated",
      () => (site.vault.staticRole(name).rotatedAt = undefined),
      "static role box has no password yet",
      "npm run rotate -- box-password --env test",
    ],
  ])("%s is the one broken link", async (_, change, cause, fix) => {
    change();
    const { links } = await verified();
    const [broken, ...others] = links.flatMap((each) => (each.state === "broken" ? [each] : []));
    expect(others).toEqual([]);
    expect(broken).toMatchObject({ name: link, cause });
    expect(broken!.fix.replaceAll(site.vault.address, "https://vault")).toBe(fix);
    expect(told(links)).toMatchObject({ access: `not checked: ${link}`, files: "not checked: access" });
  });

  test("that is gone is made for a user to choose where the config tells of no database", async () => {
    await startWith({ secrets: rows });
    site.vault.staticRoles.delete(name);
    expect(ofLink((await verified()).links)).toMatchObject({
      fix: expect.stringContaining(" db_name=CONNECTION username=USER rotation_period=24h") as string,
    });
  });

  test("that may not be looked at is told as a right that lacks", async () => {
    site.vault.allow("hvs.nobody", "");
    expect(told((await verified({ vaultToken: "hvs.nobody" })).links)[link]).toBe(
      "not permitted: Vault refuses GET database/static-roles/box with this token",
    );
  });

  // It is not Aidbox's own login to its database.
  test("that is a file alone may be of any user", async () => {
    await startWith({ secrets: [...rows, { ...staticRole, name: "reports-password", path: "reports" }], database });
    site.vault.staticRole("reports").username = "reports";
    expect(notOk((await verified()).links)).toEqual({});
  });

  // What the engine has not, it answers with 400 to whoever may read it.
  test("that the pods' login reads another beside is told as a path too many", async () => {
    answer(/^database\/static-creds\/box-beside$/, 400, { errors: ["unknown role: box-beside"] });
    expect(notOk((await verified()).links).access).toBe(
      "broken: role aidbox may read database/static-creds/box-beside too, by a policy that is not this stack's",
    );
  });

  describe("whose new password is not in the files yet", () => {
    const inPods = ["aidbox-a", "aidbox-b"].map((pod) => `/run/vault-secrets/box-password of pod ${pod}`).join(", ");
    const filesOf = async (rotatedAgo: number): Promise<string> => {
      await startWith({ secrets: [...config.secrets, staticRole] });
      site.vault.rotateRole(name, new Date(Date.now() - rotatedAgo * 1000));
      return told((await verified()).links).files!;
    };

    test("is no break within the bound, counted from its rotation", async () => {
      expect(await filesOf(10)).toMatch(
        new RegExp(`^2 pods, 5 files each; ${inPods} follows: Vault's version is 1\\d s old$`),
      );
    });

    test("is a break after it", async () => {
      expect(await filesOf(60)).toMatch(
        new RegExp(`^broken: ${inPods} has another content than Vault's current version, after 6\\d s$`),
      );
    });
  });
});

describe("a Vault of the stack's own", () => {
  let way: jest.SpyInstance;
  /** Has a server's pod, as the chart deploys it and Vault labels it. */
  function addServer(name: string, labels: Record<string, string> = {}): void {
    site.cluster.add({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: "vault-csi",
        labels: { "app.kubernetes.io/instance": "vault", component: "server", ...labels },
      },
    });
  }
  async function startOwn(vaultConfig: { mode: string }): Promise<void> {
    await site.stop();
    await start({ development: true, vault: vaultConfig });
    // The way through a port-forward is not that of this test.
    const session = VaultSession.prototype as unknown as { reachVault: () => Promise<string> };
    way = jest.spyOn(session, "reachVault").mockResolvedValue(site.vault.address);
    site.cluster.add({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "vault-x", namespace: "vault-csi", labels: { "kubernetes.io/service-name": "vault" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
    });
    for (const name of ["vault-0", "vault-1", "vault-2"]) addServer(name, { "vault-sealed": "false" });
  }
  afterEach(() => {
    way.mockRestore();
  });
  const vaultLink = async (vaultToken = rootToken): Promise<LinkReport> =>
    (await verified({ vaultToken })).links.find(({ name }) => name === "vault")!;

  test.each(["dev", "standalone", "ha"])("is in order, in mode %s, with a viewer's rights", async (mode) => {
    await startOwn({ mode });
    const seen = "Vault 2.0.4, initialised, unsealed; Service vault-csi/vault leads to it";
    expect(await vaultLink(site.restrictTo("viewer"))).toMatchObject({ state: "ok", seen });
  });

  test.each(["standalone", "ha"])("is brought into service by this project's commands, in mode %s", async (mode) => {
    await startOwn({ mode });
    setHealth({ initialized: false, sealed: true });
    expect(await vaultLink()).toMatchObject({
      state: "broken",
      cause: "Vault is not initialised",
      fix: "npm run vault:init -- --env test",
    });
    setHealth({ initialized: true, sealed: true });
    expect(await vaultLink()).toMatchObject({
      state: "broken",
      cause: "Vault is sealed",
      fix: "npm run vault:unseal -- --env test",
    });
  });

  // They take no --tenant: it is one Vault for all.
  test("is brought into service by the same commands where a tenant's chain is walked", async () => {
    await startOwn({ mode: "ha" });
    setHealth({ initialized: true, sealed: true });
    const { links } = await verify({ ...site.environment, tenant: "north" }, { vaultToken: rootToken });
    expect(links.find(({ name }) => name === "vault")).toMatchObject({ fix: "npm run vault:unseal -- --env test" });
  });

  test("in memory is unsealed by the key in its log", async () => {
    await startOwn({ mode: "dev" });
    setHealth({ initialized: true, sealed: true });
    expect(await vaultLink()).toMatchObject({
      cause: "Vault is sealed",
      fix:
        `${kubectl("vault-csi", "logs vault-0")} | sed -n 's/^Unseal Key: //p' | ` +
        `${kubectl("vault-csi", "exec -i vault-0")} -- vault write sys/unseal key=-`,
    });
  });

  test("with several servers is broken where some of them are sealed, though another serves", async () => {
    await startOwn({ mode: "ha" });
    for (const name of ["vault-1", "vault-2"]) addServer(name, { "vault-sealed": "true" });
    expect(await vaultLink(site.restrictTo("viewer"))).toMatchObject({
      state: "broken",
      cause: "vault-1, vault-2 of 3 servers sealed",
      fix: "npm run vault:unseal -- --env test",
    });
  });

  describe("that has just been unsealed", () => {
    hurryTimers();
    const slice = (ready: boolean): object => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "vault-x", namespace: "vault-csi", labels: { "kubernetes.io/service-name": "vault" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready } }],
    });
    /** Looks twice at a kind of object, and has it become another one between. */
    function becomes(resource: string, change: () => void): void {
      let looks = 0;
      site.cluster.intercept = (request) => {
        if (request.resource === resource && (looks += 1) === 2) change();
        return undefined;
      };
    }

    test("is waited for until its label says who leads", async () => {
      await startOwn({ mode: "ha" });
      for (const name of ["vault-0", "vault-1", "vault-2"]) addServer(name, { "vault-active": "false" });
      becomes("pods", () => {
        addServer("vault-1", { "vault-active": "true", "vault-sealed": "false" });
      });
      expect((await vaultLink()).state).toBe("ok");
    });

    test("is waited for until its pod is ready", async () => {
      await startOwn({ mode: "standalone" });
      site.cluster.add(slice(false) as never);
      becomes("endpointslices", () => {
        site.cluster.add(slice(true) as never);
      });
      expect((await vaultLink()).state).toBe("ok");
    });

    test("and whose pod does not get ready is told apart from a Service that leads nowhere", async () => {
      await startOwn({ mode: "standalone" });
      site.cluster.add(slice(false) as never);
      expect(await vaultLink()).toMatchObject({
        state: "broken",
        cause: "Service vault-csi/vault leads to no Vault, since none of its pods is ready",
        fix: kubectl("vault-csi", "describe pods -l app.kubernetes.io/instance=vault,component=server"),
      });
    });

    test("and of which none leads is broken, though the one that answers is unsealed", async () => {
      await startOwn({ mode: "ha" });
      for (const name of ["vault-0", "vault-2"]) addServer(name, { "vault-active": "false", "vault-sealed": "true" });
      addServer("vault-1", { "vault-active": "false", "vault-sealed": "false" });
      const fix = kubectl("vault-csi", "get pods -o wide -l app.kubernetes.io/instance=vault,component=server");
      expect(await vaultLink(site.restrictTo("viewer"))).toMatchObject({
        state: "broken",
        cause:
          "no server of Vault leads, and of 3 are sealed or empty: vault-0, vault-2: see docs/runbooks.md#lost-quorum",
        fix,
      });
      addServer("vault-0", { "vault-active": "true", "vault-sealed": "false" });
      expect(await vaultLink()).toMatchObject({ cause: "vault-2 of 3 servers sealed" });
    });
  });

  test("with several servers does not count those that are not Vault's, nor those without the label", async () => {
    await startOwn({ mode: "ha" });
    addServer("vault-1");
    addServer("other-0", { component: "csi-provider", "vault-sealed": "true" });
    expect((await vaultLink()).state).toBe("ok");
  });

  test("with one server is not looked at so: it serves, whatever the label still says", async () => {
    await startOwn({ mode: "standalone" });
    addServer("vault-0", { "vault-sealed": "true" });
    expect((await vaultLink()).state).toBe("ok");
  });

  test.each([
    ["standalone", 1],
    ["ha", 3],
  ])("that somebody scaled away gets all its servers back, in mode %s", async (mode, replicas) => {
    await startOwn({ mode });
    for (const name of ["vault-0", "vault-1", "vault-2"]) site.cluster.delete("Pod", name);
    answer(/^sys\/health/, 502, {});
    expect(await vaultLink()).toMatchObject({
      cause: "Vault has no pod in namespace vault-csi",
      fix: `${kubectl("vault-csi", `scale statefulset vault --replicas ${replicas}`)} ; ${up}`,
    });
  });

  test.each([
    ["is gone", false, "it may not check one, since ClusterRoleBinding vault-server-binding is gone"],
    ["is there", true, "permission denied"],
  ])("that refuses the pods' tokens tells why where the binding to check them %s", async (_, isThere, why) => {
    await startOwn({ mode: "standalone" });
    answer(/\/login$/, 403, { errors: ["permission denied"] });
    const binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" };
    if (isThere) site.cluster.add({ ...binding, metadata: { name: "vault-server-binding" } });
    expect(notOk((await verified()).links)).toMatchObject({
      login: `broken: Vault refuses a token of health/aidbox: ${why}`,
    });
  });

  test("that its Service does not lead to is of no use to the pods", async () => {
    await startOwn({ mode: "standalone" });
    site.cluster.delete("EndpointSlice", "vault-x");
    expect(await vaultLink()).toMatchObject({
      state: "broken",
      cause: "Service vault-csi/vault leads to no Vault, so the provider cannot reach it",
      fix: `${kubectl("vault-csi", "delete service --ignore-not-found vault")} && ${up}`,
    });
  });
});

test.each([403, 502])("a login that cannot be ended (%i) takes nothing of the result away", async (code) => {
  site.vault.intercept = ({ path }) =>
    path === "auth/token/revoke-self" ? { status: code, body: { errors: ["not today"] } } : undefined;
  expect((await verified()).ok).toBe(true);
});

describe("the login is ended too", () => {
  const expectEnded = async (): Promise<void> => {
    await verified();
    expect([...site.vault.tokens.keys()]).toEqual([rootToken]);
  };

  test("where there was none", async () => {
    site.cluster.delete("ServiceAccount", "aidbox");
    await expectEnded();
  });

  test("where its access is not checked, since a secret is not there", async () => {
    site.vault.remove("aidbox/db");
    await expectEnded();
  });

  test("where its access is broken", async () => {
    answer(/-beside$/, 404, { errors: [] });
    await expectEnded();
  });
});
