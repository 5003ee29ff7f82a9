import { type Deployment, k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, refuseProps, text, texts } from "../../check-props";
import type { Used } from "../any-version";
import { construct } from "../plus-checks";
import { minReplicasOf, scalingTargets } from "./defaults";
import type { Identity } from "./identity";
import { autoscalingChecks } from "./option-checks";

/** Between how many pods Aidbox is scaled, and by what. */
export interface AutoscalingOptions {
  /** @default 2, so that one may go */
  readonly minReplicas?: number;
  /** Most replicas. The extra pods of a roll come on top, and a licence with `max-instances` counts them too. */
  readonly maxReplicas: number;
  /**
   * CPU that Aidbox's containers should use on average, in percent of their request.
   * @default 80, or not looked at where there is a `memoryUtilization`
   */
  readonly cpuUtilization?: number;
  /**
   * Memory that they should use on average, in percent of their request. A JVM seldom gives memory back, so that pods
   * made for it tend to stay.
   * @default - not looked at
   */
  readonly memoryUtilization?: number;
  /** @default - Kubernetes' own: up at once, down to what the last five minutes needed */
  readonly behavior?: k8s.HorizontalPodAutoscalerBehaviorV2;
}

/** Whom to scale, and how far. */
export interface AidboxAutoscalerProps extends AutoscalingOptions, Pick<Identity, "name" | "labels"> {
  /** Aidbox's; it is marked as scaled, so that it states no number of pods itself. */
  readonly deployment: Used<Deployment, "name" | "markHasAutoscaler">;
  /** Container whose use counts; a sidecar's does not. */
  readonly containerName: string;
}

const checks = {
  ...autoscalingChecks,
  name: text,
  labels: texts,
  deployment: construct(["name", "markHasAutoscaler"], "give a Deployment of cdk8s-plus"),
  containerName: text,
};

/** Sets the number of the Deployment's pods, which then must not say one itself. */
export class AidboxAutoscaler extends k8s.KubeHorizontalPodAutoscalerV2 {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxAutoscalerProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, deployment, containerName } = props;
    deployment.markHasAutoscaler();
    // cdk8s-plus' own HorizontalPodAutoscaler always states rules of scaling, which are not Kubernetes' defaults.
    super(scope, id, {
      metadata: { name, labels },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment.name },
        minReplicas: minReplicasOf(props),
        maxReplicas: props.maxReplicas,
        metrics: scalingTargets(props).map(([resource, averageUtilization]) => ({
          type: "ContainerResource",
          containerResource: {
            container: containerName,
            name: resource,
            target: { type: "Utilization", averageUtilization },
          },
        })),
        behavior: props.behavior,
      },
    });
  }
}
