import { k8s } from "cdk8s-plus-28";

/** Pods of the cluster. */
export interface PodPeer {
  /** @default - all pods of the namespaces */
  readonly podLabels?: Record<string, string>;
  /**
   * Labels of their namespaces; each has `kubernetes.io/metadata.name`.
   * @default - the namespace of the policy itself
   */
  readonly namespaceLabels?: Record<string, string>;
}

/** Addresses, mostly outside the cluster. */
export interface AddressPeer {
  /** Range of addresses, as `10.1.2.3/32`. */
  readonly cidr: string;
}

/** Who may reach pods, or whom they may reach. */
export type NetworkPeer = PodPeer | AddressPeer;

/** Whom pods may reach, and on which TCP ports. */
export interface NetworkTarget {
  /** Pods of the cluster, or addresses. */
  readonly peer: NetworkPeer;
  /** TCP ports; at least one, since none would open them all. */
  readonly ports: readonly number[];
}

/** The cluster's DNS, by the labels that kubeadm and the clouds give it. */
export const clusterDns: PodPeer = {
  namespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
  podLabels: { "k8s-app": "kube-dns" },
};

export function toPeer(peer: NetworkPeer): k8s.NetworkPolicyPeer {
  if ("cidr" in peer) return { ipBlock: { cidr: peer.cidr } };
  const { podLabels, namespaceLabels } = peer;
  return {
    ...(podLabels === undefined ? {} : { podSelector: { matchLabels: podLabels } }),
    ...(namespaceLabels === undefined ? {} : { namespaceSelector: { matchLabels: namespaceLabels } }),
  };
}

/** Rules of a policy; none where the list is empty: the API server drops it, and each later `apply` would find it missing. */
export function rules<Rule>(list: Rule[]): Rule[] | undefined {
  return list.length === 0 ? undefined : list;
}

export function tcp(port: number): k8s.NetworkPolicyPort {
  return { protocol: "TCP", port: k8s.IntOrString.fromNumber(port) };
}

export function udp(port: number): k8s.NetworkPolicyPort {
  return { protocol: "UDP", port: k8s.IntOrString.fromNumber(port) };
}
