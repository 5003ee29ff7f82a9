import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import { refuseProps, text } from "../../check-props";
import type { DaemonSetReference, HelmChart } from "../helm-chart";
import { helmRelease } from "../helm-release";
import { releaseChecks } from "../release-checks";

/** Where the provider is installed, and how. */
export interface AwsCsiProviderArgs {
  /** @default 3.2.0 from the provider's repository */
  readonly chart?: HelmChart;
  /** Name of the release, and of its DaemonSet. @default "aws-node" */
  readonly releaseName?: string;
  /** Must exist, at the `privileged` Pod Security level: the provider uses host paths. */
  readonly namespace: string;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
}

const checks = { ...releaseChecks, namespace: text };

/**
 * AWS's CSI provider for Secrets Manager and Parameter Store alone, without the driver that its chart brings too.
 *
 * @throws Error that lists all that is wrong with the props
 */
export class AwsCsiProvider extends pulumi.ComponentResource {
  /** The provider's own chart, at the version that the values here are written for. */
  public static readonly defaultChart: HelmChart = {
    repository: "https://aws.github.io/secrets-store-csi-driver-provider-aws",
    name: "secrets-store-csi-driver-provider-aws",
    version: "3.2.0",
  };
  /** Name of the release, and of its DaemonSet, where none is given. */
  public static readonly defaultReleaseName = "aws-node";

  /** Done when its objects are made; the DaemonSet may not be ready yet. */
  public readonly release: Release;
  /** Runs a pod on each node. Wait for it before pods mount secrets. */
  public readonly daemonSet: DaemonSetReference;

  public constructor(name: string, args: AwsCsiProviderArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`AwsCsiProvider ${name}`, args, checks);
    super("aidbox-secrets:platform:AwsCsiProvider", name, {}, opts);
    const { namespace, releaseName = AwsCsiProvider.defaultReleaseName } = args;
    this.daemonSet = { namespace, name: releaseName };
    const values = {
      fullnameOverride: releaseName,
      "secrets-store-csi-driver": { install: false },
      // Else the provider writes the files itself, one after the other, and a reader may see some old and some new.
      driverWritesSecrets: true,
      // The chart's limit is a twentieth of a core, and each publication makes its TLS connections anew.
      resources: { requests: { cpu: "50m", memory: "100Mi" }, limits: { cpu: "1", memory: "256Mi" } },
    };
    this.release = helmRelease(
      name,
      {
        chart: args.chart ?? AwsCsiProvider.defaultChart,
        releaseName,
        namespace,
        values,
        overrides: args.values,
        repair: args.repair,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
