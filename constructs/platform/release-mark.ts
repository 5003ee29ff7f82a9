import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import type * as pulumi from "@pulumi/pulumi";
import { releaseMarkName } from "./names";

/** A Helm release, and the ConfigMap beside it that is there only once Pulumi's state has the release. */
export interface MarkedRelease {
  readonly namespace: string;
  readonly releaseName: string;
}

/** Key of the mark that holds when the release was last repaired, as an ISO time. */
export const repairKey = "repaired-at";

/**
 * Marks a release as one that Pulumi's state has. A run that was killed can leave a release that it has not; Helm then
 * refuses its name for ever, and nothing but the missing mark tells it from one that is in order.
 */
export function markRelease(
  name: string,
  { namespace, releaseName, repair }: MarkedRelease & { readonly repair: string | undefined },
  release: Release,
  parent: pulumi.Resource,
): void {
  new ConfigMap(
    `${name}-mark`,
    {
      metadata: { name: releaseMarkName(releaseName), namespace },
      ...(repair === undefined ? {} : { data: { [repairKey]: repair } }),
    },
    { parent, dependsOn: release },
  );
}
