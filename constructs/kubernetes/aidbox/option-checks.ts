import {
  anyText,
  countOrShare,
  duration,
  each,
  flag,
  oneOf,
  optional,
  port,
  shape,
  text,
  texts,
  wholeNumber,
} from "../../check-props";
import { networkTarget, peer } from "../network/rules";
import { httpPathType, scalingBehavior, serviceType } from "../plus-checks";

// What each of Aidbox's options is; Aidbox checks them all at once, and the part that they are for by itself.

export const autoscalingChecks = {
  minReplicas: optional(wholeNumber),
  maxReplicas: wholeNumber,
  cpuUtilization: optional(wholeNumber),
  memoryUtilization: optional(wholeNumber),
  behavior: optional(scalingBehavior),
};

export const budgetChecks = {
  minAvailable: optional(countOrShare),
  maxUnavailable: optional(countOrShare),
  unhealthyPodEvictionPolicy: optional(oneOf("AlwaysAllow", "IfHealthyBudget")),
};
export const disruptionBudgetChecks = { ...budgetChecks, enabled: optional(flag) };

export const gatewayReference = shape({
  name: text,
  namespace: optional(text),
  sectionName: optional(text),
});
export const gatewayRouteChecks = {
  parentRefs: each(gatewayReference),
  hostnames: each(anyText),
  path: optional(text),
  annotations: optional(texts),
  timeout: optional(duration),
};

export const ingressChecks = {
  className: optional(text),
  hosts: each(anyText),
  tls: optional(flag),
  tlsSecretName: optional(text),
  path: optional(text),
  pathType: optional(httpPathType),
  annotations: optional(texts),
};

export const networkPolicyChecks = {
  from: optional(each(peer)),
  monitors: optional(each(peer)),
  database: shape({ peer, port: optional(port) }),
  dns: optional(peer),
  to: optional(each(networkTarget)),
};

export const serviceChecks = { type: optional(serviceType), port: optional(port), annotations: optional(texts) };

export const serviceMonitorChecks = { interval: optional(duration), labels: optional(texts) };
