import type { Chart } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import { manifestsOf } from "./constructs/kubernetes/fixtures";

/** A pod as a NetworkPolicy sees one. */
export interface FlowPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** Labels of its namespace beside its name. @default - none */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

/** An end of a flow: a pod, an IPv4 address outside the cluster, or the node on which the other end runs. */
export type FlowEnd = FlowPod | { readonly address: string } | "own node";

export interface Flow {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly port: number;
  /** @default "TCP" */
  readonly protocol?: "TCP" | "UDP";
}

interface Policy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: k8s.NetworkPolicySpec;
}

type PolicyManifest = ReturnType<typeof manifestsOf>[number] & Pick<Policy, "spec">;

/** The NetworkPolicies of charts. */
export function policiesOf(...charts: readonly Chart[]): Policy[] {
  return charts.flatMap((chart) =>
    manifestsOf(chart)
      .filter((manifest): manifest is PolicyManifest => manifest.kind === "NetworkPolicy")
      .map(({ metadata, spec }) => ({ name: metadata.name!, namespace: metadata.namespace ?? "", spec })),
  );
}

/**
 * Whether policies let a flow pass, as https://kubernetes.io/docs/concepts/services-networking/network-policies/ has it:
 * a pod that no policy selects for a direction speaks with everybody; one that is selected speaks with whom one of them
 * names; both ends must admit the flow; and a node and its own pods always reach each other.
 */
export function passes(policies: readonly Policy[], { from, to, port, protocol = "TCP" }: Flow): boolean {
  if (from === "own node" || to === "own node") return true;
  const admits = (end: FlowEnd, other: FlowEnd, direction: "Ingress" | "Egress"): boolean => {
    if (!isPod(end)) return true;
    const selecting = policies.filter((policy) => isFor(policy, direction) && selects(policy, end));
    return (
      selecting.length === 0 ||
      selecting.some((policy) =>
        rulesOf(policy, direction).some((rule) => matches(rule, policy, other, port, protocol)),
      )
    );
  };
  return admits(from, to, "Egress") && admits(to, from, "Ingress");
}

interface Rule {
  readonly peers: readonly k8s.NetworkPolicyPeer[] | undefined;
  readonly ports: readonly k8s.NetworkPolicyPort[] | undefined;
}

function isPod(end: FlowEnd): end is FlowPod {
  return typeof end === "object" && "namespace" in end;
}

function isFor({ spec }: Policy, direction: "Ingress" | "Egress"): boolean {
  return (spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])]).includes(direction);
}

function rulesOf({ spec }: Policy, direction: "Ingress" | "Egress"): Rule[] {
  return direction === "Ingress"
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
}

function selects({ namespace, spec }: Policy, pod: FlowPod): boolean {
  return pod.namespace === namespace && isSelected(spec.podSelector, pod.labels);
}

function matches(rule: Rule, policy: Policy, other: FlowEnd, port: number, protocol: string): boolean {
  const { peers = [], ports = [] } = rule;
  const isPort = ports.length === 0 || ports.some((each) => isPortOf(each, port, protocol));
  return isPort && (peers.length === 0 || peers.some((peer) => isPeer(peer, policy, other)));
}

function isPortOf(allowed: k8s.NetworkPolicyPort, port: number, protocol: string): boolean {
  if (allowed.endPort !== undefined) throw new Error("endPort is not evaluated here");
  const number = allowed.port as unknown as number | undefined; // as it stands in the manifest
  return (allowed.protocol ?? "TCP") === protocol && (number === undefined || number === port);
}

function isPeer(peer: k8s.NetworkPolicyPeer, policy: Policy, other: FlowEnd): boolean {
  if (other === "own node") return true;
  if (peer.ipBlock !== undefined) {
    return "address" in other && isInRange(other.address, peer.ipBlock.cidr) && peer.ipBlock.except === undefined;
  }
  if (!isPod(other)) return false;
  const isNamespace =
    peer.namespaceSelector === undefined
      ? other.namespace === policy.namespace
      : isSelected(peer.namespaceSelector, {
          ...other.namespaceLabels,
          "kubernetes.io/metadata.name": other.namespace,
        });
  return isNamespace && isSelected(peer.podSelector ?? {}, other.labels);
}

function isSelected(selector: k8s.LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  if (selector.matchExpressions !== undefined) throw new Error("matchExpressions are not evaluated here");
  return Object.entries(selector.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
}

function isInRange(address: string, cidr: string): boolean {
  const [base, bits] = cidr.split("/") as [string, string];
  const toNumber = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(address) / size) === Math.floor(toNumber(base) / size);
}
