import type { V1ContainerState, V1Pod } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import * as pulumi from "@pulumi/pulumi";
import { ConstantBackoff } from "cockatiel";
import { emptyFileIn, waitingContainerName } from "../../constructs/kubernetes/wait-for-files";
import { retry } from "../../constructs/retry";
import { howToRun } from "../config/own-package";
import type { KubeApi } from "./kube-api";
import { isObserved, isRolledOut } from "./rollout";

/** A Deployment of Aidbox. */
export interface DeploymentReference {
  readonly namespace: string;
  readonly name: string;
}

/** A pod that waits, since a value in the store is empty: waiting longer does not help. */
class EmptySecretError extends Error {}

/** How often a pod that waits is asked for what, in milliseconds. */
const askMilliseconds = 5000;

/** How long an Aidbox with its secrets may take to become ready before it is left as it is, in seconds. */
const graceSeconds = 60;

/**
 * Waits until every pod of a Deployment has its secrets as files, and then, for a minute at most, until it is ready.
 *
 * @param describeEmpty says of a file that its value is empty, and what to do
 * @param seconds how long to wait for the secrets
 * @throws Error where a value is empty that may not be, as soon as a pod waits for it
 */
export async function waitForServedSecrets(
  api: KubeApi,
  reference: DeploymentReference,
  describeEmpty: (file: string) => string,
  seconds = 600,
  grace = graceSeconds,
): Promise<void> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const what = `Deployment ${reference.namespace}/${reference.name}`;
  let firstSeen = Infinity;
  let nextAsk = Date.now() + askMilliseconds;
  /** Of the old pods of a roll none waits. */
  const assertNoneEmpty = async (pods: readonly V1Pod[]): Promise<void> => {
    if (Date.now() < nextAsk) return;
    nextAsk = Date.now() + askMilliseconds;
    const waiting = pods.find((pod) => waitingState(pod)?.running !== undefined);
    if (waiting === undefined) return;
    const log = await core.readNamespacedPodLog({
      namespace: reference.namespace,
      name: waiting.metadata!.name!,
      container: waitingContainerName,
      tailLines: 1,
    });
    const file = emptyFileIn(log);
    if (file !== undefined) throw new EmptySecretError(describeEmpty(file));
  };
  const check = async (): Promise<void> => {
    const deployment = await apps.readNamespacedDeployment(reference);
    if (isRolledOut(deployment)) return;
    const labels = Object.entries(deployment.spec?.selector.matchLabels ?? {}).map((pair) => pair.join("="));
    const { items } = await core.listNamespacedPod({
      namespace: reference.namespace,
      labelSelector: labels.join(","),
    });
    // One that was evicted stays in the list, and another is in its place.
    const pods = items.filter(
      ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase !== "Failed",
    );
    const wanted = Math.max(deployment.spec?.replicas ?? 1, pods.length);
    const served = pods.flatMap((pod) => servedSince(pod) ?? []);
    const hasNewPod = (deployment.status?.updatedReplicas ?? 0) > 0;
    if (!isObserved(deployment) || !hasNewPod || served.length < wanted) {
      await assertNoneEmpty(pods);
      throw new Error(`has its secrets in ${served.length} of ${wanted} pods`);
    }
    firstSeen = Math.min(firstSeen, Date.now());
    // The node's clock may be ahead of this machine's.
    const since = Math.min(firstSeen, Math.max(...served));
    if (Date.now() - since < grace * 1000) throw new Error("has its secrets, and is not ready yet");
  };

  let reported = "";
  await retry(check, {
    seconds: seconds + grace,
    backoff: new ConstantBackoff(200),
    mayPass: (error) => !(error instanceof EmptySecretError),
    onFailure: ({ message }) => {
      if (message === reported) return;
      reported = message;
      void pulumi.log.info(`Waiting: ${what} ${message}`, undefined, undefined, true);
    },
    timedOut: (last) =>
      `${what} did not get its secrets in ${seconds} s: it ${last?.message ?? "has not been looked at"}. ` +
      `Run \`${howToRun("verify")}\`, which names the cause.`,
  });
}

/** When a pod had all its secrets, in milliseconds; undefined before. */
function servedSince(pod: V1Pod): number | undefined {
  const ended = waitingState(pod)?.terminated;
  return ended?.exitCode === 0 ? new Date(ended.finishedAt ?? 0).getTime() : undefined;
}

function waitingState({ status }: V1Pod): V1ContainerState | undefined {
  return status?.initContainerStatuses?.find(({ name }) => name === waitingContainerName)?.state;
}
