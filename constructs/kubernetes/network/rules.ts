import type { Problem } from "../../secrets";
import { isPlaceholder } from "../placeholder";
import type { NetworkPeer, NetworkTarget } from "./peers";

/** What is wrong with somebody that a network policy names. */
export function peerProblems(key: string, peer: NetworkPeer): Problem[] {
  if ("cidr" in peer) {
    const { cidr } = peer;
    if (isPlaceholder(cidr) || /^[\da-f.:]+\/\d{1,3}$/i.test(cidr)) return [];
    const bits = /^\d+(\.\d+){3}$/.test(cidr) ? 32 : /^[\da-f]*:[\da-f:]*$/i.test(cidr) ? 128 : undefined;
    const fix = bits === undefined ? "write a range of addresses, as 10.1.2.3/32" : `did you mean "${cidr}/${bits}"?`;
    return [{ key: `${key}.cidr`, message: `"${cidr}": is no range of addresses: ${fix}` }];
  }
  if (peer.podLabels !== undefined || peer.namespaceLabels !== undefined) return [];
  return [{ key, message: "{}: names nobody: write podLabels, namespaceLabels or cidr" }];
}

/** What is wrong with a way out. */
export function targetProblems(key: string, { peer, ports }: NetworkTarget): Problem[] {
  return [
    ...peerProblems(`${key}.peer`, peer),
    ...(ports.length > 0
      ? []
      : [{ key: `${key}.ports`, message: "[]: would open every port: name at least one, as [443]" }]),
  ];
}
