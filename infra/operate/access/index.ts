import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { refuseArguments } from "../../../constructs/check-props";
import { objectNames } from "../../../constructs/kubernetes/names";
import { csiDriverName } from "../../../constructs/platform/names";
import { checkedEnvironment } from "../../config/checked-environment";
import type { Environment } from "../../config/environment";
import { storeTitle } from "../../config/stores";
import { InvalidRequestError } from "../errors";
import { openReachable } from "../open-reachable";
import { openOptions } from "../option-checks";
import { allPermitted } from "../permission-denied";
import type { OpenOptions } from "../store-operator";
import { operatedStore } from "../stores";
import { readClusterAccess } from "./cluster-access";
import { type Control, controls, controlsOf, namesOf } from "./controls";
import { type Evidence, evidenceOf, type PlatformHolder, type SecretFacts } from "./evidence";
import type { Origin } from "./origin";
import { bindingOrigins } from "./own-bindings";
import type { StoreChanger } from "./store-readers";

export type { Evidence, NodePod, SecretEvidence, Way } from "./evidence";
export type { Control } from "./controls";
export type { Origin } from "./origin";
export type { Power } from "./powers";
export type { LastRead, ServiceAccounts, StoreChanger, StoreReader } from "./store-readers";

/** Who can read each secret of an environment, as far as it can be known. */
export interface AccessEvidence extends Evidence {
  /** Name of the environment, as `dev`. */
  readonly environment: string;
  /** Which store it is: `Vault 2.0.4`. */
  readonly store: string;
  /** When it was looked at. */
  readonly at: Date;
  /** Who can change who reads, by the store's own rules. */
  readonly changers: readonly (StoreChanger & {
    /** Names of the controls that this answers. */
    readonly controls: readonly string[];
  })[];
  /** The controls that its lines name, and what they ask for. */
  readonly controls: readonly Control[];
  /** What was to be read and could not be, a sentence each; without it the evidence is not whole. */
  readonly notRead: readonly string[];
  /** What no program can know by asking the store and the cluster, a sentence each. */
  readonly cannotKnow: readonly string[];
}

/** What the cluster tells nobody, or nobody can work out. */
const cannotKnow = [
  "Who is in a group, and who uses a user's, a ServiceAccount's or a kubeconfig's credentials.",
  "What an authorizer beside RBAC allows, as a cloud's IAM, and what an admission policy refuses that RBAC allows.",
  "Who is root on a node, or reads its disk: the node has the files of its pods, and the control plane's etcd has the synced Secrets.",
  "Who may make pods in another namespace: where nothing refuses it, such a pod mounts the node's paths too. The pods that do so now are above.",
  "Who can become an administrator of the cluster in another way: by signing client certificates, by webhooks, by objects of other controllers that make pods.",
  "Where a value went once it was read: logs, backups, the program's own memory and its database.",
  "What was before: this is a picture of one moment.",
];

/**
 * Who can read each secret: by the store's rules, and by way of Kubernetes. It changes nothing, and reads no value.
 *
 * @throws InvalidRequestError where it is not known of the environment's store, PermissionDeniedError where the operator may not
 * look, UnreachableError where the cluster or the store cannot be used
 */
export async function readAccess(environment: Environment, options: OpenOptions = {}): Promise<AccessEvidence> {
  refuseArguments("readAccess", { environment, options }, { environment: checkedEnvironment, options: openOptions });
  const opened = await openReachable(environment, options);
  const { session, store } = opened;
  if (store.readers === undefined) {
    throw new InvalidRequestError(
      `environment "${environment.name}": this command is not for ${storeTitle(environment)} yet`,
    );
  }
  const at = new Date();
  const { table } = environment;
  const [readers, cluster, title, states] = await allPermitted([
    store.readers(),
    readClusterAccess(session),
    store.describe(),
    allPermitted(table.secrets.map((secret) => store.state(secret))),
  ]);
  const facts = table.secrets.map((secret, index): SecretFacts => {
    const { version, rotatedAt } = states[index]!;
    const synced = {
      namespace: environment.namespaces.aidbox,
      name: objectNames(environment.aidbox.name).syncedSecret,
    };
    return {
      secret: secret.name,
      path: store.locate(secret),
      version,
      rotatedAt,
      maxAgeSeconds: secret.maxAge?.toSeconds(),
      readers: readers.readers(secret),
      lastReads: readers.lastReads(secret),
      syncedTo: secret.environment === undefined ? [] : [synced],
    };
  });
  const isOwn = ownDaemonSets(environment);
  const platform: PlatformHolder[] = [
    ...new Map(
      cluster.pods
        .filter(isOwn)
        .map(({ metadata, spec }) => [
          `${metadata?.namespace ?? ""}/${spec?.serviceAccountName ?? ""}`,
          { namespace: metadata?.namespace ?? "", serviceAccount: spec?.serviceAccountName ?? "", secrets: [] },
        ]),
    ).values(),
    ...readers.holders,
  ];
  const evidence = evidenceOf(facts, platform, cluster, {
    ofBinding: bindingOrigins(environment),
    ofPod: (pod) => originOfPod(pod, isOwn),
  });
  return {
    environment: environment.name,
    store: title,
    at,
    ...evidence,
    changers: readers.changers.map((changer) => ({ ...changer, controls: namesOf(controlsOf.way) })),
    controls: Object.values(controls),
    notRead: readers.notRead,
    cannotKnow: [...readers.cannotKnow, ...cannotKnow],
  };
}

/** Tells the pods of the driver and the provider that this stack installs. */
function ownDaemonSets(environment: Environment): (pod: V1Pod) => boolean {
  const { csiDriver } = environment;
  const { daemonSet: provider } = operatedStore(environment).csiProvider(environment);
  const own = [
    ...(csiDriver.install ? [{ namespace: csiDriver.namespace, name: csiDriverName(csiDriver.release) }] : []),
    ...(provider === undefined ? [] : [provider]),
  ];
  return ({ metadata }) =>
    own.some(
      ({ namespace, name }) =>
        metadata?.namespace === namespace &&
        metadata.ownerReferences?.some(({ kind, name: owner }) => kind === "DaemonSet" && owner === name) === true,
    );
}

function originOfPod(pod: V1Pod, isOwn: (pod: V1Pod) => boolean): Origin {
  if (isOwn(pod)) return "stack";
  // Kubelet's own, from the node's disk: the API server lets nobody else make one.
  return pod.metadata?.ownerReferences?.some(({ kind }) => kind === "Node") === true ? "kubernetes" : "others";
}
