import type { Problem } from "../../../secrets";
import { peerProblems, targetProblems } from "../../network/rules";
import { metricsPortOf } from "../defaults";
import type { NetworkPolicyOptions } from "../network-policy";
import type { CheckedProps } from "./checked-props";

/** What is wrong with whom the pods may speak to, and whom of the other props that would shut out. */
export function networkPolicyProblems(props: CheckedProps): Problem[] {
  const { networkPolicy } = props;
  if (networkPolicy === undefined) return [];
  const problems = [...namedProblems(networkPolicy), ...shutOutProblems(networkPolicy, props)];
  return problems.map(({ key, message }) => ({ key: `networkPolicy.${key}`, message }));
}

function namedProblems({ from = [], monitors = [], database, dns, to = [] }: NetworkPolicyOptions): Problem[] {
  return [
    ...from.flatMap((peer, index) => peerProblems(`from[${index}]`, peer)),
    ...monitors.flatMap((peer, index) => peerProblems(`monitors[${index}]`, peer)),
    ...peerProblems("database.peer", database.peer),
    ...(dns === undefined ? [] : peerProblems("dns", dns)),
    ...to.flatMap((target, index) => targetProblems(`to[${index}]`, target)),
  ];
}

function shutOutProblems({ from = [], monitors = [] }: NetworkPolicyOptions, props: CheckedProps): Problem[] {
  const { ingress, gatewayRoute, service, serviceMonitor } = props;
  const problems: Problem[] = [];
  const hosts = [...(ingress?.hosts ?? []), ...(gatewayRoute?.hostnames ?? [])];
  if (from.length === 0 && hosts.length > 0) {
    problems.push({ key: "from", message: `[]: shuts out the proxy of ${hosts.join(", ")}: name its pods` });
  }
  if (from.length === 0 && service?.type !== undefined && service.type !== "ClusterIP") {
    problems.push({ key: "from", message: `[]: shuts out the clients of the ${service.type}: name their addresses` });
  }
  if (monitors.length === 0 && serviceMonitor !== undefined) {
    problems.push({ key: "monitors", message: "[]: shuts out the Prometheus of serviceMonitor: name its pods" });
  }
  if (monitors.length > 0 && metricsPortOf(props) === undefined) {
    problems.push({
      key: "monitors",
      message: `${JSON.stringify(monitors)}: find no metrics: set metricsPort or serviceMonitor, or remove them`,
    });
  }
  return problems;
}
