export const defaultName = "aidbox";
export const defaultPort = 8080;
/** Name of the container's and the Service's port. */
export const metricsPortName = "metrics";
const defaultMetricsPort = 8765;
const defaultMinReplicas = 2;
const defaultCpuUtilization = 80;

/** The port of the metrics; undefined where Aidbox serves none. */
export function metricsPortOf(props: {
  readonly metricsPort?: number;
  readonly serviceMonitor?: object;
}): number | undefined {
  return props.metricsPort ?? (props.serviceMonitor === undefined ? undefined : defaultMetricsPort);
}

export function minReplicasOf({ minReplicas }: { readonly minReplicas?: number }): number {
  return minReplicas ?? defaultMinReplicas;
}

/** Whether a pod can go while another serves. */
export function runsSeveralPods(props: { readonly replicas?: number; readonly autoscaling?: object }): boolean {
  return props.autoscaling !== undefined || (props.replicas ?? 1) > 1;
}

/** What the autoscaler looks at, in percent of a container's request. */
export function scalingTargets({
  cpuUtilization,
  memoryUtilization,
}: {
  readonly cpuUtilization?: number;
  readonly memoryUtilization?: number;
}): readonly (readonly [resource: "cpu" | "memory", utilization: number])[] {
  const cpu = cpuUtilization ?? (memoryUtilization === undefined ? defaultCpuUtilization : undefined);
  return [
    ...(cpu === undefined ? [] : [["cpu", cpu] as const]),
    ...(memoryUtilization === undefined ? [] : [["memory", memoryUtilization] as const]),
  ];
}
