import type { Problem } from "../../../secrets";
import type { PodOptions } from "../pod";

/** What of the pod is the construct's own. */
export interface OwnPod {
  readonly labels: Record<string, string>;
  readonly containerNames: readonly string[];
  /** Folders that are mounted read-only, so that nothing can be mounted inside. */
  readonly readOnlyFolders: readonly string[];
  readonly writableFolders: readonly string[];
}

/** What of the pod's further props stands in the way of its own. */
export function findPodProblems(props: PodOptions, own: OwnPod): Problem[] {
  return [
    ...labelProblems(props.labels ?? {}, own.labels),
    ...mountProblems(props.mounts ?? [], own),
    ...nameProblems(props, own.containerNames),
  ];
}

function mountProblems(mounts: readonly { readonly path: string }[], own: OwnPod): Problem[] {
  const taken = new Set(own.writableFolders);
  return mounts.flatMap(({ path }, index): Problem[] => {
    const key = `pod.mounts[${index}].path`;
    const folder = own.readOnlyFolders.find((each) => `${path}/`.startsWith(`${each}/`));
    if (folder !== undefined)
      return [{ key, message: `"${path}": lies in ${folder}, which is read-only: write another` }];
    if (taken.has(path)) return [{ key, message: `"${path}": has something mounted already: write another` }];
    taken.add(path);
    return [];
  });
}

/**
 * Labels by which the Service and others find the pods cannot be given other values.
 *
 * @param key where the labels are said
 */
export function labelProblems(
  labels: Record<string, string>,
  own: Record<string, string>,
  key = "pod.labels",
): Problem[] {
  return Object.keys(own)
    .filter((label) => labels[label] !== undefined)
    .map((label) => ({
      key: `${key}.${label}`,
      message: `"${labels[label]!}": is "${own[label]!}" for the Service to find the pods: leave it out`,
    }));
}

function nameProblems({ initContainers = [], sidecars = [] }: PodOptions, own: readonly string[]): Problem[] {
  const taken = new Set(own);
  const check = (list: string, containers: readonly { readonly name?: string }[]): Problem[] =>
    containers.flatMap(({ name = "main" }, index): Problem[] => {
      if (!taken.has(name)) {
        taken.add(name);
        return [];
      }
      return [{ key: `pod.${list}[${index}].name`, message: `"${name}": is another container's too: give it its own` }];
    });
  return [...check("initContainers", initContainers), ...check("sidecars", sidecars)];
}
