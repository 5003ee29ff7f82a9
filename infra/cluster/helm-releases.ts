import { gunzipSync } from "node:zlib";
import type { KubeApi } from "./kube-api";

/** A Helm release as Helm's own record in the cluster has it. */
export interface FoundRelease {
  readonly name: string;
  readonly namespace: string;
  /** Name of its chart. */
  readonly chart: string;
  readonly chartVersion: string;
  /** What it was installed with beside the chart's own values. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** All Helm releases of a cluster that are installed. */
export async function helmReleases(api: KubeApi): Promise<readonly FoundRelease[]> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await core.listSecretForAllNamespaces({ labelSelector: "owner=helm,status=deployed" });
  return items.flatMap(({ data }) => (data?.release === undefined ? [] : [parseRelease(data.release)]));
}

/** Reads Helm's record: base64 of gzipped JSON, which Kubernetes keeps in base64 once more. */
export function parseRelease(content: string): FoundRelease {
  const packed = Buffer.from(Buffer.from(content, "base64").toString(), "base64");
  const release = JSON.parse(gunzipSync(packed).toString()) as {
    readonly name: string;
    readonly namespace: string;
    readonly chart: { readonly metadata: { readonly name: string; readonly version: string } };
    readonly config?: Readonly<Record<string, unknown>> | null;
  };
  const { name, version } = release.chart.metadata;
  return {
    name: release.name,
    namespace: release.namespace,
    chart: name,
    chartVersion: version,
    values: release.config ?? {},
  };
}
