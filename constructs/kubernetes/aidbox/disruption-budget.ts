import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, refuseProps, text, texts } from "../../check-props";
import type { Identity } from "./identity";
import { budgetChecks } from "./option-checks";

/** A number of pods, or a share of them, as `"50%"`. */
export type PodCount = number | `${number}%`;

/** How many pods may go at once for a node's drain. */
export interface DisruptionBudgetOptions {
  /** @default - where there are several pods, or an autoscaler */
  readonly enabled?: boolean;
  /**
   * Pods that must stay; not beside `maxUnavailable`.
   * @default - as `maxUnavailable` says
   */
  readonly minAvailable?: PodCount;
  /**
   * Pods that may go at once; not beside `minAvailable`.
   * @default 1
   */
  readonly maxUnavailable?: PodCount;
  /**
   * When a pod that is not ready may be evicted. `IfHealthyBudget` lets a pod that never gets ready block a drain.
   * @default "AlwaysAllow"
   */
  readonly unhealthyPodEvictionPolicy?: "AlwaysAllow" | "IfHealthyBudget";
}

/** Which pods the budget is for, and how many of them may go. */
export interface AidboxDisruptionBudgetProps
  extends Omit<DisruptionBudgetOptions, "enabled">, Pick<Identity, "name" | "labels"> {}

const checks = { ...budgetChecks, name: text, labels: texts };

/** Has drains of nodes leave enough pods running. */
export class AidboxDisruptionBudget extends k8s.KubePodDisruptionBudget {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxDisruptionBudgetProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, minAvailable, maxUnavailable } = props;
    super(scope, id, {
      metadata: { name, labels },
      spec: {
        selector: { matchLabels: labels },
        ...(minAvailable === undefined
          ? { maxUnavailable: intOrString(maxUnavailable ?? 1) }
          : { minAvailable: intOrString(minAvailable) }),
        unhealthyPodEvictionPolicy: props.unhealthyPodEvictionPolicy ?? "AlwaysAllow",
      },
    });
  }
}

function intOrString(count: PodCount): k8s.IntOrString {
  return typeof count === "number" ? k8s.IntOrString.fromNumber(count) : k8s.IntOrString.fromString(count);
}
