import { ApiObject, App } from "cdk8s";
import { environmentAnnotation } from "../../../constructs/kubernetes";
import type { Environment } from "../../../infra/config/environment";
import { republishes } from "../../../infra/config/rotation-bound";
import { ownReleases } from "../../../infra/operate/own-releases";
import { aidboxChart } from "../../../infra/stack/charts";
import { helmRecord } from "../cluster/helm-record";
import type { FakeKubernetes, KubernetesObject } from "./fake-kubernetes";

/** Name of the node that all pods run on. */
export const node = "node-1";

/** When all began. */
export const longAgo = new Date("2026-01-02T03:04:05.000Z");

/** A store's CSI provider, as its chart deploys it. */
interface Provider {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Record<string, string>;
}

/** Fills a cluster with what a stack deploys, but for Aidbox's pods. @param audiences of the tokens that the driver hands out */
export function addDeployed(
  cluster: FakeKubernetes,
  environment: Environment,
  provider: Provider,
  audiences: readonly string[],
): void {
  cluster.add(...structuredClone(drawn(environment)).map(asDeployed));
  if (republishes(environment)) {
    const noted = { [environmentAnnotation]: "as it was deployed" };
    cluster.change("Deployment", environment.aidbox.name, { metadata: { annotations: noted } });
  }
  const driver = { requiresRepublish: true, tokenRequests: audiences.map((audience) => ({ audience })) };
  const objects: [kind: string, namespace: string | undefined, name: string, rest: object][] = [
    [
      "DaemonSet",
      "kube-system",
      "csi-secrets-store-csi-driver",
      daemonSet("secrets-store", { app: "secrets-store-csi-driver" }),
    ],
    ["DaemonSet", provider.namespace, provider.name, daemonSet(provider.name, provider.labels)],
    ["CSIDriver", undefined, "secrets-store.csi.k8s.io", { spec: driver }],
    ["CSINode", undefined, node, { spec: { drivers: [{ name: "secrets-store.csi.k8s.io", nodeID: node }] } }],
    ["Secret", environment.namespaces.aidbox, "aidbox-environment", { data: {} }],
    ["Lease", "kube-node-lease", node, { spec: { leaseDurationSeconds: 40, renewTime: new Date().toISOString() } }],
    ["Pod", "kube-system", "csi-driver-x", { spec: { nodeName: node }, status: { phase: "Running" } }],
  ];
  const versions: Record<string, string> = {
    DaemonSet: "apps/v1",
    CSIDriver: storage,
    CSINode: storage,
    Lease: coordination,
  };
  for (const [kind, namespace, name, rest] of objects) {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels: driverLabels };
    cluster.add({ apiVersion: versions[kind] ?? "v1", kind, metadata, ...rest });
  }
  for (const { namespace, releaseName } of ownReleases(environment)) {
    const installed = objects.filter((object) => object[0] === "DaemonSet" && object[1] === namespace);
    const rendered = installed.map(([kind, , name]) => ({ apiVersion: versions[kind]!, kind, metadata: { name } }));
    cluster.add(helmRecord(namespace, releaseName, rendered));
  }
}

const drawnOf = new Map<string, readonly KubernetesObject[]>();

/** The objects of an environment's chart, which is drawn once for all tests of a file: a tenth of their time went there. */
function drawn(environment: Environment): readonly KubernetesObject[] {
  // It knows nothing of where Vault is from here, which each test has anew.
  const known = JSON.stringify(environment, (key, value: unknown) => (key === "addressFromHere" ? undefined : value));
  let objects = drawnOf.get(known);
  if (objects === undefined) {
    const constructs = aidboxChart(new App(), environment).node.findAll();
    objects = constructs.filter((each) => ApiObject.isApiObject(each)).map((each) => each.toJson() as KubernetesObject);
    drawnOf.set(known, objects);
  }
  return objects;
}

/** A pod of the Deployment that runs and is ready. */
export function addAidboxPod(cluster: FakeKubernetes, { namespaces, aidbox }: Environment, name: string): void {
  cluster.add({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: namespaces.aidbox,
      labels: { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "aidbox" },
      annotations: { "aidbox-secrets/republish": new Date().toISOString() },
    },
    spec: { nodeName: node, serviceAccountName: aidbox.name },
    status: {
      phase: "Running",
      containerStatuses: [{ name: "aidbox", ready: true, state: { running: { startedAt: longAgo.toISOString() } } }],
    },
  });
}

/** An object as the cluster has it: it adds what nobody asked for, and a Deployment's pods are all new and ready. */
function asDeployed(object: KubernetesObject): KubernetesObject {
  const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number };
  return {
    ...object,
    metadata: { ...object.metadata, uid: `uid of ${object.metadata.name}`, generation: 1 },
    ...(object.kind === "Deployment"
      ? {
          status: {
            observedGeneration: 1,
            replicas,
            updatedReplicas: replicas,
            readyReplicas: replicas,
            availableReplicas: replicas,
          },
        }
      : {}),
  };
}

const storage = "storage.k8s.io/v1";
const coordination = "coordination.k8s.io/v1";
const driverLabels = { app: "secrets-store-csi-driver", "app.kubernetes.io/instance": "csi" };

function daemonSet(name: string, matchLabels: Record<string, string>): object {
  const path = "/var/run/secrets-store-csi-providers";
  return {
    spec: {
      selector: { matchLabels },
      template: {
        metadata: { labels: matchLabels },
        spec: { containers: [{ name }], volumes: [{ name: "providervol", hostPath: { path } }] },
      },
    },
    status: { desiredNumberScheduled: 1, numberReady: 1 },
  };
}
