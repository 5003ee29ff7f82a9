import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { SecretVersion } from "../secret-version";
import type { ClusterAccess } from "./cluster-access";
import { controlsOf, namesOf } from "./controls";
import { waysToNode } from "./node-paths";
import type { Origin } from "./origin";
import { type Holder, impersonated, type Power, powersOver } from "./powers";
import { type Binding, bindingText, type Subject, subjectText } from "./rbac";
import type { LastRead, ServiceAccounts, StoreReader } from "./store-readers";

/** Who can read one secret by the store's rules, how old it is, and who read it last. */
export interface SecretEvidence {
  /** Its name in the table. */
  readonly secret: string;
  /** Where it lies, as an operator names it to the store. */
  readonly path: string;
  /** The current version; undefined where there is no live one, or it could not be read. */
  readonly version: SecretVersion | undefined;
  /** When its value was written; none where there is no live one. */
  readonly rotatedAt: Date | undefined;
  /** How old it may grow, in seconds. @default - any age */
  readonly maxAgeSeconds?: number | undefined;
  /** Who can read it by the store's rules. */
  readonly readers: readonly (StoreReader & {
    /** Pods that run now under a ServiceAccount of the reader's, as `aidbox/aidbox-7d4b-x2x7k`. */
    readonly pods: readonly string[];
  })[];
  /** The newest first; undefined where it is not known. */
  readonly lastReads: readonly LastRead[] | undefined;
  /** Names of the controls that each part answers, as `HIPAA 164.312(b)`. */
  readonly controls: {
    /** Those of who can read it. */
    readonly readers: string[];
    /** Those of its age. */
    readonly age: string[];
    /** Those of who read it last. */
    readonly lastReads: string[];
  };
}

/** Somebody who reaches secrets by way of Kubernetes, and not by the store's rules. */
export interface Way {
  /** A user, a group or a ServiceAccount, as a sentence has it. */
  readonly who: string;
  /** What they may do, a part of a sentence each. */
  readonly may: readonly Power[];
  /** By what they may. */
  readonly by: string;
  /** What they reach by it, as `aidbox/aidbox`. */
  readonly reaches: string;
  /** Names of the secrets that are there. */
  readonly secrets: readonly string[];
  /** Whose the binding is. */
  readonly origin: Origin;
  /** Names of the controls that this answers, as `HIPAA 164.312(b)`. */
  readonly controls: readonly string[];
}

/** A pod that reaches what others on its node have. */
export interface NodePod {
  /** Its namespace and name. */
  readonly pod: string;
  /** Namespace and name of its ServiceAccount. */
  readonly serviceAccount: string;
  /** Name of the node that it runs on. */
  readonly node: string;
  /** By what, a part of a sentence each. */
  readonly ways: readonly string[];
  /** Whether a pod that reads secrets is on its node now. */
  readonly isBeside: boolean;
  /** Whose the pod is. */
  readonly origin: Origin;
  /** Names of the controls that this answers, as `HIPAA 164.312(b)`. */
  readonly controls: readonly string[];
}

/** What a secret's row says, and what the store does. */
export interface SecretFacts extends Pick<
  SecretEvidence,
  "secret" | "path" | "version" | "rotatedAt" | "maxAgeSeconds" | "lastReads"
> {
  readonly readers: readonly StoreReader[];
  /** Kubernetes Secrets that the value is in. */
  readonly syncedTo: readonly { readonly namespace: string; readonly name: string }[];
}

/** What opens all secrets, and whose pods are to be kept from others as those that read them: the driver, the provider. */
export interface PlatformHolder {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Kubernetes Secrets that open the store. */
  readonly secrets: readonly string[];
}

/** Tells whose things are. */
export interface Origins {
  readonly ofBinding: (binding: Binding, subject: Subject) => Origin;
  readonly ofPod: (pod: V1Pod) => Origin;
}

/** The part of the evidence that is worked out of what was read. */
export interface Evidence {
  /** Each secret of the table, in its order. */
  readonly secrets: readonly SecretEvidence[];
  /** Who else reaches them by way of Kubernetes. */
  readonly ways: readonly Way[];
  /** Pods that reach what others on their node have. */
  readonly nodePods: readonly NodePod[];
  /** Nodes that have the files of such pods. */
  readonly nodes: readonly string[];
}

/** Works out who can read what. Asks nobody. */
export function evidenceOf(
  secrets: readonly SecretFacts[],
  platform: readonly PlatformHolder[],
  { bindings, pods }: ClusterAccess,
  origins: Origins,
): Evidence {
  const running = pods.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
  const held = [...readingHolders(secrets, running), ...platformHolders(secrets, platform, running)];
  const nodes = [...new Set(held.flatMap(({ holder }) => holder.nodes))].sort();
  const holderPods = new Set(
    readingHolders(secrets, running).flatMap(({ holder }) => holder.pods.map((pod) => `${holder.namespace}/${pod}`)),
  );
  return {
    secrets: secrets.map((facts) => ({
      ...secretOf(facts),
      readers: facts.readers.map((reader) => ({
        ...reader,
        pods: podsOf(reader.serviceAccounts, running).map(podText),
      })),
    })),
    ways: held.flatMap((each) => waysTo(each, bindings, origins)),
    nodePods: running.flatMap((pod) => nodePod(pod, nodes, holderPods, origins)),
    nodes,
  };
}

