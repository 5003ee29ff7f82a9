import { secretsStoreDriver } from "../../constructs/kubernetes/names";
import { type FoundRelease, helmReleases } from "../cluster/helm-releases";
import type { KubeApi } from "../cluster/kube-api";
import { ownerLabel } from "../cluster/ownership";
import { storeConfigs } from "../config/stores";

/** What somebody has installed by hand: the driver, Vault, and who mounts secrets by them. */
export interface Installation {
  /** Helm release of the CSI driver. @default - there is none */
  readonly driver?: FoundRelease | undefined;
  /** Whether the cluster has the driver, by Helm or otherwise. */
  readonly hasDriver: boolean;
  /** The stack that the driver belongs to. @default - none's */
  readonly driverOwner?: string | undefined;
  /** Helm releases of HashiCorp's chart. */
  readonly vaults: readonly FoundRelease[];
  /** Helm releases of other stores' CSI providers, by the charts that this stack installs. */
  readonly providers: readonly FoundRelease[];
  /** Deployments that mount secrets by the driver. */
  readonly mounting: readonly MountingDeployment[];
}

/** A Deployment whose pods mount secrets by the driver. */
export interface MountingDeployment {
  readonly namespace: string;
  readonly name: string;
  /** Role in Vault with which its SecretProviderClass logs in. @default - the store is another */
  readonly role?: string | undefined;
}

const providerCharts = storeConfigs.flatMap(({ key, chart }) => (key === "vault" ? [] : [chart]));

/** Looks for what a guide has one install by hand. Reads only. */
export async function findInstallation(api: KubeApi): Promise<Installation> {
  const storage = api.config.makeApiClient(api.client.StorageV1Api);
  const [releases, csiDriver, mounting] = await Promise.all([
    helmReleases(api),
    api.find(storage.readCSIDriver({ name: secretsStoreDriver })),
    mountingDeployments(api),
  ]);
  return {
    driver: releases.find(({ chart }) => chart === "secrets-store-csi-driver"),
    hasDriver: csiDriver !== undefined,
    driverOwner: csiDriver?.metadata?.labels?.[ownerLabel],
    providers: releases.filter(({ chart }) => providerCharts.includes(chart)),
    vaults: releases.filter(({ chart }) => chart === "vault"),
    mounting,
  };
}

interface SecretProviderClass {
  readonly spec?: { readonly provider?: string; readonly parameters?: Readonly<Record<string, string>> };
}

async function mountingDeployments(api: KubeApi): Promise<MountingDeployment[]> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const objects = api.config.makeApiClient(api.client.KubernetesObjectApi);
  const { items } = await apps.listDeploymentForAllNamespaces({});
  const found = items.flatMap(({ metadata, spec }) =>
    (spec?.template.spec?.volumes ?? []).flatMap(({ csi }) => {
      const className = csi?.volumeAttributes?.secretProviderClass;
      if (csi?.driver !== secretsStoreDriver || className === undefined) return [];
      return [{ namespace: metadata!.namespace!, name: metadata!.name!, className }];
    }),
  );
  return Promise.all(
    found.map(async ({ namespace, name, className }) => {
      const apiVersion = "secrets-store.csi.x-k8s.io/v1";
      const reference = { apiVersion, kind: "SecretProviderClass", metadata: { namespace, name: className } };
      const { spec } = ((await api.find(objects.read(reference))) ?? {}) as SecretProviderClass;
      return { namespace, name, role: spec?.provider === "vault" ? spec.parameters?.roleName : undefined };
    }),
  );
}
