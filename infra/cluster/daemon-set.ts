import * as pulumi from "@pulumi/pulumi";
import { ConstantBackoff, handleAll, retry, TaskCancelledError, timeout, TimeoutStrategy, wrap } from "cockatiel";
import type { DaemonSetReference } from "../../constructs/platform";
import type { KubeApi } from "./kube-api";

/**
 * Waits until a DaemonSet is ready on every node. Helm's own wait takes one whose controller has not looked at it yet,
 * with no pod wanted and none ready, for a ready one.
 *
 * @param seconds how long to wait
 */
export async function waitForDaemonSet(api: KubeApi, reference: DaemonSetReference, seconds = 300): Promise<void> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const what = `DaemonSet ${reference.namespace}/${reference.name}`;
  const check = async (): Promise<void> => {
    const { metadata, status } = await apps.readNamespacedDaemonSet(reference);
    const wanted = status?.desiredNumberScheduled ?? 0;
    const ready = Math.min(status?.numberReady ?? 0, status?.updatedNumberScheduled ?? 0);
    const observed = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
    if (!observed || wanted === 0 || ready < wanted) throw new Error(`is ready on ${ready} of ${wanted} nodes`);
  };

  const again = retry(handleAll, { maxAttempts: Infinity, backoff: new ConstantBackoff(200) });
  let state = "has not been looked at";
  let reported = "";
  again.onFailure(({ reason }) => {
    state = "error" in reason ? reason.error.message : state;
    if (state === reported) return;
    reported = state;
    void pulumi.log.info(`Waiting: ${what} ${state}`, undefined, undefined, true);
  });
  try {
    await wrap(timeout(seconds * 1000, TimeoutStrategy.Aggressive), again).execute(check);
  } catch (error) {
    if (!(error instanceof TaskCancelledError)) throw error;
    throw new Error(`${what} did not get ready in ${seconds} s: it ${state}. See \`kubectl describe\` of its pods.`, {
      cause: error,
    });
  }
}
