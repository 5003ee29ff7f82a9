import type { Problem } from "../../../secrets";
import type { AutoscalingOptions } from "../autoscaler";
import { minReplicasOf, scalingTargets } from "../defaults";
import type { DisruptionBudgetOptions, PodCount } from "../disruption-budget";
import { mostReplicas } from "../roll";
import type { CheckedProps } from "./checked-props";

/** What is wrong with how many pods there are, and how many may go. */
export function scaleProblems(props: CheckedProps): Problem[] {
  const { autoscaling, disruptionBudget } = props;
  return [
    ...(autoscaling === undefined ? [] : autoscalingProblems(autoscaling, props)),
    ...(disruptionBudget === undefined ? [] : budgetProblems(disruptionBudget, props)),
    ...instanceProblems(props),
  ];
}

function autoscalingProblems(autoscaling: AutoscalingOptions, { replicas, resources }: CheckedProps): Problem[] {
  const { maxReplicas } = autoscaling;
  const minReplicas = minReplicasOf(autoscaling);
  const problems: Problem[] = [];
  if (replicas !== undefined) {
    problems.push({
      key: "replicas",
      message:
        `${replicas}: stands beside autoscaling from ${minReplicas} to ${maxReplicas}, which sets the number of pods: ` +
        "remove one of them",
    });
  }
  if (minReplicas < 1) problems.push({ key: "autoscaling.minReplicas", message: `${minReplicas}: write 1 or more` });
  if (minReplicas > maxReplicas) {
    problems.push({
      key: "autoscaling",
      message:
        `minReplicas ${minReplicas} is more than maxReplicas ${maxReplicas}: ` +
        "lower minReplicas or raise maxReplicas",
    });
  }
  for (const [resource, target] of scalingTargets(autoscaling)) {
    const key = `autoscaling.${resource}Utilization`;
    if (target < 1) problems.push({ key, message: `${target}: write a percentage of 1 or more` });
    const { request, limit } = resources?.[resource] ?? {};
    if (resources === undefined || request !== undefined || limit !== undefined) continue;
    problems.push({
      key,
      message: `${target}: is a percentage of resources.${resource}.request, which is missing: set it, or the other utilization`,
    });
  }
  return problems;
}

function instanceProblems(props: CheckedProps): Problem[] {
  const { maxInstances, strategy, autoscaling } = props;
  if (maxInstances === undefined) return [];
  if (maxInstances < 1) return [{ key: "maxInstances", message: `${maxInstances}: write 1 or more` }];
  const problems: Problem[] = [];
  const most = mostReplicas(props);
  const name = autoscaling === undefined ? "replicas" : "autoscaling.maxReplicas";
  if (most > maxInstances) {
    const message = `${maxInstances}: is less than ${name} ${most}: raise it to what the licence allows, or lower ${name}`;
    problems.push({ key: "maxInstances", message });
  }
  if (strategy !== undefined) {
    const message = `${maxInstances}: sets how a roll goes, as strategy does: remove one of them`;
    problems.push({ key: "maxInstances", message });
  }
  return problems;
}

function budgetProblems(budget: DisruptionBudgetOptions, { replicas, autoscaling }: CheckedProps): Problem[] {
  const { enabled, minAvailable, maxUnavailable } = budget;
  const min = minAvailable === undefined ? undefined : `minAvailable ${minAvailable}`;
  const max = maxUnavailable === undefined ? undefined : `maxUnavailable ${maxUnavailable}`;
  const contradiction = (first: string, second: string, why = ""): Problem => ({
    key: "disruptionBudget",
    message: `${first} stands beside ${second}${why}: remove one of them`,
  });
  if (min !== undefined && max !== undefined) return [contradiction(min, max, ", and Kubernetes takes only one")];
  const limit = min ?? max;
  if (limit === undefined) return [];
  if (enabled === false) return [contradiction("enabled false", limit)];

  const pods = autoscaling === undefined ? (replicas ?? 1) : minReplicasOf(autoscaling);
  const blocks = (key: string, value: PodCount, fix: string): Problem => ({
    key: `disruptionBudget.${key}`,
    message: `${JSON.stringify(value)}: lets no pod of ${pods} go, which blocks every drain of a node: ${fix}`,
  });
  if (minAvailable !== undefined && podsOf(minAvailable, pods) >= pods) {
    const raised = autoscaling === undefined ? "replicas" : "autoscaling.minReplicas";
    return [blocks("minAvailable", minAvailable, `lower it or raise ${raised}`)];
  }
  if (maxUnavailable !== undefined && podsOf(maxUnavailable, pods) < 1) {
    return [blocks("maxUnavailable", maxUnavailable, "write 1 or more")];
  }
  return [];
}

/** Kubernetes rounds shares up, those that stay and those that go. */
function podsOf(count: PodCount, pods: number): number {
  return typeof count === "number" ? count : Math.ceil((Number.parseFloat(count) / 100) * pods);
}
