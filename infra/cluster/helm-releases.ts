import { gunzipSync } from "node:zlib";
import { parseAllDocuments } from "yaml";
import type { MarkedRelease } from "../../constructs/platform/release-mark";
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

/** Reads Helm's record of a release. */
export function parseRelease(content: string): FoundRelease {
  const release = unpack(content);
  const { name, version } = release.chart.metadata;
  return {
    name: release.name,
    namespace: release.namespace,
    chart: name,
    chartVersion: version,
    values: release.config ?? {},
  };
}

/** What names an object of a release. */
export interface InstalledObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** What a release has installed, by Helm's record; undefined where there is none. Its hooks and CRDs are no part of it. */
export async function installedObjects(
  api: KubeApi,
  { namespace, releaseName }: MarkedRelease,
): Promise<readonly InstalledObject[] | undefined> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const labelSelector = `owner=helm,name=${releaseName},status=deployed`;
  const { items } = await core.listNamespacedSecret({ namespace, labelSelector });
  const [newest] = items.sort((a, b) => revisionOf(b) - revisionOf(a));
  if (newest?.data?.release === undefined) return undefined;
  return parseAllDocuments(unpack(newest.data.release).manifest).flatMap((document) => {
    const object = document.toJS() as InstalledObject | null; // a template that renders to comments alone
    // The client leaves the namespace out for a kind that has none.
    return object === null ? [] : [named(object, namespace)];
  });
}

function named({ apiVersion, kind, metadata }: InstalledObject, releaseNamespace: string): InstalledObject {
  const { name, namespace = releaseNamespace } = metadata as { readonly name: string; readonly namespace?: string };
  return { apiVersion, kind, metadata: { name, namespace } };
}

function revisionOf({ metadata }: { readonly metadata?: { readonly labels?: Record<string, string> } }): number {
  return Number(metadata?.labels?.version ?? 0);
}

interface HelmRecord {
  readonly name: string;
  readonly namespace: string;
  readonly chart: { readonly metadata: { readonly name: string; readonly version: string } };
  readonly config?: Readonly<Record<string, unknown>> | null;
  /** YAML of all that the release has installed. */
  readonly manifest: string;
}

/** Helm keeps base64 of gzipped JSON, which Kubernetes keeps in base64 once more. */
function unpack(content: string): HelmRecord {
  const packed = Buffer.from(Buffer.from(content, "base64").toString(), "base64");
  return JSON.parse(gunzipSync(packed).toString()) as HelmRecord;
}
