import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release";

/**
 * Where a Helm chart comes from: a repository, or a local folder or archive (air-gapped sites). A registry, `oci://…`, is logged
 * in to by `helm registry login`.
 */
export type HelmChart =
  | {
      /** URL of the chart's repository. */
      readonly repository: string;
      /** As the repository calls the chart. */
      readonly name: string;
      /** One version of the chart, not a range. */
      readonly version: string;
    }
  | {
      /** Folder or archive of the chart, from where the program runs. */
      readonly path: string;
    };

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
  /** Namespace that its release is in. */
  readonly namespace: string;
  /** As the release names it. */
  readonly name: string;
}
