import * as pulumi from "@pulumi/pulumi";
import type { Chart } from "cdk8s";
import { asDependency, type DeployedChart } from "../../../../bridge/index";
import { VaultCsiProvider } from "../../../../constructs/platform/index";
import { clientCertificateSecret, csiProviderRelease } from "../../../config/stores/vault/server";
import { platformSiteOf } from "../../site";
import type { VaultStackArgs } from "../../stack-args";
import { addressInCluster } from "./store";

/** Vault's CSI provider, where the stack installs it. */
export function deployCsiProvider(
  { environment, kubernetes, cluster }: VaultStackArgs,
  namespaces: DeployedChart<Chart>,
  guards: pulumi.Resource,
): VaultCsiProvider | undefined {
  if (!environment.vault.csiProvider) return undefined;
  const prepared = namespaces.ids.apply(() => (pulumi.runtime.isDryRun() ? undefined : cluster.prepareCsiProvider()));
  const ca = cluster.certificates?.trusted ?? cluster.vaultCa;
  return new VaultCsiProvider(
    "vault-csi-provider",
    {
      ...csiProviderRelease(environment),
      address: addressInCluster(environment),
      chart: environment.charts.store,
      priorityClass: environment.vault.priorityClass,
      site: platformSiteOf(environment),
      values: environment.vault.values,
      ...(ca === undefined ? {} : { caCerts: ca }),
      clientCertificateSecret: clientCertificateSecret(environment),
      repair: cluster.repairs.csiProvider,
    },
    { provider: kubernetes, dependsOn: [namespaces, guards, asDependency(prepared)] },
  );
}
