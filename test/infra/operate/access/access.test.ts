import { type AccessEvidence, readAccess } from "../../../../infra/operate/access";
import { operatorRights } from "../../../../infra/operate/rights";
import type { KubernetesObject } from "../fake-kubernetes";
import { expectNoSecret, longAgo, node, rootToken, Site } from "../site";

const rbac = "rbac.authorization.k8s.io/v1";
const whole = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];

let site: Site;
beforeEach(async () => {
  site = await Site.start();
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  site.vault.entries.set("sys/auth", { "kubernetes/": { type: "kubernetes" }, "token/": { type: "token" } });
  site.vault.entries.set("sys/policies/acl/default", { policy: 'path "auth/token/lookup-self" { policy = "read" }' });
  fillCluster();
});
afterEach(async () => {
  await site.stop();
});

/** What Kubernetes, Helm and the driver's DaemonSet bring. */
function fillCluster(): void {
  const { cluster } = site;
  cluster.add(
    {
      ...{ apiVersion: rbac, kind: "ClusterRole", metadata: { name: "cluster-admin" } },
      rules: whole,
    },
    {
      ...{ apiVersion: rbac, kind: "ClusterRoleBinding" },
      metadata: { name: "cluster-admin", labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
      roleRef: { kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "Group", name: "system:masters" }],
    },
    {
      ...{ apiVersion: rbac, kind: "ClusterRole", metadata: { name: "vault-node-csi-provider-clusterrole" } },
      rules: [{ apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] }],
    },
    {
      ...{ apiVersion: rbac, kind: "ClusterRoleBinding" },
      metadata: {
        name: "vault-node-csi-provider-clusterrolebinding",
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: {
          "meta.helm.sh/release-name": "vault-node",
          "meta.helm.sh/release-namespace": site.environment.namespaces.csiProvider,
        },
      },
      roleRef: { kind: "ClusterRole", name: "vault-node-csi-provider-clusterrole" },
      subjects: [
        {
          kind: "ServiceAccount",
          name: "vault-node-csi-provider",
          namespace: site.environment.namespaces.csiProvider,
        },
      ],
    },
  );
  cluster.change("Pod", "csi-driver-x", {
    metadata: { ownerReferences: [{ kind: "DaemonSet", name: "csi-secrets-store-csi-driver" }] },
    spec: {
      serviceAccountName: "secrets-store-csi-driver",
      containers: [{ name: "driver", securityContext: { privileged: true } }],
    },
  });
}

function plant(rules: object[], subject: object, namespace = "health"): void {
  site.cluster.add(
    { ...{ apiVersion: rbac, kind: "Role", metadata: { name: "planted", namespace } }, rules },
    {
      ...{ apiVersion: rbac, kind: "RoleBinding", metadata: { name: "planted", namespace } },
      roleRef: { kind: "Role", name: "planted" },
      subjects: [subject],
    },
  );
}

async function access(vaultToken = rootToken): Promise<AccessEvidence> {
  const evidence = await readAccess(site.environment, { vaultToken });
  expectNoSecret(evidence);
  return evidence;
}

/** What neither the stack, nor Kubernetes, nor `rights` gives. */
function ofOthers({ secrets, ways, nodePods }: AccessEvidence): string[] {
  return [
    ...secrets.flatMap(({ secret, readers }) =>
      readers.filter(({ origin }) => origin === "others").map(({ who, by }) => `${secret}: ${who}, ${by}`),
    ),
    ...ways
      .filter(({ origin }) => origin === "others")
      .map(({ who, may, reaches }) => `${reaches}: ${who} ${may.map(({ power }) => power).join()}`),
    ...nodePods.filter(({ origin }) => origin === "others").map(({ pod, ways: by }) => `${pod} ${by.join()}`),
  ];
}

test("of a stack alone it names the stack's own, and nobody else", async () => {
  const evidence = await access();
  expect(ofOthers(evidence)).toEqual([]);
  expect(evidence.secrets.map(({ secret, rotatedAt }) => [secret, rotatedAt])).toEqual(
    ["client-secret", "neighbour", "admin-password", "db-password"].map((name) => [name, longAgo]),
  );
  for (const { readers } of evidence.secrets) {
    expect(readers).toEqual([
      expect.objectContaining({
        who: "ServiceAccount health/aidbox",
        by: "role aidbox of auth/kubernetes",
        policies: ["aidbox"],
        origin: "stack",
        pods: ["health/aidbox-a", "health/aidbox-b"],
      }),
    ]);
  }
  const told = evidence.ways.map(({ who, may, reaches, origin }) => [
    origin,
    who,
    reaches,
    may.map(({ power }) => power).join(),
  ]);
  expect(told).toContainEqual(["kubernetes", "Group system:masters", "health/aidbox", expect.stringContaining("exec")]);
  expect(told).toContainEqual([
    "kubernetes",
    "Group system:masters",
    "kube-system/secrets-store-csi-driver",
    expect.stringContaining("exec"),
  ]);
  expect(told).toContainEqual(["stack", expect.stringContaining("csi-provider"), "health/aidbox", "token"]);
  expect(told).toContainEqual(["stack", "ServiceAccount health/aidbox-republisher", "health/aidbox", "run"]);
  expect(evidence.nodePods).toEqual([
    expect.objectContaining({ pod: "kube-system/csi-driver-x", origin: "stack", isBeside: true }),
  ]);
  expect(evidence.nodes).toEqual([node]);
});

