import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { each, optional, pathBelow, port, refuseProps, shape, text, texts } from "../../check-props";
import type { Problem } from "../../secrets";
import { assertMayAdd, whenRendered } from "../additions";
import { clusterDns, type NetworkPeer, type NetworkTarget, rules, tcp, toPeer, udp } from "./peers";
import { networkTarget, peer, peerProblems, portProblems, targetProblems } from "./rules";

/** Who may reach pods, and on which TCP ports. */
export interface NetworkSource {
  /** One or more; a rule that names nobody would admit everybody. */
  readonly peers: readonly NetworkPeer[];
  /** TCP ports of the guarded pods. */
  readonly ports: readonly number[];
}

/** Which pods are guarded, and what stays open. */
export interface NetworkGuardProps {
  /** Name of the NetworkPolicy. */
  readonly name: string;
  /** @default - that of the chart */
  readonly namespace?: string;
  /** Labels of the pods that are guarded. */
  readonly podLabels: Readonly<Record<string, string>>;
  /**
   * Who may reach them. A node always reaches its own pods, as kubelet does with its probes, and a port-forward comes from
   * inside the pod.
   * @default - nobody
   */
  readonly from?: readonly NetworkSource[];
  /**
   * Whom they may reach beside the cluster's DNS; nobody at all, not even that, where the list is empty. Port 53 is opened
   * for UDP too.
   * @default - everybody
   */
  readonly to?: readonly NetworkTarget[];
}

const networkSource = shape<NetworkSource>({ peers: each(peer), ports: each(port) });

const checks = {
  name: text,
  namespace: optional(text),
  podLabels: texts,
  from: optional(each(networkSource)),
  to: optional(each(networkTarget)),
};

/** Denies pods all ways in but those that are named, and ways out likewise. The cluster's network must enforce it. */
export class NetworkGuard extends k8s.KubeNetworkPolicy {
  private readonly sources: NetworkSource[];
  private readonly targets: NetworkTarget[] | undefined;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: NetworkGuardProps) {
    refuseProps(pathBelow(scope, id), props, checks, () => problemsOf(props));
    const { name, namespace, podLabels, to } = props;
    const sources = [...(props.from ?? [])];
    const targets = to && [...to];
    super(scope, id, {
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: { ...podLabels } },
      spec: {
        podSelector: { matchLabels: { ...podLabels } },
        policyTypes: ["Ingress", ...(to === undefined ? [] : ["Egress"])],
        ingress: whenRendered(() => rules(ingressFrom(sources))),
        egress: whenRendered(() => rules(egressTo(targets ?? []))),
      },
    });
    this.sources = sources;
    this.targets = targets;
  }

  /**
   * Lets others reach the pods too.
   *
   * @throws Error with the construct's path where it is there already, is no source, or comes too late
   */
  public addSource(source: NetworkSource): void {
    const further = (): Problem[] => sourceProblems("source", source);
    assertMayAdd(this, { what: "source", value: source, check: networkSource, present: this.sources, further });
    this.sources.push(source);
  }

  /**
   * Lets the pods reach others too.
   *
   * @throws Error with the construct's path where it is there already, is no target, or comes too late; and where the pods reach
   * everybody, since `to` was left out
   */
  public addTarget(target: NetworkTarget): void {
    const present = this.targets;
    const further = (): Problem[] =>
      present === undefined
        ? [
            {
              key: "target",
              message: "the pods reach everybody: make the guard with to: [], which closes what is not added",
            },
          ]
        : targetProblems("target", target);
    assertMayAdd(this, { what: "target", value: target, check: networkTarget, present: present ?? [], further });
    present?.push(target);
  }
}

function problemsOf({ from = [], to = [] }: NetworkGuardProps): Problem[] {
  return [
    ...from.flatMap((source, index) => sourceProblems(`from[${index}]`, source)),
    ...to.flatMap((target, index) => targetProblems(`to[${index}]`, target)),
  ];
}

function sourceProblems(key: string, { peers, ports }: NetworkSource): Problem[] {
  return [
    ...peers.flatMap((peer, at) => peerProblems(`${key}.peers[${at}]`, peer)),
    ...portProblems(`${key}.ports`, ports),
  ];
}

function ingressFrom(sources: readonly NetworkSource[]): k8s.NetworkPolicyIngressRule[] {
  return sources
    .filter(({ peers }) => peers.length > 0)
    .map(({ peers, ports }) => ({ from: peers.map(toPeer), ports: ports.map(tcp) }));
}

function egressTo(targets: readonly NetworkTarget[]): k8s.NetworkPolicyEgressRule[] {
  if (targets.length === 0) return [];
  return [{ peer: clusterDns, ports: [53] }, ...targets].map(({ peer, ports }) => ({
    to: [toPeer(peer)],
    ports: [...ports.map(tcp), ...(ports.includes(53) ? [udp(53)] : [])],
  }));
}
