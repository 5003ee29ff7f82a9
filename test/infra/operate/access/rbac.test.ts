import { bindingsOf } from "../../../../infra/operate/access/cluster-access";
import { type Holder, impersonated, powersOver } from "../../../../infra/operate/access/powers";
import { allows, type Binding, type RbacRule, type Request } from "../../../../infra/operate/access/rbac";

const rule = (groups: string, resources: string, verbs: string, names?: string): RbacRule => ({
  apiGroups: groups.split(","),
  resources: resources.split(","),
  verbs: verbs.split(","),
  ...(names === undefined ? {} : { resourceNames: names.split(",") }),
});
const exec = { verb: "create", resource: "pods/exec", names: ["aidbox-a"] };

test.each<[string, boolean, RbacRule, Request]>([
  ["what it names", true, rule("", "pods/exec", "create"), exec],
  ["any verb", true, rule("", "pods/exec", "*"), exec],
  ["any resource", true, rule("", "*", "create"), exec],
  ["any group", true, rule("*", "pods/exec", "create"), exec],
  ["any resource with the subresource", true, rule("", "*/exec", "create"), exec],
  ["its name", true, rule("", "pods/exec", "create", "aidbox-a"), exec],
  ["another name", false, rule("", "pods/exec", "create", "other"), exec],
  ["another verb", false, rule("", "pods/exec", "delete"), exec],
  ["the resource without the subresource", false, rule("", "pods", "create"), exec],
  ["another subresource", false, rule("", "*/log", "create"), exec],
  ["pods/*, which the API server does not know", false, rule("", "pods/*", "create"), exec],
  ["another group", false, rule("apps", "pods/exec", "create"), exec],
  ["a name, of a request without one", false, rule("", "pods", "create", "x"), { verb: "create", resource: "pods" }],
  [
    "a name, of a request for any",
    true,
    rule("", "pods", "patch", "x"),
    { verb: "patch", resource: "pods", names: "any" },
  ],
  ["URLs alone", false, { verbs: ["*"] }, exec],
])("a rule with %s: %s", (_, expected, of, request) => {
  expect(allows(of, request)).toBe(expected);
});

const holder: Holder = {
  namespace: "health",
  serviceAccount: "aidbox",
  pods: ["aidbox-a"],
  nodes: ["node-1"],
  syncedSecrets: ["aidbox-environment"],
};
const binding = (rules: readonly RbacRule[], namespace?: string): Binding => ({
  name: "planted",
  ...(namespace === undefined ? {} : { namespace }),
  role: { kind: namespace === undefined ? "ClusterRole" : "Role", name: "planted" },
  rules,
  subjects: [{ kind: "User", name: "eve" }],
  labels: {},
  annotations: {},
});
const powers = (of: RbacRule, namespace: string | undefined = "health"): string[] => [
  ...new Set(powersOver(binding([of], namespace), holder).map(({ power }) => power)),
];

test.each<[RbacRule, string[]]>([
  [rule("", "pods/exec", "create"), ["exec"]],
  [rule("", "pods/exec", "get"), ["exec"]],
  [rule("", "pods/attach", "create"), ["exec"]],
  [rule("", "pods/ephemeralcontainers", "patch"), ["exec"]],
  [rule("", "serviceaccounts/token", "create"), ["token"]],
  [rule("", "serviceaccounts/token", "create", "aidbox"), ["token"]],
  [rule("", "serviceaccounts/token", "create", "other"), []],
  [rule("", "secrets", "get"), ["synced-secret"]],
  [rule("", "secrets", "list"), ["synced-secret"]],
  [rule("", "secrets", "watch", "aidbox-environment"), ["synced-secret"]],
  [rule("", "secrets", "get", "other"), []],
  [rule("", "secrets", "create"), []],
  [rule("", "pods", "create"), ["run"]],
  [rule("", "pods", "patch"), ["run"]],
  [rule("", "pods", "get,list,watch,delete"), []],
  [rule("", "pods/log,pods/portforward,pods/status", "*"), []],
  [rule("apps", "deployments", "patch", "anything"), ["run"]],
  [rule("apps", "deployments", "create", "anything"), []],
  [rule("batch", "cronjobs", "create"), ["run"]],
  [rule("", "replicationcontrollers", "update"), ["run"]],
  [rule("rbac.authorization.k8s.io", "roles", "escalate"), ["grant"]],
  [rule("rbac.authorization.k8s.io", "clusterroles", "bind", "admin"), ["grant"]],
  [rule("rbac.authorization.k8s.io", "rolebindings", "create"), []],
  [rule("", "nodes/proxy", "get"), []],
  [rule("", "configmaps", "*"), []],
])("%j in its namespace gives %j", (of, expected) => {
  expect(powers(of)).toEqual(expected);
});

test("kubelet's API is reached by a right in the whole cluster alone", () => {
  const [own] = [binding([rule("", "nodes/proxy", "get")])];
  expect(powersOver(own, holder).map(({ power }) => power)).toEqual(["kubelet"]);
});

test("a right in another namespace gives nothing", () => {
  expect(powers(rule("*", "*", "*"), "elsewhere")).toEqual([]);
});

test("an administrator has all of them", () => {
  const all = powersOver(binding([rule("*", "*", "*")]), holder).map(({ power }) => power);
  expect([...new Set(all)]).toEqual(["exec", "kubelet", "token", "synced-secret", "run", "grant"]);
});

describe("who may act as others", () => {
  const powerful = new Set(["User eve", "Group system:masters", "ServiceAccount tools/deployer"]);
  test.each<[RbacRule, string | undefined, string[]]>([
    [rule("", "users", "impersonate"), undefined, ["User eve", "ServiceAccount tools/deployer"]],
    [rule("", "users", "impersonate", "alice"), undefined, []],
    [rule("", "users", "impersonate"), "tools", []],
    [rule("", "groups", "impersonate", "system:masters"), undefined, ["Group system:masters"]],
    [rule("", "serviceaccounts", "impersonate"), "tools", ["ServiceAccount tools/deployer"]],
    [rule("", "serviceaccounts", "impersonate", "deployer"), undefined, ["ServiceAccount tools/deployer"]],
    [rule("", "serviceaccounts", "impersonate"), "health", []],
    [
      rule("", "users", "impersonate", "system:serviceaccount:tools:deployer"),
      undefined,
      ["ServiceAccount tools/deployer"],
    ],
  ])("%j in %s: %j", (of, namespace, expected) => {
    expect(impersonated(binding([of], namespace), powerful)).toEqual(expected);
  });
});

test("a binding has the rules of its own namespace's role, or of the cluster's", () => {
  const [verbs, other] = [[rule("", "pods", "get")], [rule("", "pods", "list")]];
  const roles = [
    { metadata: { name: "r", namespace: "a" }, rules: verbs },
    { metadata: { name: "r" }, rules: other },
    { metadata: { name: "empty" }, rules: null },
  ];
  const bound = (kind: string, name: string, namespace: string) => ({
    metadata: { name: "b", namespace },
    roleRef: { kind, name },
  });
  const bindings = [
    bound("Role", "r", "a"),
    bound("ClusterRole", "r", "a"),
    bound("Role", "r", "b"),
    bound("ClusterRole", "empty", "a"),
  ];
  expect(bindingsOf(roles, bindings).map(({ rules }) => rules)).toEqual([verbs, other, [], []]);
});
