import { isIP } from "node:net";
import { type Check, each, object, optional, port, shape, text, texts } from "../../check-props";
import { isPlaceholder } from "../../placeholder";
import type { Problem } from "../../secrets";
import { isCidr, labelKey, labelKeyFix, labelValue, labelValueFix } from "../syntax";
import type { AddressPeer, NetworkPeer, NetworkTarget, PodPeer } from "./peers";

const podPeer = shape<PodPeer>({ podLabels: optional(texts), namespaceLabels: optional(texts) });
const addressPeer = shape<AddressPeer>({ cidr: text });

/** Whether a value is somebody that a network policy can name. */
export const peer: Check = (value) =>
  object(value) ?? (typeof value === "object" && value !== null && "cidr" in value ? addressPeer : podPeer)(value);

export const networkTarget = shape<NetworkTarget>({ peer, ports: each(port) });

/** What is wrong with somebody that a network policy names. */
export function peerProblems(key: string, peer: NetworkPeer): Problem[] {
  if ("cidr" in peer) {
    const { cidr } = peer;
    if (isPlaceholder(cidr) || isCidr(cidr)) return [];
    const bits = { 4: 32, 6: 128 }[isIP(cidr)];
    const fix = bits === undefined ? "write a range of addresses, as 10.1.2.3/32" : `did you mean "${cidr}/${bits}"?`;
    return [{ key: `${key}.cidr`, message: `"${cidr}": is no range of addresses: ${fix}` }];
  }
  if (peer.podLabels !== undefined || peer.namespaceLabels !== undefined) {
    return [
      ...selectorProblems(`${key}.podLabels`, peer.podLabels),
      ...selectorProblems(`${key}.namespaceLabels`, peer.namespaceLabels),
    ];
  }
  return [{ key, message: "{}: names nobody: write podLabels, namespaceLabels or cidr" }];
}

function selectorProblems(key: string, labels: Readonly<Record<string, string>> = {}): Problem[] {
  return Object.entries(labels).flatMap(([label, value]): Problem[] => {
    if (!isPlaceholder(label) && !labelKey.test(label)) return [{ key: `${key}.${label}`, message: labelKeyFix }];
    if (isPlaceholder(value) || labelValue.test(value)) return [];
    return [{ key: `${key}.${label}`, message: `"${value}": ${labelValueFix}` }];
  });
}

/** What is wrong with a way out. */
export function targetProblems(key: string, { peer, ports }: NetworkTarget): Problem[] {
  return [...peerProblems(`${key}.peer`, peer), ...portProblems(`${key}.ports`, ports)];
}

export function portProblems(key: string, ports: readonly number[]): Problem[] {
  return ports.length > 0 ? [] : [{ key, message: "[]: would open every port: name at least one, as [443]" }];
}
