import { clusterWideName, objectNames, secretsStoreDriver } from "../../../constructs/kubernetes/names";
import { csiDriverName, releaseMarkName } from "../../../constructs/platform/names";
import {
  csiProviderName,
  csiProviderReleaseName,
  devRootTokenName,
  vaultSnapshotsName,
  vaultTlsNames,
} from "../../../constructs/stores/vault/names";
import { postgresName } from "../database";
import { sealTokenSecretName } from "../names";
import type { Claim, Origin } from "./claim";
import { type Named, nothingInVault, otherStoreOf } from "./named";
import { type Claimant, claimantsOf, namespaceOrigin } from "./owner";

/** The names in the cluster. */
export function kubernetesClaims(stack: Named): Claim[] {
  return [
    ...vaultNamespace(stack),
    ...driver(stack),
    ...vaultRelease(stack),
    ...csiProvider(stack),
    ...otherProvider(stack),
    ...claimantsOf(stack).flatMap(aidbox),
  ];
}

function vaultNamespace(stack: Named): Claim[] {
  const { vault } = stack.namespaces;
  if (vault === undefined || otherStoreOf(stack) !== undefined) return [];
  const from = { key: "namespaces.vault", value: vault, fix: "give each its own" };
  return clusterWide("Vault", from, [["Namespace", vault]]);
}

function driver({ csiDriver: { install, release, namespace } }: Named): Claim[] {
  if (!install || release === undefined || namespace === undefined) return [];
  const owner = "the CSI driver";
  const from = { key: "csiDriver.release", value: release, fix: "write another name, or namespace" };
  return [
    ...inNamespace(namespace, owner, from, [
      ["Helm release", release],
      ["ConfigMap", releaseMarkName(release)],
      ["DaemonSet", csiDriverName(release)],
    ]),
    ...clusterWide(owner, from, [["CSIDriver", secretsStoreDriver]]),
  ];
}

function vaultRelease({ vault = nothingInVault, namespaces: { vault: namespace } }: Named): Claim[] {
  const { release } = vault;
  if (release === undefined || namespace === undefined) return [];
  const owner = "Vault";
  const from = { key: "vault.release", value: release, fix: "write another name" };
  const tls = vaultTlsNames(release);
  return [
    ...inNamespace(namespace, owner, from, [
      ["Helm release", release],
      ["ConfigMap", releaseMarkName(release)],
      ["ConfigMap", tls.ca],
      ["Secret", tls.server],
      ["Certificate", tls.server],
      ["Secret", tls.caKey],
      ["Secret", devRootTokenName(release)],
      ["Secret", sealTokenSecretName(release)],
      ["StatefulSet", release],
      ["NetworkPolicy", `${release}-servers`],
      ...(vault.snapshots === undefined ? [] : snapshotObjects(release)),
    ]),
    ...clusterWide(owner, from, [["ClusterRoleBinding", `${release}-server-binding`]]),
  ];
}

function snapshotObjects(release: string): KindAndName[] {
  const kinds = ["ServiceAccount", "PersistentVolumeClaim", "CronJob", "NetworkPolicy"];
  return [
    ...kinds.map((kind): KindAndName => [kind, vaultSnapshotsName(release)]),
    ["NetworkPolicy", `${release}-drill`],
  ];
}

function csiProvider({ vault = nothingInVault, namespaces: { csiProvider: namespace } }: Named): Claim[] {
  if (!vault.csiProvider || vault.release === undefined || namespace === undefined) return [];
  const owner = "Vault's CSI provider";
  const from = { key: "vault.release", value: vault.release, fix: "write another name" };
  const release = csiProviderReleaseName(vault.release);
  const name = csiProviderName(release);
  const own = { key: "namespaces.csiProvider", value: namespace, fix: "give each its own" };
  return [
    ...clusterWide(owner, own, [["Namespace", namespace]]),
    ...inNamespace(namespace, owner, from, [
      ["Helm release", release],
      ["ConfigMap", releaseMarkName(release)],
      ["ConfigMap", `${release}-ca`],
      ["DaemonSet", name],
      ["NetworkPolicy", name],
    ]),
    ...clusterWide(owner, from, [
      ["ClusterRole", `${name}-clusterrole`],
      ["ClusterRoleBinding", `${name}-clusterrolebinding`],
      ["ValidatingAdmissionPolicy", `${name}-tokens`],
      ["ValidatingAdmissionPolicyBinding", `${name}-tokens`],
    ]),
  ];
}

