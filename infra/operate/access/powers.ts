import { allows, type Binding, type RbacRule, type Request } from "./rbac";

/** Whoever can read secrets in the cluster, and what of Kubernetes belongs to it. */
export interface Holder {
  readonly namespace: string;
  /** ServiceAccount that logs in to the store. */
  readonly serviceAccount: string;
  /** Pods that run as it. */
  readonly pods: readonly string[];
  /** Nodes on which those pods are. */
  readonly nodes: readonly string[];
  /** Kubernetes Secrets with values of the table. */
  readonly syncedSecrets: readonly string[];
}

/** What somebody may do that leads to a holder's secrets. */
export interface Power {
  /** Short name, for machines. */
  readonly power: "exec" | "token" | "synced-secret" | "run" | "kubelet" | "grant" | "impersonate";
  /** As a part of a sentence, with the resource of Kubernetes. */
  readonly words: string;
}

interface PowerRule extends Power {
  /** Whether it counts in the whole cluster alone. */
  readonly isClusterWide?: boolean;
  readonly requests: (holder: Holder) => readonly Request[];
}

const each = (verbs: readonly string[], request: Omit<Request, "verb">): Request[] =>
  verbs.map((verb) => ({ verb, ...request }));

const change = ["update", "patch"];

/** Workloads: who makes one, or changes its pods, has them run as the ServiceAccount. */
const workloads: readonly Omit<Request, "verb">[] = [
  ...["deployments", "statefulsets", "daemonsets", "replicasets"].map((resource) => ({ group: "apps", resource })),
  ...["jobs", "cronjobs"].map((resource) => ({ group: "batch", resource })),
  { resource: "replicationcontrollers" },
];

const powerRules: readonly PowerRule[] = [
  {
    power: "exec",
    words: "runs commands in its pods (pods/exec)",
    // A websocket opens with a GET; Kubernetes 1.35 and later ask for "create" too.
    requests: ({ pods }) => each(["create", "get"], { resource: "pods/exec", names: pods }),
  },
  {
    power: "exec",
    words: "speaks to the programs in its pods (pods/attach)",
    requests: ({ pods }) => each(["create", "get"], { resource: "pods/attach", names: pods }),
  },
  {
    power: "exec",
    words: "adds containers to its pods (pods/ephemeralcontainers)",
    requests: ({ pods }) => each(change, { resource: "pods/ephemeralcontainers", names: pods }),
  },
  {
    power: "kubelet",
    words: "asks kubelet to run commands in any pod (nodes/proxy)",
    isClusterWide: true,
    requests: () => each(["create", "get"], { resource: "nodes/proxy", names: "any" }),
  },
  {
    power: "token",
    words: "gets tokens of its ServiceAccount (serviceaccounts/token)",
    requests: ({ serviceAccount }) => [{ verb: "create", resource: "serviceaccounts/token", names: [serviceAccount] }],
  },
  {
    power: "synced-secret",
    words: "reads the synced Secret (secrets)",
    requests: ({ syncedSecrets }) =>
      syncedSecrets.length === 0 ? [] : each(["get", "list", "watch"], { resource: "secrets", names: syncedSecrets }),
  },
  {
    power: "run",
    words: "makes pods, which may run as it (pods)",
    requests: () => [{ verb: "create", resource: "pods" }],
  },
  {
    power: "run",
    words: "changes the image of its pods (pods)",
    requests: ({ pods }) => each(change, { resource: "pods", names: pods }),
  },
  {
    power: "run",
    words: "makes or changes workloads, whose pods may run as it (deployments, jobs and so on)",
    requests: () =>
      workloads.flatMap((workload) => [
        { verb: "create", ...workload },
        ...each(change, { ...workload, names: "any" }),
      ]),
  },
  {
    power: "grant",
    words: "gives itself rights that it has not (bind, escalate)",
    requests: () =>
      ["roles", "clusterroles"].flatMap((resource) =>
        each(["bind", "escalate"], { group: "rbac.authorization.k8s.io", resource, names: "any" }),
      ),
  },
];

/** Whether a binding counts where a holder is. */
export function countsFor({ namespace }: Binding, holder: Pick<Holder, "namespace">): boolean {
  return namespace === undefined || namespace === holder.namespace;
}

/** What a binding's subjects may do that leads to a holder's secrets, but for what they may do as somebody else. */
export function powersOver(binding: Binding, holder: Holder): Power[] {
  if (!countsFor(binding, holder)) return [];
  return powerRules
    .filter(({ isClusterWide }) => isClusterWide !== true || binding.namespace === undefined)
    .filter(({ requests }) => requests(holder).some((request) => binding.rules.some((rule) => allows(rule, request))))
    .map(({ power, words }) => ({ power, words }));
}

/**
 * As whom a binding's subjects may act, of those who have a power themselves.
 *
 * @param powerful their texts, as `Group system:masters`
 */
export function impersonated(binding: Binding, powerful: ReadonlySet<string>): string[] {
  const may = (rule: RbacRule, resource: string, name: string): boolean =>
    allows(rule, { verb: "impersonate", resource, names: [name] });
  return [...powerful].filter((text) =>
    binding.rules.some((rule) => {
      const [kind = "", name = ""] = text.split(/ (.*)/s);
      if (kind !== "ServiceAccount")
        return binding.namespace === undefined && may(rule, `${kind.toLowerCase()}s`, name);
      const [namespace = "", account = ""] = name.split("/");
      return (
        ((binding.namespace === undefined || binding.namespace === namespace) &&
          may(rule, "serviceaccounts", account)) ||
        (binding.namespace === undefined && may(rule, "users", `system:serviceaccount:${namespace}:${account}`))
      );
    }),
  );
}
