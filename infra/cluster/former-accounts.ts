import { labelSelector } from "../../constructs/kubernetes/labels";
import type { DaemonSetReference } from "../../constructs/platform";
import type { MarkedRelease } from "../../constructs/platform/release-mark";
import { installedObjects } from "./helm-releases";
import type { KubeApi } from "./kube-api";

/** How long kubelet keeps a pod's token at most, in milliseconds. */
const tokenMilliseconds = 3600 * 1000;

/**
 * A release's DaemonSets with pods that run by a ServiceAccount which was made anew after them: the cluster refuses the tokens
 * that they have. Measured with driver 1.6.1: files go on to follow the store, and no pod starts that mounts secrets.
 */
export async function daemonSetsOfFormerAccounts(
  api: KubeApi,
  release: MarkedRelease,
): Promise<readonly DaemonSetReference[]> {
  const installed = (await installedObjects(api, release)) ?? [];
  const daemonSets = installed.filter(({ kind }) => kind === "DaemonSet").map(({ metadata }) => metadata);
  const areFormer = await Promise.all(daemonSets.map((each) => isOfFormerAccount(api, each)));
  return daemonSets.filter((_, index) => areFormer[index]);
}

async function isOfFormerAccount(api: KubeApi, { namespace, name }: DaemonSetReference): Promise<boolean> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const spec = (await api.find(apps.readNamespacedDaemonSet({ namespace, name })))?.spec;
  const account = spec?.template.spec?.serviceAccountName;
  if (account === undefined) return false;
  const found = await api.find(core.readNamespacedServiceAccount({ namespace, name: account }));
  const made = found?.metadata?.creationTimestamp?.getTime();
  if (made === undefined || Date.now() - made > tokenMilliseconds) return false;
  const { items } = await core.listNamespacedPod({
    namespace,
    labelSelector: labelSelector(spec?.selector.matchLabels ?? {}),
  });
  return items.some(({ metadata }) => (metadata?.creationTimestamp?.getTime() ?? made) < made);
}
