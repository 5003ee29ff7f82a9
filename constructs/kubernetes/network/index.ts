export * from "./network-guard";
export type { AddressPeer, NetworkPeer, NetworkTarget, PodPeer } from "./peers";
