import * as pulumi from "@pulumi/pulumi";
import { ConstantBackoff } from "cockatiel";
import type { DaemonSetReference } from "../../constructs/platform";
import { retry } from "../../constructs/retry";
import type { KubeApi } from "./kube-api";
import { isObserved } from "./rollout";

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
    const found = await apps.readNamespacedDaemonSet(reference);
    const { status } = found;
    const wanted = status?.desiredNumberScheduled ?? 0;
    const ready = Math.min(status?.numberReady ?? 0, status?.updatedNumberScheduled ?? 0);
    if (!isObserved(found) || wanted === 0 || ready < wanted)
      throw new Error(`is ready on ${ready} of ${wanted} nodes`);
  };

  let reported = "";
  await retry(check, {
    seconds,
    backoff: new ConstantBackoff(200),
    onFailure: ({ message }) => {
      if (message === reported) return;
      reported = message;
      void pulumi.log.info(`Waiting: ${what} ${message}`, undefined, undefined, true);
    },
    timedOut: (last) =>
      `${what} did not get ready in ${seconds} s: it ${last?.message ?? "has not been looked at"}. ` +
      "See `kubectl describe` of its pods.",
  });
}
