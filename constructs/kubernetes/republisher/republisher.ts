import { ApiObject, Duration, JsonPatch, Size } from "cdk8s";
import {
  Cpu,
  Deployment,
  EnvValue,
  ImagePullPolicy,
  LabelSelector,
  Probe,
  ServiceAccount,
  Volume,
} from "cdk8s-plus-28";
import { Construct } from "constructs";
import { anyDuration, each, label, oneOf, optional, refuseProps, shape, text, texts } from "../../check-props";
import { inJsonLines } from "../../json-lines";
import type { Problem } from "../../secrets";
import { securityContexts } from "../aidbox/security";
import { labelSelector } from "../labels";
import { NetworkGuard, type NetworkTarget } from "../network";
import { networkTarget } from "../network/rules";
import { refuseOtherChanges } from "./admission";
import { environmentAnnotation, republishAnnotation, rollPendingAnnotation } from "./annotations";
import { allowPublications } from "./rights";
import { type RollSchedule, rollSchedule } from "./roll-schedule";
import { script } from "./script";

/** Whose volumes are published again, and how often. */
export interface RepublisherProps {
  /**
   * Name of the Deployment, of its ServiceAccount, Role and NetworkPolicy; the admission policy's has the namespace before
   * it.
   */
  readonly name: string;
  /** Namespace of the pods and of the Republisher itself. */
  readonly namespace: string;
  /** Labels of the pods whose volumes are published again. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Time between two publications; whole seconds, 4 or more. */
  readonly interval: Duration;
  /**
   * Image with `sh` and `curl`.
   * @default "docker.io/curlimages/curl:8.17.0", that of the curl project
   */
  readonly image?: string;
  /** PriorityClass of its pod. @default - the cluster's own */
  readonly priorityClass?: string | undefined;
  /** How it writes its log. @default "standard" */
  readonly logFormat?: "standard" | "json" | undefined;
  /**
   * The Deployment to roll when something changes that its pods have as environment.
   * @default - none
   */
  readonly rolls?: EnvironmentRoll;
  /**
   * Whom it may reach beside the cluster's DNS: the API server. Nobody may reach it.
   * @default - everybody
   */
  readonly allowTo?: readonly NetworkTarget[];
}

/** A Deployment whose environment comes from what its pods mount, by way of a synced Kubernetes Secret. */
export interface EnvironmentRoll {
  /** Name of the Deployment. */
  readonly deployment: string;
  /** Name of the class that its pods mount. */
  readonly secretProviderClass: string;
  /** Names of the class's objects that are environment too. */
  readonly objects: readonly string[];
  /**
   * Those of them whose change is rolled for at once, whatever the schedule.
   * @default - none
   */
  readonly atOnce?: readonly string[];
  /** @default - once all pods mount a change */
  readonly schedule?: RollSchedule;
}

/**
 * Has kubelet publish the volumes of some pods again and again, so that a change in Vault reaches their files within the
 * interval and some 3 s; by itself kubelet does so every 60 to 90 s, whatever the driver's `rotationPollInterval`.
 *
 * What the pods have as environment too does not follow so. When all of them mount a new version of it, their Deployment is
 * rolled, once; where there is a schedule, in its time. Since when it waits stands on the Deployment, so that a Republisher that
 * starts anew goes on with it.
 *
 * It may list the namespace's pods and annotate them, and the one Deployment: its RBAC right ends at the pods' status, and
 * an admission policy refuses it any other change. No pod may reach it.
 */
