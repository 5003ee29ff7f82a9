import { Duration, Size } from "cdk8s";
import { Cpu, ImagePullPolicy, type k8s, ServiceType } from "cdk8s-plus-28";
import type { AidboxChartProps } from "../../constructs/kubernetes/index";
import type { Environment } from "../config/environment";
import { mebibytes, seconds } from "../config/quantity";

type AidboxConfig = Environment["aidbox"];

const pullPolicies = {
  IfNotPresent: ImagePullPolicy.IF_NOT_PRESENT,
  Always: ImagePullPolicy.ALWAYS,
  Never: ImagePullPolicy.NEVER,
};

const serviceTypes = {
  ClusterIP: ServiceType.CLUSTER_IP,
  NodePort: ServiceType.NODE_PORT,
  LoadBalancer: ServiceType.LOAD_BALANCER,
};

/** The keys below `aidbox` as the construct takes them. */
export function aidboxProps(config: AidboxConfig): AidboxChartProps["aidbox"] {
  const { autoscaling, gatewayRoute, serviceMonitor } = config;
  return {
    image: config.image,
    imagePull: {
      policy: config.imagePullPolicy && pullPolicies[config.imagePullPolicy],
      secrets: config.imagePullSecrets,
    },
    // The config's number is a default where it does not say one, and the autoscaler takes none beside it.
    replicas: autoscaling === undefined ? config.replicas : undefined,
    autoscaling,
    maxInstances: config.maxInstances,
    disruptionBudget: config.disruptionBudget,
    placement: {
      nodeSelector: config.nodeSelector,
      tolerations: config.tolerations,
      affinity: config.affinity as k8s.Affinity | undefined, // the API server checks it
      topologySpread: config.topologySpread,
      priorityClassName: config.priorityClassName,
    },
    resources: {
      cpu: {
        request: Cpu.millis(Number.parseInt(config.resources.cpuRequest, 10)),
      },
      memory: {
        request: size(config.resources.memoryRequest),
        limit: size(config.resources.memoryLimit),
      },
    },
    probes: config.startupTimeout === undefined ? {} : { startup: startupOf(config.startupTimeout) },
    environment: config.environment,
    environmentFrom: config.environmentFrom,
    security: { readOnlyRootFilesystem: config.readOnlyRootFilesystem },
    pod: {
      annotations: config.podAnnotations,
      labels: config.podLabels,
      terminationGracePeriod: duration(config.terminationGracePeriod),
    },
    service: {
      type: config.serviceType && serviceTypes[config.serviceType],
      port: config.servicePort,
      annotations: config.serviceAnnotations,
    },
    ingress: config.ingress,
    gatewayRoute: gatewayRoute && { ...gatewayRoute, timeout: duration(gatewayRoute.timeout) },
    metricsPort: config.metricsPort,
    serviceMonitor: serviceMonitor && { ...serviceMonitor, interval: duration(serviceMonitor.interval) },
    networkPolicy: config.networkPolicy,
  };
}

/** A look each second until the time is over. */
function startupOf(timeout: string): { readonly periodSeconds: Duration; readonly failureThreshold: number } {
  return { periodSeconds: Duration.seconds(1), failureThreshold: seconds(timeout) };
}

function duration(text: string | undefined): Duration | undefined {
  return text === undefined ? undefined : Duration.seconds(seconds(text));
}

function size(text: string): Size {
  return Size.mebibytes(mebibytes(text)!); // the schema admits nothing else
}
