import { type Chart, Duration, Size } from "cdk8s";
import { Cpu, DeploymentStrategy } from "cdk8s-plus-28";
import { containerOf, manifestOf, manifestsOf, podOf } from "../fixtures";
import { chartWith, chartWithEveryProp, refusalOf } from "./fixtures";

const labels = { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "aidbox" };

function has(chart: Chart, kind: string): boolean {
  return manifestsOf(chart).some((manifest) => manifest.kind === kind);
}

describe("the autoscaler", () => {
  const metric = (name: string, averageUtilization: number, container = "aidbox") => ({
    type: "ContainerResource",
    containerResource: { container, name, target: { type: "Utilization", averageUtilization } },
  });

  it("sets the number of the Deployment's pods, which says none itself", () => {
    const chart = chartWith({ autoscaling: { maxReplicas: 5 } });
    expect(manifestOf(chart, "HorizontalPodAutoscaler").spec).toEqual({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "aidbox" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [metric("cpu", 80)],
    });
    expect(manifestOf(chart, "Deployment").spec).not.toHaveProperty("replicas");
  });

  it("looks at Aidbox's own container only, by memory too where it says so", () => {
    expect(manifestOf(chartWithEveryProp("autoscaled"), "HorizontalPodAutoscaler").spec).toMatchObject({
      minReplicas: 3,
      maxReplicas: 9,
      metrics: [metric("cpu", 70, "prod"), metric("memory", 90, "prod")],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    });
  });

  it("looks at memory alone where only that is said", () => {
    const chart = chartWith({ autoscaling: { maxReplicas: 5, memoryUtilization: 75 } });
    expect(manifestOf(chart, "HorizontalPodAutoscaler").spec!.metrics).toEqual([metric("memory", 75)]);
  });

  it("is not there by default", () => {
    expect(has(chartWith(), "HorizontalPodAutoscaler")).toBe(false);
  });

  it.each([
    {
      what: "beside a fixed number of pods",
      props: { replicas: 3, autoscaling: { minReplicas: 2, maxReplicas: 10 } },
      problem: "replicas: 3: stands beside autoscaling from 2 to 10, which sets the number of pods: remove one of them",
    },
    {
      what: "from more pods than to",
      props: { autoscaling: { minReplicas: 5, maxReplicas: 3 } },
      problem: "autoscaling: minReplicas 5 is more than maxReplicas 3: lower minReplicas or raise maxReplicas",
    },
    {
      what: "to fewer pods than the default's least",
      props: { autoscaling: { maxReplicas: 1 } },
      problem: "autoscaling: minReplicas 2 is more than maxReplicas 1: lower minReplicas or raise maxReplicas",
    },
    {
      what: "from no pod",
      props: { autoscaling: { minReplicas: 0, maxReplicas: 3 } },
      problem: "autoscaling.minReplicas: 0: write 1 or more",
    },
    {
      what: "by no use at all",
      props: { autoscaling: { maxReplicas: 3, cpuUtilization: 0 } },
      problem: "autoscaling.cpuUtilization: 0: write a percentage of 1 or more",
    },
    {
      what: "by CPU that is not requested",
      props: { autoscaling: { maxReplicas: 3 }, resources: { memory: { request: Size.gibibytes(1) } } },
      problem:
        "autoscaling.cpuUtilization: 80: is a percentage of resources.cpu.request, which is missing: " +
        "set it, or the other utilization",
    },
    {
      what: "by memory that is not requested",
      props: { autoscaling: { maxReplicas: 3, memoryUtilization: 75 }, resources: { cpu: { limit: Cpu.units(1) } } },
      problem:
        "autoscaling.memoryUtilization: 75: is a percentage of resources.memory.request, which is missing: " +
        "set it, or the other utilization",
    },
  ])("is refused $what", ({ props, problem }) => {
    expect(refusalOf(props)).toEqual([problem]);
  });
});

