import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { object, optional, refuseProps, text, wholeNumber } from "../../check-props";
import { networkPolicyChecks } from "./option-checks";
import { clusterDns, type NetworkPeer, type NetworkTarget, rules, tcp, toPeer, udp } from "../network/peers";
import type { Identity } from "./identity";

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
  labels: object,
  webPort: wholeNumber,
  metricsPort: optional(wholeNumber),
};

/** Denies Aidbox's pods all traffic, in and out, but for what is named. It holds where the cluster's network enforces it. */
export class AidboxNetworkPolicy extends k8s.KubeNetworkPolicy {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxNetworkPolicyProps) {
    refuseProps(`${scope.node.path}/${id}`, props, checks);
    const { name, labels, from = [], monitors = [], database, dns = clusterDns, to = [] } = props;
    super(scope, id, {
      metadata: { name, labels },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ["Ingress", "Egress"],
        // A rule without peers would admit everybody, so there is none where nobody is named.
        ...rules("ingress", [
          ...(from.length === 0 ? [] : [{ from: from.map(toPeer), ports: [tcp(props.webPort)] }]),
          ...(monitors.length === 0 || props.metricsPort === undefined
            ? []
            : [{ from: monitors.map(toPeer), ports: [tcp(props.metricsPort)] }]),
        ]),
        // No way out to Vault: the agents of the node fetch the secrets' volume, not the pod.
        egress: [
          { to: [toPeer(dns)], ports: [udp(53), tcp(53)] },
          { to: [toPeer(database.peer)], ports: [tcp(database.port ?? 5432)] },
          ...to.map(({ peer, ports }) => ({ to: [toPeer(peer)], ports: ports.map(tcp) })),
        ],
      },
    });
  }
}
