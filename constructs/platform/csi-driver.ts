import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "cdk8s";
import { duration, each, flag, given, oneOf, optional, refuseProps, text, texts } from "../check-props";
import { durationText } from "../quantities";
import type { DaemonSetReference, HelmChart } from "./helm-chart";
import { helmRelease } from "./helm-release";
import { csiDriverName } from "./names";
import { releaseChecks } from "./release-checks";
import { driverSiteValues, type PlatformSite, platformSite } from "./site";
import { overrideValues } from "./values";

/** Where the driver is installed, and what it may do. */
export interface CsiDriverArgs {
  /** @default 1.6.1 from the driver's repository */
  readonly chart?: HelmChart;
  /** @default "csi", as in the vendor's guide */
  readonly releaseName?: string;
  /** Must be at the `privileged` Pod Security level: the driver uses host paths. @default "kube-system" */
  readonly namespace?: string;
  /** Audiences of the pod tokens that the driver hands to its providers. */
  readonly tokenAudiences: readonly pulumi.Input<string>[];
  /**
   * Whether secrets may be synced to Kubernetes Secrets. It lets the driver write Secrets in every namespace.
   * @default false
   */
  readonly syncSecrets?: boolean;
  /**
   * Least age of a mount before it is fetched again. Since 1.6 kubelet sets the pace (its
   * `syncFrequency`, 1 minute by default, up to half as much again), so this is no bound: keep it short.
   * @default - 1 second
   */
  readonly rotationPollInterval?: Duration;
  /** PriorityClass of its pods. @default - the cluster's own */
  readonly priorityClass?: string | undefined;
  /** How the driver writes its log. @default "standard" */
  readonly logFormat?: "standard" | "json" | undefined;
  /** Labels of all of the driver's objects. @default - none */
  readonly labels?: Record<string, string>;
  /** @default - nothing more than the chart has */
  readonly site?: PlatformSite;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
}

const checks = {
  ...releaseChecks,
  namespace: optional(text),
  tokenAudiences: each(given),
  syncSecrets: optional(flag),
  rotationPollInterval: optional(duration),
  priorityClass: optional(text),
  logFormat: optional(oneOf("standard", "json")),
  labels: optional(texts),
  site: optional(platformSite),
};

/**
 * The Secrets Store CSI driver, with rotation on. One is enough for a cluster, and no more than one can be there.
 *
 * @throws Error that lists all that is wrong with the props
 * @example
 * ```ts
 * import { Provider } from "@pulumi/kubernetes";
 * import { CsiDriver } from "aidbox-secrets/platform";
 *
 * const provider = new Provider("cluster", { context: "kind-aidbox" });
 * new CsiDriver("csi-driver", { tokenAudiences: ["vault"], syncSecrets: true }, { provider });
 * ```
 */
export class CsiDriver extends pulumi.ComponentResource {
  /** The driver's own chart at the version that this package was tested with. 1.6.0 rewrites synced Secrets in a loop. */
  public static readonly defaultChart: HelmChart = {
    repository: "https://kubernetes-sigs.github.io/secrets-store-csi-driver/charts",
    name: "secrets-store-csi-driver",
    version: "1.6.1",
  };

  /** Done when the driver's CRDs are there and its objects made; the DaemonSet may not be ready yet. */
  public readonly release: Release;
  /** Runs a pod on each node. Wait for it before pods mount secrets. */
  public readonly daemonSet: DaemonSetReference;

  public constructor(name: string, args: CsiDriverArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`CsiDriver ${name}`, args, checks);
    super("aidbox-secrets:platform:CsiDriver", name, {}, opts);
    const releaseName = args.releaseName ?? "csi";
    const namespace = args.namespace ?? "kube-system";
    this.daemonSet = { namespace, name: csiDriverName(releaseName) };
    const values = {
      fullnameOverride: this.daemonSet.name,
      enableSecretRotation: true,
      rotationPollInterval: args.rotationPollInterval === undefined ? "1s" : durationText(args.rotationPollInterval),
      // Of the jobs that keep the CRDs at the chart's version.
      linux: {
        crds: { resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } } },
        ...(args.priorityClass === undefined ? {} : { priorityClassName: args.priorityClass }),
      },
      ...(args.logFormat === "json" ? { logFormatJSON: true } : {}),
      syncSecret: { enabled: args.syncSecrets ?? false },
      tokenRequests: args.tokenAudiences.map((audience) => ({ audience })),
      ...(args.labels === undefined ? {} : { commonLabels: args.labels }),
    };
    this.release = helmRelease(
      name,
      {
        chart: args.chart ?? CsiDriver.defaultChart,
        releaseName,
        namespace,
        values: overrideValues(values, driverSiteValues(args.site ?? {})),
        overrides: args.values,
        repair: args.repair,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
