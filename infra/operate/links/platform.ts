import type { V1DaemonSet, V1Node, V1Taint, V1Toleration } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import { labelSelector } from "../../../constructs/kubernetes/labels";
import { secretsStoreDriver } from "../../../constructs/kubernetes/names";
import type { DaemonSetReference } from "../../../constructs/platform";
import { csiDriverName } from "../../../constructs/platform/names";
import { shellCommand } from "../../../constructs/shell-command";
import { driverLabel, pollSeconds, running } from "../../cluster/driver-rotation";
import { tokenAudiencesOf } from "../../config/stores/of-environment";
import { whyNoAnswer } from "../assert-reachable";
import { kubectl, mendDrift } from "../hints";
import { BrokenLinkError, type Link } from "../link";
import { allPermitted } from "../permission-denied";
import { aidboxPods } from "../pods";
import type { Session } from "../session";
import { operatedStore } from "../stores";

/** The cluster, the CSI driver and its provider of the store. */
export function platformLinks(session: Session): Link[] {
  const { environment } = session;
  const { csiDriver } = environment;
  const driver = csiDriver.install
    ? { namespace: csiDriver.namespace, name: csiDriverName(csiDriver.release) }
    : undefined;
  const provider = operatedStore(environment).csiProvider(environment);
  const audiences = tokenAudiencesOf(environment).map((audience) => `"${audience}"`);
  const tokens = audiences.length === 0 ? "" : ` and hands out tokens for ${audiences.join(", ")}`;
  return [
    {
      name: "cluster",
      checks: `the cluster of context ${environment.kubeContext} answers`,
      needs: [],
      check: () => checkCluster(session),
    },
    {
      name: "driver",
      checks: `the CSI driver is ready on every node, publishes again${tokens}`,
      needs: ["cluster"],
      check: async () => {
        const daemonSet = await findDaemonSet(session, driver, driverLabel, "the CSI driver");
        const fix = driver === undefined ? mendOthers(daemonSet) : reinstall(session, daemonSet);
        const ready = assertReady(session, daemonSet, fix);
        const [, registered] = await allPermitted([
          assertOnAidboxNodes(session, daemonSet, driver === undefined ? fix : mendDrift(environment)),
          checkRegistration(session, daemonSet, fix, driver !== undefined),
        ] as const);
        return `${ready}; ${registered}`;
      },
    },
    {
      name: "provider",
      checks: `${provider.title} is ready on every node, where the driver looks for it`,
      needs: ["cluster"],
      suffersFrom: ["driver"],
      check: async () => {
        const daemonSet = await findDaemonSet(session, provider.daemonSet, provider.label, provider.title);
        const isOurs = provider.daemonSet !== undefined;
        const fix = isOurs ? reinstall(session, daemonSet) : mendOthers(daemonSet);
        const ready = assertReady(session, daemonSet, fix);
        await assertOnAidboxNodes(session, daemonSet, isOurs ? mendDrift(environment) : fix);
        return `${ready}; ${assertSocketFolder(session, daemonSet, isOurs)}`;
      },
    },
  ];
}

async function checkCluster(session: Session): Promise<string> {
  const { api, environment } = session;
  try {
    const { gitVersion } = await api.config.makeApiClient(api.client.VersionApi).getCode();
    return `Kubernetes ${gitVersion.replace(/^v/, "")} at ${api.config.getCurrentCluster()?.server ?? "?"}`;
  } catch (error) {
    throw new BrokenLinkError(
      whyNoAnswer(session, error),
      shellCommand("kubectl", "--context", environment.kubeContext, "cluster-info"),
    );
  }
}

async function findDaemonSet(
  { api, environment, permitted }: Session,
  reference: DaemonSetReference | undefined,
  label: string,
  what: string,
): Promise<V1DaemonSet> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  if (reference === undefined) {
    const { items } = await permitted(apps.listDaemonSetForAllNamespaces({ labelSelector: label }));
    const found = running(items);
    if (found !== undefined) return found;
    throw new BrokenLinkError(`no DaemonSet of the cluster has the label ${label}`, `install ${what}`);
  }
  const found = await permitted(api.find(apps.readNamespacedDaemonSet(reference)));
  if (found !== undefined) return found;
  throw new BrokenLinkError(`DaemonSet ${reference.namespace}/${reference.name} is gone`, mendDrift(environment));
}

/** Helm puts back what differs in objects that its chart names, once a lost one has it look. */
function reinstall({ environment }: Session, { metadata }: V1DaemonSet): string {
  const [namespace, name] = [metadata?.namespace ?? "", metadata?.name ?? ""];
  return `${kubectl(environment, namespace, "delete", "daemonset", name)} && ${mendDrift(environment)}`;
}

/** What the stack did not install may serve others, and is its owner's to change. */
function mendOthers({ metadata }: V1DaemonSet): string {
  return `ask whoever installed DaemonSet ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}, which is not this stack's`;
}

function assertReady({ environment }: Session, { metadata, spec, status }: V1DaemonSet, fix: string): string {
  const [namespace, name] = [metadata?.namespace ?? "", metadata?.name ?? ""];
  const wanted = status?.desiredNumberScheduled ?? 0;
  const ready = status?.numberReady ?? 0;
  if (wanted === 0) {
    const selector = JSON.stringify(spec?.template.spec?.nodeSelector ?? {});
    throw new BrokenLinkError(
      `DaemonSet ${namespace}/${name} is wanted on no node: its node selector is ${selector}`,
      fix,
    );
  }
  if (ready < wanted) {
    throw new BrokenLinkError(
      `DaemonSet ${namespace}/${name} is ready on ${ready} of ${wanted} nodes`,
      kubectl(environment, namespace, "describe", "pods", "-l", labelSelector(spec?.selector.matchLabels ?? {})),
    );
  }
  return `DaemonSet ${namespace}/${name} ready on ${ready} of ${wanted} nodes`;
}