function secretOf({
  secret,
  path,
  version,
  rotatedAt,
  maxAgeSeconds,
  lastReads,
}: SecretFacts): Omit<SecretEvidence, "readers"> {
  return {
    secret,
    path,
    version,
    rotatedAt,
    maxAgeSeconds,
    lastReads,
    controls: {
      readers: namesOf(controlsOf.reader),
      age: namesOf(controlsOf.age),
      lastReads: namesOf(controlsOf.lastReads),
    },
  };
}

interface Held {
  readonly holder: Holder;
  readonly secrets: readonly string[];
}

/** The ServiceAccounts that read secrets, each with its pods. */
function readingHolders(facts: readonly SecretFacts[], pods: readonly V1Pod[]): Held[] {
  const held = new Map<string, Held>();
  for (const { secret, readers, syncedTo } of facts) {
    for (const { serviceAccounts } of readers) {
      for (const { namespace, name } of accountsIn(serviceAccounts, pods)) {
        const key = `${namespace}/${name}`;
        const synced = syncedTo.filter((each) => each.namespace === namespace).map((each) => each.name);
        const known = held.get(key);
        held.set(key, {
          holder: {
            ...holderOf(namespace, name, pods),
            syncedSecrets: [...new Set([...(known?.holder.syncedSecrets ?? []), ...synced])],
          },
          secrets: [...new Set([...(known?.secrets ?? []), secret])],
        });
      }
    }
  }
  return [...held.values()];
}

function platformHolders(
  facts: readonly SecretFacts[],
  platform: readonly PlatformHolder[],
  pods: readonly V1Pod[],
): Held[] {
  return platform.map(({ namespace, serviceAccount, secrets }) => ({
    holder: { ...holderOf(namespace, serviceAccount, pods), syncedSecrets: secrets },
    secrets: facts.map(({ secret }) => secret),
  }));
}

function holderOf(namespace: string, serviceAccount: string, pods: readonly V1Pod[]): Omit<Holder, "syncedSecrets"> {
  const own = podsOf({ namespaces: [namespace], names: [serviceAccount] }, pods);
  return {
    namespace,
    serviceAccount,
    pods: own.map(({ metadata }) => metadata?.name ?? ""),
    nodes: [...new Set(own.flatMap(({ spec }) => spec?.nodeName ?? []))],
  };
}

/** The ServiceAccounts of a pattern: those that are named, and of the others those that pods run as. */
function accountsIn(
  accounts: ServiceAccounts | undefined,
  pods: readonly V1Pod[],
): { readonly namespace: string; readonly name: string }[] {
  if (accounts === undefined) return [];
  const isPlain = (text: string): boolean => !text.includes("*");
  const named = accounts.namespaces
    .filter(isPlain)
    .flatMap((namespace) => accounts.names.filter(isPlain).map((name) => ({ namespace, name })));
  const used = podsOf(accounts, pods).map((pod) => ({
    namespace: pod.metadata?.namespace ?? "",
    name: accountOf(pod),
  }));
  return [...new Map([...named, ...used].map((each) => [`${each.namespace}/${each.name}`, each])).values()];
}

function podsOf(accounts: ServiceAccounts | undefined, pods: readonly V1Pod[]): V1Pod[] {
  if (accounts === undefined) return [];
  const { namespaces, names } = accounts;
  return pods.filter((pod) => isOneOf(namespaces, pod.metadata?.namespace ?? "") && isOneOf(names, accountOf(pod)));
}

/** As Vault matches them: `*` at an end, or at both. */
function isOneOf(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", ".*");
    return new RegExp(`^${escaped}$`, "s").test(text);
  });
}

function accountOf({ spec }: V1Pod): string {
  return spec?.serviceAccountName ?? "default";
}

function podText({ metadata }: V1Pod): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

/** Whoever may do something that leads to a holder's secrets, but for the holder itself. */
function waysTo({ holder, secrets }: Held, bindings: readonly Binding[], origins: Origins): Way[] {
  const own = subjectText({ kind: "ServiceAccount", namespace: holder.namespace, name: holder.serviceAccount });
  const found = bindings.map((binding) => ({ binding, may: powersOver(binding, holder) }));
  const powerful = new Set(
    found.flatMap(({ binding, may }) => (may.length === 0 ? [] : binding.subjects.map(subjectText))),
  );
  return found.flatMap(({ binding, may }) =>
    binding.subjects.flatMap((subject): Way[] => {
      const who = subjectText(subject);
      const as = impersonated(binding, powerful).filter((each) => each !== who);
      const acts: Power = { power: "impersonate", words: `acts as others who may (impersonate)` };
      const all = [...may, ...(as.length > 0 ? [acts] : [])];
      if (all.length === 0 || who === own) return [];
      return [
        {
          who,
          may: all,
          by: bindingText(binding),
          reaches: `${holder.namespace}/${holder.serviceAccount}`,
          secrets,
          origin: origins.ofBinding(binding, subject),
          controls: namesOf(controlsOf.way),
        },
      ];
    }),
  );
}

function nodePod(pod: V1Pod, nodes: readonly string[], holderPods: ReadonlySet<string>, origins: Origins): NodePod[] {
  const ways = waysToNode(pod);
  if (ways.length === 0 || holderPods.has(podText(pod))) return [];
  const node = pod.spec?.nodeName ?? "";
  return [
    {
      pod: podText(pod),
      serviceAccount: accountOf(pod),
      node,
      ways,
      isBeside: nodes.includes(node),
      origin: origins.ofPod(pod),
      controls: namesOf(controlsOf.node),
    },
  ];
}
