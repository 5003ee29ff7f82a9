import { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import { chartSource, type HelmChart } from "./helm-chart";
import { markRelease } from "./release-mark";
import { overrideValues } from "./values";

export interface HelmReleaseArgs {
  readonly chart: HelmChart;
  readonly releaseName: string;
  readonly namespace: string;
  readonly values: Record<string, unknown>;
  /** Values of the user's; they win. @default - none */
  readonly overrides: Record<string, unknown> | undefined;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair: string | undefined;
}

/** A Helm release and its mark. It is done when its objects are made; what runs in them may not be ready yet. */
export function helmRelease(
  name: string,
  { chart, releaseName, namespace, values, overrides, repair }: HelmReleaseArgs,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): Release {
  const release = new Release(
    name,
    {
      ...chartSource(chart),
      name: releaseName,
      namespace,
      // Helm polls every two seconds, takes a DaemonSet that nobody has looked at yet for a ready one, and Vault's servers
      // are not ready before they are initialised.
      skipAwait: true,
      // Install over a release that failed, or that a killed run left behind.
      replace: true,
      values: overrideValues(values, overrides ?? {}),
      description: repair,
    },
    opts,
  );
  markRelease(name, { namespace, releaseName, repair }, release, opts.parent);
  return release;
}