describe("the disruption budget", () => {
  it.each([{ replicas: 2 }, { autoscaling: { maxReplicas: 5 } }])(
    "lets one of several pods go at a time, also one that never gets ready, with %j",
    (props) => {
      expect(manifestOf(chartWith(props), "PodDisruptionBudget").spec).toEqual({
        selector: { matchLabels: labels },
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      });
    },
  );

  it("is not there for a single pod, whose node could not be drained", () => {
    expect(has(chartWith(), "PodDisruptionBudget")).toBe(false);
  });

  it("can be left out, and be there for a single pod", () => {
    expect(has(chartWith({ replicas: 3, disruptionBudget: { enabled: false } }), "PodDisruptionBudget")).toBe(false);
    expect(has(chartWith({ disruptionBudget: { enabled: true } }), "PodDisruptionBudget")).toBe(true);
  });

  it.each([
    { way: "fixed", limit: { maxUnavailable: 2 } },
    { way: "autoscaled", limit: { minAvailable: "50%" } },
  ] as const)("takes $limit, and nothing beside it", ({ way, limit }) => {
    const { spec } = manifestOf(chartWithEveryProp(way), "PodDisruptionBudget");
    const { selector, unhealthyPodEvictionPolicy, ...limits } = spec!;
    expect(limits).toEqual(limit);
    expect(selector!.matchLabels).toEqual({ ...labels, "app.kubernetes.io/instance": "prod" });
    expect(unhealthyPodEvictionPolicy).toBe("IfHealthyBudget");
  });

  it.each([
    {
      what: "both limits",
      props: { replicas: 3, disruptionBudget: { minAvailable: 2, maxUnavailable: 1 } },
      problem:
        "disruptionBudget: minAvailable 2 stands beside maxUnavailable 1, and Kubernetes takes only one: remove one of them",
    },
    {
      what: "a limit though it is left out",
      props: { replicas: 3, disruptionBudget: { enabled: false, maxUnavailable: 1 } },
      problem: "disruptionBudget: enabled false stands beside maxUnavailable 1: remove one of them",
    },
    {
      what: "all pods that stay",
      props: { replicas: 3, disruptionBudget: { minAvailable: 3 } },
      problem:
        "disruptionBudget.minAvailable: 3: lets no pod of 3 go, which blocks every drain of a node: " +
        "lower it or raise replicas",
    },
    {
      what: "a share that is all pods, rounded up as Kubernetes does",
      props: { replicas: 1, disruptionBudget: { minAvailable: "50%" } },
      problem:
        'disruptionBudget.minAvailable: "50%": lets no pod of 1 go, which blocks every drain of a node: ' +
        "lower it or raise replicas",
    },
    {
      what: "all pods that an autoscaler may come down to",
      props: { autoscaling: { maxReplicas: 9 }, disruptionBudget: { minAvailable: 2 } },
      problem:
        "disruptionBudget.minAvailable: 2: lets no pod of 2 go, which blocks every drain of a node: " +
        "lower it or raise autoscaling.minReplicas",
    },
    {
      what: "no pod that may go",
      props: { replicas: 3, disruptionBudget: { maxUnavailable: "0%" } },
      problem:
        'disruptionBudget.maxUnavailable: "0%": lets no pod of 3 go, which blocks every drain of a node: write 1 or more',
    },
  ] as const)("is refused with $what", ({ props, problem }) => {
    expect(refusalOf(props)).toEqual([problem]);
  });
});

