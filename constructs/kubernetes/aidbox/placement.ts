import type { k8s } from "cdk8s-plus-28";

/** How evenly the pods lie over what a label of the nodes tells apart. */
export interface TopologySpread {
  /** Label of the nodes, as `topology.kubernetes.io/zone`. */
  readonly topologyKey: string;
  /**
   * By how many pods two of them may differ.
   * @default 1
   */
  readonly maxSkew?: number;
  /**
   * What becomes of a pod that would lie worse.
   * @default "ScheduleAnyway"
   */
  readonly whenUnsatisfiable?: "ScheduleAnyway" | "DoNotSchedule";
}

/** On which nodes the pods run. */
export interface PlacementOptions {
  /** @default - any node */
  readonly nodeSelector?: Record<string, string>;
  /** @default - none */
  readonly tolerations?: readonly k8s.Toleration[];
  /** @default - none */
  readonly affinity?: k8s.Affinity;
  /** @default - over nodes and zones, as far as possible, where there are several pods or an autoscaler */
  readonly topologySpread?: readonly TopologySpread[];
  /**
   * Name of the PriorityClass.
   * @default - the cluster's default one
   */
  readonly priorityClassName?: string;
}

const overNodesAndZones: readonly TopologySpread[] = [
  { topologyKey: "kubernetes.io/hostname" },
  { topologyKey: "topology.kubernetes.io/zone" },
];

/** The fields of a pod's spec that place it. */
export function placementOf(
  props: PlacementOptions,
  labels: Record<string, string>,
  severalPods: boolean,
): Pick<k8s.PodSpec, "nodeSelector" | "tolerations" | "affinity" | "topologySpreadConstraints" | "priorityClassName"> {
  const { topologySpread = severalPods ? overNodesAndZones : [], tolerations = [] } = props;
  return {
    nodeSelector: props.nodeSelector,
    tolerations: tolerations.length === 0 ? undefined : [...tolerations],
    affinity: props.affinity,
    topologySpreadConstraints:
      topologySpread.length === 0
        ? undefined
        : topologySpread.map(({ topologyKey, maxSkew, whenUnsatisfiable }) => ({
            topologyKey,
            maxSkew: maxSkew ?? 1,
            whenUnsatisfiable: whenUnsatisfiable ?? "ScheduleAnyway",
            labelSelector: { matchLabels: labels },
            // Counts only the pods of one rollout, whose old ones go anyway.
            matchLabelKeys: ["pod-template-hash"],
          })),
    priorityClassName: props.priorityClassName,
  };
}
