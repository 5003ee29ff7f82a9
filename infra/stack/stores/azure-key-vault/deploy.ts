import * as pulumi from "@pulumi/pulumi";
import type { Chart } from "cdk8s";
import type { DeployedChart } from "../../../../bridge/index";
import { AzureCsiProvider } from "../../../../constructs/platform/index";
import { StoreError } from "../../../../constructs/secrets";
import { AzureLoginError } from "../../../../constructs/stores/azure-key-vault";
import { vaultUrl } from "../../../../constructs/stores/azure-key-vault/names";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { valuesFor } from "../../../config/managed-values";
import { keyVaultProvider } from "../../../config/stores/azure-key-vault/provider";
import { reportResult } from "../../../program/program-result";
import { admitPrivileged } from "../../privileged-pods";
import { platformSiteOf } from "../../site";
import type { KeyVaultStackArgs } from "../../stack-args";
import type { DeployedStore } from "../../store-access";
import { whenReady } from "../../when-ready";
import { MissingSecretsError, SecretsOfKeyVault } from "./secrets";

/** Azure's CSI provider, where the stack installs it, and the table's secrets in the key vault. */
export function deployKeyVault(
  { environment, kubernetes, cluster, managedValues, keyVault }: KeyVaultStackArgs,
  namespaces: DeployedChart<Chart>,
): DeployedStore<KeyVaultEnvironment> {
  const { azureKeyVault, charts } = environment;
  const release = keyVaultProvider(environment);
  const provider =
    release === undefined
      ? undefined
      : new AzureCsiProvider(
          "azure-csi-provider",
          {
            releaseName: release.releaseName,
            namespace: release.namespace,
            site: platformSiteOf(environment),
            ...(charts.store === undefined ? {} : { chart: charts.store }),
            ...(azureKeyVault.values === undefined ? {} : { values: azureKeyVault.values }),
            ...(cluster.repairs.csiProvider === undefined ? {} : { repair: cluster.repairs.csiProvider }),
          },
          { provider: kubernetes, dependsOn: namespaces },
        );
  if (provider !== undefined) {
    admitPrivileged("azure-csi-provider", environment, provider.daemonSet, {
      provider: kubernetes,
      dependsOn: namespaces,
    });
  }
  return {
    address: pulumi.output(vaultUrl(azureKeyVault.name, azureKeyVault.cloud)),
    ready: whenReady(cluster, provider?.daemonSet, provider?.release.status),
    admit: (each) =>
      pulumi.unsecret(
        managedValues.apply(async (values) => {
          if (pulumi.runtime.isDryRun()) return;
          try {
            await new SecretsOfKeyVault(each, keyVault()).provide(valuesFor(each, values));
          } catch (error) {
            if (error instanceof MissingSecretsError) reportResult({ reason: "secrets-missing" });
            // These are about the key vault, not about the program: no stack trace.
            const isToldOf = [MissingSecretsError, StoreError, AzureLoginError].some((each) => error instanceof each);
            throw isToldOf ? new pulumi.RunError((error as Error).message) : error;
          }
        }),
      ),
  };
}
