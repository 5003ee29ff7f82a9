import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { optional, pathBelow, port, refuseProps, text, texts } from "../../check-props";
import type { Problem } from "../../secrets";
import { assertMayAdd, whenRendered } from "../additions";
import { clusterDns, type NetworkPeer, type NetworkTarget, rules, tcp, toPeer, udp } from "../network/peers";
import { networkTarget, peer, peerProblems, targetProblems } from "../network/rules";
import type { Identity } from "./identity";
import { networkPolicyChecks } from "./option-checks";

/** With whom Aidbox's pods may speak; with nobody else. */
export interface NetworkPolicyOptions {
  /**
   * Who may reach Aidbox's port, as the pods of the ingress controller. A node always reaches its own pods, as kubelet
   * does with its probes.
   * @default - nobody
   */
  readonly from?: readonly NetworkPeer[];
  /**
   * Who may reach the port of the metrics.
   * @default - nobody
   */
  readonly monitors?: readonly NetworkPeer[];
  /** PostgreSQL. */
  readonly database: {
    /** Its pods, or the addresses of one outside the cluster. */
    readonly peer: NetworkPeer;
    /** @default 5432 */
    readonly port?: number;
  };
  /** @default - the pods `k8s-app: kube-dns` of the namespace `kube-system` */
  readonly dns?: NetworkPeer;
  /**
   * What else Aidbox needs: identity providers, a registry of FHIR packages, Aidbox's portal where the license is checked
   * online.
   * @default - nothing
   */
  readonly to?: readonly NetworkTarget[];
}

/** Which pods the policy is for, and what it leaves open. */
export interface AidboxNetworkPolicyProps extends NetworkPolicyOptions, Identity {}

const checks = {
  ...networkPolicyChecks,
  name: text,
  labels: texts,
  webPort: port,
  metricsPort: optional(port),
};

/** Denies Aidbox's pods all traffic, in and out, but for what is named. It holds where the cluster's network enforces it. */
export class AidboxNetworkPolicy extends k8s.KubeNetworkPolicy {
  private readonly sources: NetworkPeer[];
  private readonly monitors: NetworkPeer[];
  private readonly targets: NetworkTarget[];
  private readonly metricsPort: number | undefined;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxNetworkPolicyProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, database, dns = clusterDns } = props;
    const [sources, monitors, targets] = [[...(props.from ?? [])], [...(props.monitors ?? [])], [...(props.to ?? [])]];
    super(scope, id, {
      metadata: { name, labels },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ["Ingress", "Egress"],
        // A rule without peers would admit everybody, so there is none where nobody is named.
        ingress: whenRendered(() =>
          rules([
            ...(sources.length === 0 ? [] : [{ from: sources.map(toPeer), ports: [tcp(props.webPort)] }]),
            ...(monitors.length === 0 || props.metricsPort === undefined
              ? []
              : [{ from: monitors.map(toPeer), ports: [tcp(props.metricsPort)] }]),
          ]),
        ),
        // No way out to Vault: the agents of the node fetch the secrets' volume, not the pod.
        egress: whenRendered(() => [
          { to: [toPeer(dns)], ports: [udp(53), tcp(53)] },
          { to: [toPeer(database.peer)], ports: [tcp(database.port ?? 5432)] },
          ...targets.map(({ peer, ports }) => ({ to: [toPeer(peer)], ports: ports.map(tcp) })),
        ]),
      },
    });
    this.sources = sources;
    this.monitors = monitors;
    this.targets = targets;
    this.metricsPort = props.metricsPort;
  }

  /**
   * Lets others reach Aidbox's port too.
   *
   * @throws Error with the construct's path where it is there already, names nobody, or comes too late
   */
  public addSource(source: NetworkPeer): void {
    const further = (): Problem[] => peerProblems("source", source);
    assertMayAdd(this, { what: "source", value: source, check: peer, present: this.sources, further });
    this.sources.push(source);
  }

  /**
   * Lets others reach the port of the metrics too.
   *
   * @throws Error with the construct's path where it is there already, names nobody, or comes too late; and where Aidbox serves
   * no metrics
   */
  public addMonitor(monitor: NetworkPeer): void {
    const further = (): Problem[] =>
      this.metricsPort === undefined
        ? [{ key: "monitor", message: "finds no metrics: give Aidbox metricsPort or serviceMonitor" }]
        : peerProblems("monitor", monitor);
    assertMayAdd(this, { what: "monitor", value: monitor, check: peer, present: this.monitors, further });
    this.monitors.push(monitor);
  }

  /**
   * Lets Aidbox reach others too.
   *
   * @throws Error with the construct's path where it is there already, is no target, or comes too late
   */
  public addTarget(target: NetworkTarget): void {
    const further = (): Problem[] => targetProblems("target", target);
    assertMayAdd(this, { what: "target", value: target, check: networkTarget, present: this.targets, further });
    this.targets.push(target);
  }
}