export class Republisher extends Construct {
  /** Runs the one pod. It is ready while its last round is no older than the interval and 10 s. */
  public readonly deployment: Deployment;
  /** Whom it may reach, where `allowTo` says so; `addTarget` opens further ways. */
  public readonly networkGuard: NetworkGuard;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: RepublisherProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks, () => intervalProblems(props));
    const { name, namespace } = props;
    const intervalSeconds = props.interval.toSeconds();
    const labels = { "app.kubernetes.io/name": "aidbox-republisher", "app.kubernetes.io/instance": name.slice(0, 63) };
    const serviceAccount = new ServiceAccount(this, "service-account", { metadata: { name }, automountToken: false });
    const { rolls } = props;
    const schedule = rolls?.schedule;
    const security = securityContexts({ user });
    this.networkGuard = new NetworkGuard(this, "network-guard", {
      name,
      podLabels: labels,
      ...(props.allowTo && { to: props.allowTo }),
    });
    const rights = [
      ...allowPublications(this, { name, namespace }, rolls?.deployment),
      ...refuseOtherChanges(this, { name, namespace }, rolls !== undefined),
    ];

    this.deployment = new Deployment(this, "deployment", {
      metadata: { name, labels },
      podMetadata: { labels },
      select: false,
      replicas: 1,
      serviceAccount,
      automountServiceAccountToken: true,
      securityContext: security.pod,
      terminationGracePeriod: Duration.seconds(0), // the shell leaves SIGTERM alone, and there is nothing to finish
    });
    this.deployment.select(LabelSelector.of({ labels }));
    if (props.priorityClass !== undefined) {
      // cdk8s-plus has no prop for it.
      const path = "/spec/template/spec/priorityClassName";
      ApiObject.of(this.deployment).addJsonPatch(JsonPatch.add(path, props.priorityClass));
    }
    this.deployment.node.addDependency(serviceAccount, this.networkGuard, ...rights);
    const isAtWork = (intervals: number): string[] => [
      "sh",
      "-c",
      `[ $(($(date +%s) - $(cat /tmp/last))) -le ${intervals * intervalSeconds + 10} ]`,
    ];
    const container = this.deployment.addContainer({
      name: "republisher",
      image: props.image ?? "docker.io/curlimages/curl:8.17.0",
      imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
      command: ["sh", "-c", props.logFormat === "json" ? inJsonLines(script) : script],
      envVariables: {
        NAMESPACE: EnvValue.fromValue(namespace),
        SELECTOR: EnvValue.fromValue(labelSelector(props.podLabels)),
        REPUBLISH: EnvValue.fromValue(republishAnnotation),
        ENVIRONMENT: EnvValue.fromValue(environmentAnnotation),
        PENDING: EnvValue.fromValue(rollPendingAnnotation),
        ROLL_DEPLOYMENT: EnvValue.fromValue(rolls?.deployment ?? ""),
        ROLL_CLASS: EnvValue.fromValue(rolls?.secretProviderClass ?? ""),
        ROLL_OBJECTS: EnvValue.fromValue(rolls?.objects.join(" ") ?? ""),
        ROLL_AT_ONCE: EnvValue.fromValue(rolls?.atOnce?.join(" ") ?? ""),
        ROLL_BATCH: EnvValue.fromValue(String(schedule?.batch?.toSeconds() ?? 0)),
        ROLL_FROM: EnvValue.fromValue(String(schedule?.quietWindow?.fromMinute ?? "")),
        ROLL_TO: EnvValue.fromValue(String(schedule?.quietWindow?.toMinute ?? "")),
        INTERVAL: EnvValue.fromValue(String(intervalSeconds)),
      },
      resources: {
        cpu: { request: Cpu.millis(10) },
        memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
      },
      securityContext: security.container,
      readiness: Probe.fromCommand(isAtWork(1), { periodSeconds: Duration.seconds(2) }),
      liveness: Probe.fromCommand(isAtWork(4), {
        initialDelaySeconds: Duration.seconds(30),
        periodSeconds: Duration.seconds(30),
      }),
    });
    container.mount("/tmp", Volume.fromEmptyDir(this, "tmp", "tmp"));
  }
}

const leastSeconds = 4;

/** What of it others take as options too. */
const optionChecks = {
  image: optional(text),
  priorityClass: optional(text),
  logFormat: optional(oneOf("standard", "json")),
  allowTo: optional(each(networkTarget)),
};

/** What each option of a Republisher is whose interval is said beside it. */
export const republisherOptions = shape<Pick<RepublisherProps, keyof typeof optionChecks>>(optionChecks);

/** The same with the interval. */
export const republisherSettings = shape<Pick<RepublisherProps, keyof typeof optionChecks | "interval">>({
  ...optionChecks,
  interval: anyDuration,
});

const checks = {
  ...optionChecks,
  name: text,
  namespace: label,
  podLabels: texts,
  interval: anyDuration,
  rolls: optional(
    shape<EnvironmentRoll>({
      deployment: text,
      secretProviderClass: text,
      objects: each(text),
      atOnce: optional(each(text)),
      schedule: optional(rollSchedule),
    }),
  ),
};

function intervalProblems({ interval }: RepublisherProps): Problem[] {
  const seconds = interval.toSeconds({ integral: false });
  if (seconds >= leastSeconds && Number.isInteger(seconds)) return [];
  const why = `a publication takes up to ${leastSeconds} s by itself: write whole seconds, ${leastSeconds} or more`;
  return [{ key: "interval", message: `${seconds} s: ${why}` }];
}

/** Of no user of a node: the image runs as any. */
const user = 10_001;