/** The provider of a store other than Vault, whose chart calls release and DaemonSet alike. */
function otherProvider(stack: Named): Claim[] {
  const other = otherStoreOf(stack);
  const { csiProvider: namespace } = stack.namespaces;
  const provider = other?.store.csiProvider;
  if (stack.vault !== undefined || provider === undefined || other?.csiProvider === "there") return [];
  if (namespace === undefined) return [];
  const { title, name } = provider;
  const from = { key: "namespaces.csiProvider", value: namespace, fix: "give each its own" };
  return [
    ...clusterWide(title, from, [["Namespace", namespace]]),
    ...inNamespace(namespace, title, from, [
      ["Helm release", name],
      ["ConfigMap", releaseMarkName(name)],
      ["DaemonSet", name],
    ]),
  ];
}

/** All that an Aidbox may have, whether or not its config asks for it. */
function aidbox(claimant: Claimant): Claim[] {
  const { owner, prefix } = claimant;
  const { namespaces, aidbox } = claimant.aidbox;
  const { name } = aidbox;
  const namespace = namespaces.aidbox;
  if (namespace === undefined) return [];
  const whole = clusterWide(owner, namespaceOrigin(claimant), [["Namespace", namespace]]);
  if (name === undefined) return whole;
  const names = objectNames(name);
  const from = { key: `${prefix}aidbox.name`, value: name, fix: "write another name" };
  return [
    ...whole,
    ...workload(name, namespace, owner, from),
    ...inNamespace(namespace, owner, from, [
      ...aidboxKinds.map((kind): [string, string] => [kind, name]),
      ["Service", `${name}-metrics`],
      ["ConfigMap", names.vaultConfig],
      ["ConfigMap", names.initBundle],
      ["Secret", names.syncedSecret],
    ]),
    ...postgres(claimant, namespace, from),
  ];
}

const aidboxKinds = [
  "Deployment",
  "Service",
  "Ingress",
  "HTTPRoute",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "ServiceMonitor",
  "NetworkPolicy",
];

function postgres({ aidbox, owner: aidboxOwner }: Claimant, namespace: string, from: Origin): Claim[] {
  if (aidbox.database?.mode !== "development") return [];
  const name = postgresName(from.value);
  const owner = `the PostgreSQL of ${aidboxOwner}`;
  return [
    ...workload(name, namespace, owner, from),
    ...inNamespace(namespace, owner, from, [
      ["StatefulSet", name],
      ["Service", name],
      ["PersistentVolumeClaim", name],
      ["NetworkPolicy", name],
    ]),
  ];
}

/** What mounts secrets, and its Republisher. */
function workload(name: string, namespace: string, owner: string, from: Origin): Claim[] {
  const { secretProviderClass, republisher } = objectNames(name);
  const policy = clusterWideName(namespace, republisher);
  return [
    ...inNamespace(namespace, owner, from, [
      ["ServiceAccount", name],
      ["SecretProviderClass", secretProviderClass],
      ...republisherKinds.map((kind): [string, string] => [kind, republisher]),
    ]),
    ...clusterWide(owner, from, [
      ["ValidatingAdmissionPolicy", policy],
      ["ValidatingAdmissionPolicyBinding", policy],
    ]).map((claim) => ({ ...claim, namespace })),
  ];
}

const republisherKinds = ["ServiceAccount", "Deployment", "Role", "RoleBinding", "NetworkPolicy"];

type KindAndName = readonly [kind: string, name: string];

function inNamespace(namespace: string, owner: string, from: Origin, objects: readonly KindAndName[]): Claim[] {
  return objects.map(([kind, name]) => ({ kind, scope: `namespace ${namespace}`, name, namespace, owner, from }));
}

function clusterWide(owner: string, from: Origin, objects: readonly KindAndName[]): Claim[] {
  return objects.map(([kind, name]) => ({ kind, scope: "cluster", name, owner, from }));
}