/** A node that a DaemonSet does not go to is not among those that it wants: where Aidbox's pods are is asked beside. */
async function assertOnAidboxNodes(session: Session, daemonSet: V1DaemonSet, fix: string): Promise<void> {
  const { api, permitted } = session;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const names = new Set((await aidboxPods(session)).flatMap(({ spec }) => spec?.nodeName ?? []));
  const nodes = await allPermitted([...names].map((name) => permitted(api.find(core.readNode({ name })))));
  for (const node of nodes.filter((each) => each !== undefined)) {
    const why = whyNotOn(node, daemonSet);
    if (why === undefined) continue;
    const [namespace, name] = [daemonSet.metadata?.namespace ?? "", daemonSet.metadata?.name ?? ""];
    throw new BrokenLinkError(
      `DaemonSet ${namespace}/${name} does not run on node ${node.metadata?.name ?? ""}, where Aidbox does: ${why}`,
      fix,
    );
  }
}

/** Why a DaemonSet has no pod on a node; undefined where it may have one. */
function whyNotOn({ metadata, spec }: V1Node, daemonSet: V1DaemonSet): string | undefined {
  const { tolerations = [], nodeSelector = {} } = daemonSet.spec?.template.spec ?? {};
  const kept = (spec?.taints ?? []).filter(
    // Kubernetes' own, as of a node that is cordoned, each DaemonSet tolerates.
    ({ key, effect }) => effect !== "PreferNoSchedule" && !key.startsWith("node.kubernetes.io/"),
  );
  const taint = kept.find((each) => !tolerations.some((toleration) => tolerates(toleration, each)));
  if (taint !== undefined) {
    return `it does not tolerate the taint ${taint.key}${taint.value === undefined ? "" : `=${taint.value}`}:${taint.effect}`;
  }
  const label = Object.entries(nodeSelector).find(([key, value]) => metadata?.labels?.[key] !== value);
  return label === undefined ? undefined : `the node lacks the label ${label.join("=")}`;
}

function tolerates({ key, operator, value, effect }: V1Toleration, taint: V1Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (operator === "Exists") return key === undefined || key === taint.key;
  return key === taint.key && (value ?? "") === (taint.value ?? "");
}

async function checkRegistration(
  { api, environment, permitted }: Session,
  daemonSet: V1DaemonSet,
  fix: string,
  isOurs: boolean,
): Promise<string> {
  const storage = api.config.makeApiClient(api.client.StorageV1Api);
  const [namespace, name] = [daemonSet.metadata?.namespace ?? "", daemonSet.metadata?.name ?? ""];
  const [registered, nodes] = await allPermitted([
    permitted(api.find(storage.readCSIDriver({ name: secretsStoreDriver }))),
    permitted(storage.listCSINode()),
  ]);
  if (registered === undefined) {
    throw new BrokenLinkError(`CSIDriver ${secretsStoreDriver} is gone`, isOurs ? mendDrift(environment) : fix);
  }
  const audiences = registered.spec.tokenRequests?.map((request) => request.audience) ?? [];
  const wantedAudiences = tokenAudiencesOf(environment);
  const missing = wantedAudiences.filter((audience) => !audiences.includes(audience));
  if (missing.length > 0) {
    const others = audiences.join(", ") || "nobody";
    throw new BrokenLinkError(
      `CSIDriver ${secretsStoreDriver} hands out tokens for ${others}, not for ${missing.join(", ")}`,
      fix,
    );
  }
  const poll = isOurs ? undefined : pollSeconds(daemonSet);
  if (registered.spec.requiresRepublish !== true && poll === undefined) {
    throw new BrokenLinkError(`CSIDriver ${secretsStoreDriver} does not publish again: rotation is off`, fix);
  }
  const wanted = daemonSet.status?.desiredNumberScheduled ?? 0;
  const on = nodes.items.filter(({ spec }) => spec.drivers.some((driver) => driver.name === secretsStoreDriver)).length;
  if (on < wanted) {
    throw new BrokenLinkError(
      `kubelet knows the driver on ${on} of ${wanted} nodes (CSINode)`,
      isOurs ? kubectl(environment, namespace, "rollout", "restart", "daemonset", name) : fix,
    );
  }
  const audience = wantedAudiences.length === 0 ? "" : `, audience ${wantedAudiences.join(", ")}`;
  const pace = registered.spec.requiresRepublish === true ? "" : ` every ${poll} s`;
  return `rotation on${pace}${audience}, registered with ${on} kubelets`;
}

/** The folders in which the driver's chart looks for its providers' sockets. */
const socketFolders = ["/var/run/secrets-store-csi-providers", "/etc/kubernetes/secrets-store-csi-providers"];

function assertSocketFolder({ environment }: Session, daemonSet: V1DaemonSet, isOurs: boolean): string {
  const { metadata, spec } = daemonSet;
  const paths = spec?.template.spec?.volumes?.flatMap(({ hostPath }) => hostPath?.path ?? []) ?? [];
  const folder = paths.find((path) => socketFolders.includes(path.replace(/\/$/, "")));
  if (folder !== undefined) return `socket in ${folder}`;
  throw new BrokenLinkError(
    `DaemonSet ${metadata?.namespace ?? ""}/${metadata?.name ?? ""} has its socket in ${paths.join(", ") || "no folder"} ` +
      `of the node, and the driver looks in ${socketFolders.join(" and ")}`,
    isOurs ? mendDrift(environment) : mendOthers(daemonSet),
  );
}
