import { duration, each, flag, label, oneOf, optional, port, shape, text, texts, wholeNumber } from "../../check-props";
import { databaseConnection } from "../database";
import {
  affinity,
  construct,
  containerProps,
  containerResources,
  deploymentStrategy,
  imagePullPolicy,
  probeOptions,
  tolerations,
  variables,
  volumeMount,
} from "../plus-checks";
import { secretMount } from "../secret-provider-class";
import type { AutoscalingOptions } from "./autoscaler";
import type { DisruptionBudgetOptions } from "./disruption-budget";
import type { GatewayRouteOptions } from "./gateway-route";
import type { IngressOptions } from "./ingress";
import type { NetworkPolicyOptions } from "./network-policy";
import {
  autoscalingChecks,
  disruptionBudgetChecks,
  gatewayRouteChecks,
  ingressChecks,
  networkPolicyChecks,
  serviceChecks,
  serviceMonitorChecks,
} from "./option-checks";
import type { PlacementOptions, TopologySpread } from "./placement";
import type { EnvironmentSources } from "./plain-environment";
import type { PodOptions } from "./pod";
import type { HealthProbeOptions } from "./probes";
import type { AidboxProps, ImagePullOptions } from "./props";
import type { SecurityOptions } from "./security";
import type { ServiceOptions } from "./service";
import type { ServiceMonitorOptions } from "./service-monitor";

/** What AidboxChart gives the Aidbox that it makes. */
export type GivenByChart = "name" | "secrets" | "serviceAccount" | "vaultConfig" | "initBundle";

/** What each prop of an Aidbox is that its user says, whoever makes it. */
export const aidboxSettings = {
  image: text,
  imagePull: optional(shape<ImagePullOptions>({ policy: optional(imagePullPolicy), secrets: optional(each(text)) })),
  replicas: optional(wholeNumber),
  autoscaling: optional(shape<AutoscalingOptions>(autoscalingChecks)),
  disruptionBudget: optional(shape<DisruptionBudgetOptions>(disruptionBudgetChecks)),
  maxInstances: optional(wholeNumber),
  strategy: optional(deploymentStrategy),
  placement: optional(
    shape<PlacementOptions>({
      nodeSelector: optional(texts),
      tolerations: optional(tolerations),
      affinity: optional(affinity),
      topologySpread: optional(
        each(
          shape<TopologySpread>({
            topologyKey: text,
            maxSkew: optional(wholeNumber),
            whenUnsatisfiable: optional(oneOf("ScheduleAnyway", "DoNotSchedule")),
          }),
        ),
      ),
      priorityClassName: optional(text),
    }),
  ),
  resources: optional(containerResources),
  probes: optional(
    shape<HealthProbeOptions>({
      path: optional(text),
      startup: optional(probeOptions),
      readiness: optional(probeOptions),
      liveness: optional(probeOptions),
    }),
  ),
  environment: optional(variables),
  database: optional(databaseConnection),
  environmentFrom: optional(
    shape<EnvironmentSources>({ configMaps: optional(each(text)), secrets: optional(each(text)) }),
  ),
  security: optional(
    shape<SecurityOptions>({
      readOnlyRootFilesystem: optional(flag),
      user: optional(wholeNumber),
      group: optional(wholeNumber),
      fsGroup: optional(wholeNumber),
    }),
  ),
  pod: optional(
    shape<PodOptions>({
      annotations: optional(texts),
      labels: optional(texts),
      mounts: optional(each(volumeMount)),
      initContainers: optional(each(containerProps)),
      sidecars: optional(each(containerProps)),
      terminationGracePeriod: optional(duration),
    }),
  ),
  annotations: optional(texts),
  port: optional(port),
  service: optional(shape<ServiceOptions>(serviceChecks)),
  ingress: optional(shape<IngressOptions>(ingressChecks)),
  gatewayRoute: optional(shape<GatewayRouteOptions>(gatewayRouteChecks)),
  metricsPort: optional(port),
  serviceMonitor: optional(shape<ServiceMonitorOptions>(serviceMonitorChecks)),
  networkPolicy: optional(shape<NetworkPolicyOptions>(networkPolicyChecks)),
};

/** What each prop of an Aidbox is. */
export const aidboxChecks = {
  name: optional(label),
  ...aidboxSettings,
  secrets: secretMount,
  serviceAccount: construct(["name"], "give a ServiceAccount of cdk8s-plus"),
  vaultConfig: construct(["configMap", "checksum"], "give a VaultConfig"),
  initBundle: optional(construct(["configMap", "checksum", "addResource"], "give an InitBundleConfig")),
};

/** The Aidbox of a chart, which gives it the rest. */
export const chartAidbox = shape<Omit<AidboxProps, GivenByChart>>(aidboxSettings);
