import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import { optional, refuseProps, text } from "../../check-props";
import { csiProviderName } from "../../stores/azure-key-vault/names";
import type { DaemonSetReference, HelmChart } from "../helm-chart";
import { helmRelease } from "../helm-release";
import { releaseChecks } from "../release-checks";
import { azureProviderSiteValues, type PlatformSite, platformSite } from "../site";
import { overrideValues } from "../values";

/** Where the provider is installed, and how. */
export interface AzureCsiProviderArgs {
  /** @default 1.8.2 from the provider's repository */
  readonly chart?: HelmChart;
  /** Name of the release, and of its DaemonSet. @default "azure-node" */
  readonly releaseName?: string;
  /** Must exist, at the `privileged` Pod Security level: the provider uses the node's network and host paths. */
  readonly namespace: string;
  /** @default - nothing more than the chart has */
  readonly site?: PlatformSite;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
}

const checks = { ...releaseChecks, namespace: text, site: optional(platformSite) };

/**
 * Azure's CSI provider alone, without the driver that its chart brings too. A cluster with AKS's add-on
 * `azure-keyvault-secrets-provider` has both already, and takes no second one: pods of the two want one port of the node.
 *
 * @throws Error that lists all that is wrong with the props
 */
export class AzureCsiProvider extends pulumi.ComponentResource {
  /** The provider's own chart, at the version that the values here are written for. */
  public static readonly defaultChart: HelmChart = {
    repository: "https://azure.github.io/secrets-store-csi-driver-provider-azure/charts",
    name: "csi-secrets-store-provider-azure",
    version: "1.8.2",
  };
  /** Name of the release, and of its DaemonSet, where none is given. */
  public static readonly defaultReleaseName = csiProviderName;

  /** Done when its objects are made; the DaemonSet may not be ready yet. */
  public readonly release: Release;
  /** Runs a pod on each node. Wait for it before pods mount secrets. */
  public readonly daemonSet: DaemonSetReference;

  public constructor(name: string, args: AzureCsiProviderArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`AzureCsiProvider ${name}`, args, checks);
    super("aidbox-secrets:platform:AzureCsiProvider", name, {}, opts);
    const { namespace, releaseName = AzureCsiProvider.defaultReleaseName } = args;
    this.daemonSet = { namespace, name: releaseName };
    const values = {
      fullnameOverride: releaseName,
      "secrets-store-csi-driver": { install: false },
      linux: {
        // The chart's limit is a twentieth of a core, and each publication makes its TLS connections anew.
        resources: { requests: { cpu: "50m", memory: "100Mi" }, limits: { cpu: "1", memory: "256Mi" } },
      },
    };
    this.release = helmRelease(
      name,
      {
        chart: args.chart ?? AzureCsiProvider.defaultChart,
        releaseName,
        namespace,
        values: overrideValues(values, azureProviderSiteValues(args.site ?? {})),
        overrides: args.values,
        repair: args.repair,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