test("a further policy is named, with who gets it, and the paths that it reads", async () => {
  site.vault.entries.set("sys/policies/acl/extra", {
    policy: 'path "secret/data/+/admin" { capabilities = ["read"] }',
  });
  expect(ofOthers(await access())).toEqual([
    "admin-password: whoever has a token with the policy extra, no login that was read",
  ]);
  site.vault.entries.set("auth/kubernetes/role/extra", {
    bound_service_account_names: ["*"],
    bound_service_account_namespaces: ["tools"],
    token_policies: ["extra"],
  });
  site.cluster.add({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "tool", namespace: "tools" } },
    spec: { serviceAccountName: "deployer", nodeName: node },
    status: { phase: "Running" },
  });
  plant([{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }], { kind: "User", name: "eve" }, "tools");
  expect(ofOthers(await access())).toEqual([
    "admin-password: ServiceAccount tools/*, role extra of auth/kubernetes",
    "tools/deployer: User eve exec",
  ]);
});

test("a policy of the stack's own name that says something else is of others", async () => {
  const policy = 'path "secret/*" { capabilities = ["read"] }';
  site.vault.entries.set("sys/policies/acl/aidbox", { policy });
  const { secrets } = await access();
  expect(secrets[0]!.readers).toEqual([
    expect.objectContaining({ who: "ServiceAccount health/aidbox", origin: "others" }),
  ]);
});

test("who may write the pods' policy, or make any token, can change who reads, and is named", async () => {
  site.vault.entries.set("sys/policies/acl/admin", {
    policy:
      'path "sys/policies/acl/*" { capabilities = ["update"] }\npath "auth/+/role/*" { capabilities = ["create", "read"] }\n' +
      'path "auth/token/create" { capabilities = ["update", "sudo"] }\npath "identity/*" { capabilities = ["read", "list"] }',
  });
  site.vault.entries.set("sys/policies/acl/tokens", {
    policy: 'path "auth/token/create" { capabilities = ["update"] }',
  });
  const { changers } = await access();
  expect(changers.map(({ who, may, origin }) => ({ who, may, origin }))).toEqual([
    {
      who: "whoever has a token with the policy admin",
      may: ["writes the policy aidbox", "changes who gets in by the role aidbox", "makes tokens with any policy"],
      origin: "others",
    },
  ]);
});

test("the stack's own token can change it, by what it may write alone, and is the stack's", async () => {
  site.vault.entries.set("sys/policies/acl/aidbox-stack", {
    policy: operatorRights(site.environment, "stack", "").store,
  });
  const { changers } = await access();
  expect(changers).toEqual([
    expect.objectContaining({
      who: "whoever has a token with the policy aidbox-stack",
      may: expect.arrayContaining(["writes the policy aidbox", "changes who gets in by the role aidbox"]) as string[],
      conditions: ["only with parameters that it lists"],
      origin: "stack",
    }),
  ]);
});

test("a deny that comes first takes the right away", async () => {
  site.vault.entries.set("sys/policies/acl/no", {
    policy: 'path "secret/data/aidbox/admin" { capabilities = ["deny"] }',
  });
  site.vault.entries.set("sys/policies/acl/all", { policy: 'path "secret/*" { capabilities = ["read"] }' });
  site.vault.entries.set("auth/kubernetes/role/both", {
    bound_service_account_names: ["x"],
    bound_service_account_namespaces: ["y"],
    token_policies: ["no", "all"],
  });
  const of = ofOthers(await access()).filter((each) => each.includes("role both"));
  expect(of.map((each) => each.split(":")[0])).toEqual(["client-secret", "neighbour", "db-password"]);
});