describe("a roll", () => {
  const rollIn = (props: Parameters<typeof chartWith>[0]) => {
    const { strategy, minReadySeconds } = manifestOf(chartWith(props), "Deployment").spec!;
    return { ...strategy, minReadySeconds };
  };
  const rolling = (maxSurge: number | string, maxUnavailable: number) => ({
    type: "RollingUpdate",
    rollingUpdate: { maxSurge, maxUnavailable },
  });

  it.each([{}, { replicas: 3 }, { autoscaling: { maxReplicas: 9 } }])("misses no pod by default, with %j", (props) => {
    expect(rollIn(props)).toEqual({ ...rolling("25%", 0), minReadySeconds: 0 });
  });

  it.each([
    { replicas: 1, maxInstances: 1, roll: { type: "Recreate", minReadySeconds: 0 } },
    { replicas: 1, maxInstances: 2, roll: { ...rolling(1, 0), minReadySeconds: 0 } },
    { replicas: 3, maxInstances: 3, roll: { type: "Recreate", minReadySeconds: 0 } },
    { replicas: 3, maxInstances: 4, roll: { ...rolling(0, 1), minReadySeconds: 40 } },
    { replicas: 3, maxInstances: 5, roll: { ...rolling(1, 0), minReadySeconds: 40 } },
    { replicas: 3, maxInstances: 30, roll: { ...rolling(1, 0), minReadySeconds: 40 } },
    { replicas: 9, maxInstances: 13, roll: { ...rolling(2, 0), minReadySeconds: 40 } },
  ])("of $replicas pods runs no more than $maxInstances, those that stop counted", ({ roll, ...props }) => {
    expect(rollIn(props)).toEqual(roll);
  });

  it("runs no more than maxInstances also where the autoscaler has made the most of pods", () => {
    expect(rollIn({ autoscaling: { maxReplicas: 4 }, maxInstances: 5 })).toMatchObject(rolling(0, 1));
    expect(rollIn({ autoscaling: { maxReplicas: 4 }, maxInstances: 4 })).toMatchObject({ type: "Recreate" });
  });

  it("waits for a pod that stops for as long as it may take to, and a little more", () => {
    const pod = { terminationGracePeriod: Duration.minutes(2) };
    expect(rollIn({ replicas: 3, maxInstances: 4, pod })).toMatchObject({ minReadySeconds: 130 });
  });

  it.each([
    {
      what: "more replicas than instances",
      props: { replicas: 3, maxInstances: 2 },
      problem: "maxInstances: 2: is less than replicas 3: raise it to what the licence allows, or lower replicas",
    },
    {
      what: "an autoscaler that may make more",
      props: { autoscaling: { maxReplicas: 5 }, maxInstances: 4 },
      problem:
        "maxInstances: 4: is less than autoscaling.maxReplicas 5: raise it to what the licence allows, or lower autoscaling.maxReplicas",
    },
    { what: "no instance at all", props: { maxInstances: 0 }, problem: "maxInstances: 0: write 1 or more" },
    {
      what: "a strategy of its own",
      props: { maxInstances: 2, strategy: DeploymentStrategy.recreate() },
      problem: "maxInstances: 2: sets how a roll goes, as strategy does: remove one of them",
    },
  ])("is refused with $what", ({ props, problem }) => {
    expect(refusalOf(props)).toEqual([problem]);
  });
});

describe("a pod that is told to stop", () => {
  it("serves on until Services send it nothing more, and then has its time to finish", () => {
    expect(containerOf(chartWith())).toMatchObject({ lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } } });
    expect(podOf(chartWith()).terminationGracePeriodSeconds).toBe(30);
  });

  it("stops at once where it has less time than that", () => {
    const chart = chartWith({ pod: { terminationGracePeriod: Duration.seconds(5) } });
    expect(containerOf(chart)).not.toHaveProperty("lifecycle");
  });
});

describe("the pods' placement", () => {
  const constraint = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: labels },
    matchLabelKeys: ["pod-template-hash"],
  });

  it.each([{ replicas: 2 }, { autoscaling: { maxReplicas: 5 } }])(
    "is over nodes and zones as far as possible, with %j",
    (props) => {
      expect(podOf(chartWith(props)).topologySpreadConstraints).toEqual([
        constraint("kubernetes.io/hostname"),
        constraint("topology.kubernetes.io/zone"),
      ]);
    },
  );

  it("counts the pods by labels that they have", () => {
    const { metadata } = manifestOf(chartWith({ replicas: 2 }), "Deployment").spec!.template;
    expect(metadata!.labels).toMatchObject(labels);
  });

  it("spreads nothing where told so", () => {
    expect(podOf(chartWith({ replicas: 2, placement: { topologySpread: [] } }))).not.toHaveProperty(
      "topologySpreadConstraints",
    );
  });

  it("takes what a pod's spec takes", () => {
    expect(podOf(chartWithEveryProp())).toMatchObject({
      nodeSelector: { "example.com/pool": "health" },
      tolerations: [{ key: "example.com/pool", operator: "Equal", value: "health", effect: "NoSchedule" }],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              topologyKey: "kubernetes.io/hostname",
              labelSelector: { matchLabels: { "example.com/noisy": "yes" } },
            },
          ],
        },
      },
      topologySpreadConstraints: [{ topologyKey: "example.com/rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
      priorityClassName: "production",
    });
  });
});
