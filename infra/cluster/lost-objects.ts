import type { MarkedRelease } from "../../constructs/platform/release-mark";
import { type InstalledObject, installedObjects } from "./helm-releases";
import type { KubeApi } from "./kube-api";

/** What a release has installed that is gone; undefined where Helm has no record of it. */
export async function lostObjects(
  api: KubeApi,
  release: MarkedRelease,
): Promise<readonly InstalledObject[] | undefined> {
  const objects = api.config.makeApiClient(api.client.KubernetesObjectApi);
  const isLost = async (object: InstalledObject): Promise<boolean> => {
    // The client fills in what it is given.
    const read = objects.read(structuredClone(object)).catch((error: unknown) => {
      // Helm cannot put back what the cluster has no kind for.
      if (isUnknownKind(api, error)) return object;
      throw error;
    });
    return (await api.find(read)) === undefined;
  };
  const installed = await installedObjects(api, release);
  if (installed === undefined) return undefined;
  const lost = await Promise.all(installed.map(isLost));
  return installed.filter((_, index) => lost[index]);
}

/** Whether an API of the cluster has no such kind, or there is no such API: the client has no class of error for either. */
function isUnknownKind(api: KubeApi, error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.message.startsWith("Unrecognized API version and kind")) return true;
  const isNotThere = error instanceof api.client.ApiException && error.code === 404;
  return isNotThere && error.message.startsWith("Failed to fetch resource metadata");
}

/** What a release has lost, in a sentence. */
export function describeLost({ namespace, releaseName }: MarkedRelease, lost: readonly InstalledObject[]): string {
  const names = lost.map(({ kind, metadata: { name } }) => `${kind} ${name}`).join(", ");
  return `Helm release ${namespace}/${releaseName} has lost ${names}`;
}