test("a RoleBinding for commands in pods is named, and nothing else", async () => {
  plant([{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }], { kind: "Group", name: "support" });
  const evidence = await access();
  expect(ofOthers(evidence)).toEqual(["health/aidbox: Group support exec"]);
  expect(evidence.ways.find(({ who }) => who === "Group support")).toEqual({
    who: "Group support",
    may: [{ power: "exec", words: "runs commands in its pods (pods/exec)" }],
    by: "RoleBinding health/planted, Role planted",
    reaches: "health/aidbox",
    secrets: ["client-secret", "neighbour", "admin-password", "db-password"],
    origin: "others",
    controls: ["HIPAA 164.312(a)(1)", "SOC 2 CC6.2", "SOC 2 CC6.3"],
  });
});

test("a pod that mounts kubelet's folder is named, and nothing else", async () => {
  const planted: KubernetesObject = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "shell", namespace: "tools" } },
    spec: { nodeName: node, volumes: [{ name: "v", hostPath: { path: "/var/lib/kubelet" } }], containers: [] },
    status: { phase: "Running" },
  };
  site.cluster.add(planted);
  expect(ofOthers(await access())).toEqual(["tools/shell mounts /var/lib/kubelet of the node"]);
});

test("one that has ended reaches nothing", async () => {
  site.cluster.add({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "shell", namespace: "tools" } },
    spec: { nodeName: node, hostPID: true },
    status: { phase: "Succeeded" },
  });
  expect(ofOthers(await access())).toEqual([]);
});

test("what bears Kubernetes' own label, and is not its own, is of others", async () => {
  site.cluster.add({
    ...{ apiVersion: rbac, kind: "ClusterRoleBinding" },
    metadata: { name: "planted", labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
    roleRef: { kind: "ClusterRole", name: "cluster-admin" },
    subjects: [
      { kind: "Group", name: "system:authenticated" },
      { kind: "ServiceAccount", name: "default", namespace: "tools" },
    ],
  });
  expect(ofOthers(await access()).map((each) => each.split(" ").slice(0, 3).join(" "))).toEqual(
    ["health/aidbox", "kube-system/secrets-store-csi-driver"].flatMap((reaches) => [
      `${reaches}: Group system:authenticated`,
      `${reaches}: ServiceAccount tools/default`,
    ]),
  );
});

test("what `rights` prints is known again; with one right more it is of others", async () => {
  const printed = operatorRights(site.environment, "rotator", "on-call").kubernetes as KubernetesObject[];
  site.cluster.add(...printed);
  const evidence = await access();
  expect(ofOthers(evidence)).toEqual([]);
  expect(evidence.ways.filter(({ who }) => who === "Group on-call").map(({ origin }) => origin)).toContain("rights");
  const role = site.cluster.object("Role", "aidbox-secrets-rotator") as unknown as { rules: object[] };
  role.rules.push({ apiGroups: [""], resources: ["pods"], verbs: ["create"] });
  expect(ofOthers(await access())).toEqual(["health/aidbox: Group on-call exec,token,synced-secret,run,run"]);
});

test("an auditor's rights are enough for all of it, and for no value", async () => {
  const token = site.restrictTo("auditor");
  const { notRead, secrets } = await access(token);
  expect(notRead).toEqual(["the last readers: the audit log of a Vault of others is theirs"]);
  expect(secrets.map(({ readers }) => readers.length)).toEqual([1, 1, 1, 1]);
  expect(site.vault.requests.filter(({ path }) => path.startsWith("secret/data/"))).toEqual([]);
  expect([...site.vault.writes, ...site.cluster.writes]).toEqual([]);
});

test("what Vault does not show is said, and not left out", async () => {
  const token = site.restrictTo("viewer");
  site.cluster.roles = undefined;
  const { notRead } = await access(token);
  expect(notRead).toContain("the policies: Vault refuses GET sys/policies/acl with this token");
  expect(notRead).toContain("the auth mounts: Vault refuses GET sys/auth with this token");
});

test("a policy that is not understood, and a mount of another kind, are said", async () => {
  site.vault.entries.set("sys/policies/acl/odd", { policy: 'path "a" { capabilities = <<X\nX\n}' });
  site.vault.entries.set("sys/auth", { "kubernetes/": { type: "kubernetes" }, "cloud/": { type: "aws" } });
  expect((await access()).notRead).toEqual([
    "auth/cloud: who logs in there is not looked into, as of any aws mount",
    expect.stringMatching(/^policy odd: its text is not understood \(line 1\): read it by hand$/),
    "the last readers: the audit log of a Vault of others is theirs",
  ]);
});

test("who may not list what the cluster allows is told what is lacking", async () => {
  site.restrictTo("viewer");
  await expect(access()).rejects.toThrow(/cannot list resource "roles".*clusterrolebindings/s);
});
