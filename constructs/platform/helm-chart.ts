import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release";

/**
 * Where a Helm chart comes from: a repository, or a local folder or archive (air-gapped sites). A registry, `oci://…`, is logged
 * in to by `helm registry login`.
 */
export type HelmChart =
  | {
      readonly repository: string;
      readonly name: string;
      readonly version: string;
    }
  | { readonly path: string };

/** The arguments of a Helm release that say where its chart comes from. */
export function chartSource(chart: HelmChart): Pick<ReleaseArgs, "chart" | "version" | "repositoryOpts"> {
  if ("path" in chart) return { chart: chart.path };
  const { repository, name, version } = chart;
  return repository.startsWith("oci://")
    ? { chart: `${repository.replace(/\/$/, "")}/${name}`, version }
    : { chart: name, version, repositoryOpts: { repo: repository } };
}

/** A DaemonSet of a release, to wait for. */
export interface DaemonSetReference {
  readonly namespace: string;
  readonly name: string;
}
