import { type App, Chart } from "cdk8s";
import { k8s } from "cdk8s-plus-28";
import { TokenRefusal, VaultGuards } from "../../../../constructs/stores/vault/index";
import { csiProviderName, vaultSnapshotsLabels } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../../config/environment";
import { csiProviderRelease, hasMetrics, snapshotsOf } from "../../../config/stores/vault/server";

/** What closes the ways to Vault and its CSI provider, and ends the provider's right to make tokens. */
export function guardsChart(app: App, environment: VaultEnvironment): Chart {
  const { vault, namespaces } = environment;
  const chart = new Chart(app, "guards");
  const servers = { releaseName: vault.release, namespace: namespaces.vault };
  const provider = vault.csiProvider ? csiProviderRelease(environment) : undefined;
  const snapshotPods =
    snapshotsOf(environment) === undefined ? [] : [{ podLabels: vaultSnapshotsLabels(vault.release) }];
  new VaultGuards(chart, "vault", {
    ...(vault.mode === "external" ? {} : { servers, allowFrom: [...snapshotPods, ...vault.allowFrom] }),
    metricsFrom: hasMetrics(environment) ? environment.monitoring!.from : [],
    provider,
    allowTo: vault.allowTo,
  });
  if (provider !== undefined) {
    const name = csiProviderName(provider.releaseName);
    if (!vault.csiProviderMakesTokens) {
      new TokenRefusal(chart, "csi-provider-tokens", {
        name: `${name}-tokens`,
        serviceAccount: { name, namespace: provider.namespace },
      });
    }
    // OpenShift lets a pod be privileged by this role of its own alone.
    if (environment.assignsUsers) {
      new k8s.KubeRoleBinding(chart, "csi-provider-privileged", {
        metadata: { name: `${name}-privileged`, namespace: provider.namespace },
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "ClusterRole",
          name: "system:openshift:scc:privileged",
        },
        subjects: [{ kind: "ServiceAccount", name, namespace: provider.namespace }],
      });
    }
  }
  return chart;
}
