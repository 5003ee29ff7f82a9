import { firstLine } from "./errors";
import { PermissionDeniedError } from "./permission-denied";
import { runningPods } from "./pods";
import type { Session } from "./session";

/**
 * The errors that the driver met while it published volumes again. It hides them from kubelet, so that pods keep the last
 * good value, and only counts them.
 *
 * @returns one line for each node of an Aidbox pod and kind of error
 */
export async function readMaskedErrors(session: Session): Promise<string[]> {
  const { api, environment, permitted } = session;
  const { csiDriver } = environment;
  if (!csiDriver.install) return []; // where another's driver runs, and which labels it has, is not known
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace } = csiDriver;
  try {
    const nodes = new Set((await runningPods(session)).map(({ spec }) => spec?.nodeName));
    const labelSelector = `app=secrets-store-csi-driver,app.kubernetes.io/instance=${csiDriver.release}`;
    const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
    const lines = await Promise.all(
      items
        .filter(({ spec }) => nodes.has(spec?.nodeName))
        .map(async ({ metadata, spec }) => {
          const name = `${metadata?.name ?? ""}:8095`;
          const text = await permitted(core.connectGetNamespacedPodProxyWithPath({ namespace, name, path: "metrics" }));
          return parseErrors(text).map(
            ([kind, count]) => `the driver on ${spec?.nodeName ?? "?"} met ${count} errors "${kind}" since it started`,
          );
        }),
    );
    return lines.flat();
  } catch (error) {
    const reason = error instanceof PermissionDeniedError ? error.right : firstLine(error);
    return [`the driver's metrics cannot be read: ${reason}`];
  }
}

/** Kinds and counts of the errors of republication, in Prometheus' text format. */
function parseErrors(text: string): [kind: string, count: number][] {
  return text.split("\n").flatMap((line): [string, number][] => {
    const [, labels = "", count] = /^rotation_reconcile_error_total\{(.*)\} (\d\S*)$/.exec(line) ?? [];
    if (count === undefined) return [];
    return [[/error_type="([^"]*)"/.exec(labels)?.[1] ?? "unknown", Number(count)]];
  });
}
