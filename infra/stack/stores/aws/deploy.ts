import * as pulumi from "@pulumi/pulumi";
import type { Chart } from "cdk8s";
import type { DeployedChart } from "../../../../bridge/index";
import { AwsCsiProvider } from "../../../../constructs/platform/index";
import { overrideValues } from "../../../../constructs/platform/values";
import { type AwsEnvironment, awsProvider } from "../../../config/stores/aws/provider";
import { admitPrivileged } from "../../privileged-pods";
import { platformSiteOf } from "../../site";
import type { StackArgs } from "../../stack-args";
import type { DeployedStore } from "../../store-access";
import { whenReady } from "../../when-ready";
import { awsSiteValues } from "./site-values";

/** What a stack is deployed with whose store is AWS: nobody asks AWS itself. */
export interface AwsStackArgs extends StackArgs {
  readonly environment: AwsEnvironment;
}

/** AWS's CSI provider, where the stack installs it. All secrets are external, and only the pods' identity sees them. */
export function deployAws(
  { environment, kubernetes, cluster }: AwsStackArgs,
  namespaces: DeployedChart<Chart>,
): DeployedStore<AwsEnvironment> {
  const { awsSecrets, charts } = environment;
  const release = awsProvider(environment);
  const provider =
    release === undefined
      ? undefined
      : new AwsCsiProvider(
          "aws-csi-provider",
          {
            releaseName: release.releaseName,
            namespace: release.namespace,
            ...(charts.store === undefined ? {} : { chart: charts.store }),
            values: overrideValues(awsSiteValues(platformSiteOf(environment)), awsSecrets.values ?? {}),
            ...(cluster.repairs.csiProvider === undefined ? {} : { repair: cluster.repairs.csiProvider }),
          },
          { provider: kubernetes, dependsOn: namespaces },
        );
  if (provider !== undefined) {
    admitPrivileged("aws-csi-provider", environment, provider.daemonSet, {
      provider: kubernetes,
      dependsOn: namespaces,
    });
  }
  const suffix = awsSecrets.region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return {
    address: pulumi.output(`https://secretsmanager.${awsSecrets.region}.${suffix}`),
    ready: whenReady(cluster, provider?.daemonSet, provider?.release.status),
    admit: () => pulumi.output(undefined),
  };
}
