import { randomBytes } from "node:crypto";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { ApiObject, type Chart } from "cdk8s";
import { DeployedChart } from "../../bridge/index";
import type { AidboxChart } from "../../constructs/kubernetes/index";
import { CsiDriver } from "../../constructs/platform/index";
import type { Cluster } from "../cluster/cluster";
import { ownerLabel, stateMarkLabel } from "../cluster/ownership";
import { withKeys } from "../config/all-keys";
import { emptyValueText } from "../config/empty-value";
import type { Environment } from "../config/environment";
import { endsWithSecrets } from "../config/license";
import { tokenAudiencesOf } from "../config/stores/of-environment";
import { keepsVolumes } from "../config/stores/vault/server";
import { aidboxChart, chartName, namespacesChart, postgresChart, postgresChartName } from "./charts";
import { keptClaims } from "./kept-claims";
import { monitoringChart } from "./monitoring-chart";
import { type DeployedAidbox, type StackOutputs, stackOutputs } from "./outputs";
import { admitPrivileged } from "./privileged-pods";
import { platformSiteOf } from "./site";
import type { StackArgs } from "./stack-args";
import { deployStore } from "./stores/deploy";
import { whenReady } from "./when-ready";

/** The provider for the one cluster that the environment may touch. */
export function kubernetesProvider(environment: Environment): KubernetesProvider {
  return new KubernetesProvider("kubernetes", {
    context: environment.kubeContext,
    enableConfigMapMutable: true,
    enableSecretMutable: true,
    // What a killed run made and could not write down is taken over by the next; the namespaces' mark keeps others out.
    upsertExistingObjects: true,
  });
}

/** All of an environment: driver and store side by side, then the store's access, then Aidbox. */
export function deployStack(args: StackArgs): StackOutputs {
  const { kubernetes, cluster, owner } = args;
  const environment: Environment = args.environment;
  const { csiDriver } = environment;
  const namespaces = deployNamespaces(environment, owner, kubernetes);
  const driver = csiDriver.install
    ? new CsiDriver(
        "csi-driver",
        {
          chart: environment.charts.csiDriver,
          releaseName: csiDriver.release,
          namespace: csiDriver.namespace,
          tokenAudiences: tokenAudiencesOf(environment),
          syncSecrets: [environment, ...environment.tenants].some(({ table }) => table.synced.length > 0),
          labels: { [ownerLabel]: owner },
          priorityClass: csiDriver.priorityClass,
          logFormat: csiDriver.logFormat,
          site: platformSiteOf(environment),
          values: csiDriver.values,
          repair: cluster.repairs.csiDriver,
        },
        { provider: kubernetes },
      )
    : undefined;
  if (driver !== undefined) {
    const driverPods = { ...driver.daemonSet, serviceAccount: "secrets-store-csi-driver" }; // the chart's, whatever the release
    admitPrivileged("csi-driver", environment, driverPods, { provider: kubernetes, dependsOn: namespaces });
  }
  const store = deployStore(args, namespaces);
  if (environment.monitoring !== undefined) {
    const { certificateEnd } = store;
    new DeployedChart("monitoring", ({ app }) => monitoringChart(app, environment, certificateEnd), {
      provider: kubernetes,
      dependsOn: namespaces,
    });
  }
  const ready = [...whenReady(cluster, driver?.daemonSet, driver?.release.status), ...store.ready];
  const deploy = (each: Environment): DeployedAidbox => {
    const opts = { provider: kubernetes, dependsOn: namespaces };
    // Its rights are for all of the table, so that they do not change when a value comes.
    const mounted = args.mounted?.get(each) ?? withKeys(each, new Map());
    const deployed = deployAidbox(mounted, store.address, opts, driver?.release, [store.admit(each), ...ready]);
    return { environment: mounted, deployed, served: secretsServed(mounted, deployed, cluster) };
  };
  return stackOutputs(store.address, deploy(environment), environment.tenants.map(deploy));
}

/** What resolves once an Aidbox has its secrets: where Pulumi waits for Aidbox itself, with its Deployment. */
function secretsServed(
  environment: Environment,
  deployed: DeployedChart<AidboxChart>,
  cluster: Cluster,
): pulumi.Output<unknown> {
  if (!endsWithSecrets(environment)) return pulumi.output(undefined);
  const reference = { namespace: environment.namespaces.aidbox, name: environment.aidbox.name };
  return deployed.ids.apply(async () => {
    if (pulumi.runtime.isDryRun()) return;
    await cluster.secretsServed(reference, (file) => emptyValueText(environment, file));
  });
}

/** An Aidbox, after what its pods need to mount their secrets. */
function deployAidbox(
  environment: Environment,
  vaultAddress: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
  driver: Release | undefined,
  awaited: readonly pulumi.Output<unknown>[],
): DeployedChart<AidboxChart> {
  const postgres = deployPostgres(environment, vaultAddress, opts, driver, awaited);
  return new DeployedChart(
    chartName(environment),
    ({ app, outputs, waitFor }) => {
      const chart = aidboxChart(app, environment, outputs.string(vaultAddress));
      // The Deployment's readiness says as much as the Services' endpoints, which the provider would watch for ten seconds;
      // and not every ingress controller writes the status that it would watch for ten minutes.
      for (const object of chart.node.findAll().filter((each) => ApiObject.isApiObject(each))) {
        if (["Service", "Ingress"].includes(object.kind)) object.metadata.addAnnotation("pulumi.com/skipAwait", "true");
      }
      if (endsWithSecrets(environment)) {
        // As soon as it is there; unlike with skipAwait a destroy still waits until its pods have gone.
        const deployment = ApiObject.of(chart.aidbox.deployment);
        deployment.metadata.addAnnotation("pulumi.com/waitFor", "jsonpath={.metadata.uid}");
      }
      if (driver !== undefined) waitFor(chart.secretProviderClass, driver);
      waitFor(chart.aidbox, ...awaited, ...postgres);
      return chart;
    },
    opts,
  );
}

/** The PostgreSQL for development, where the environment wants one; what to wait for until it takes its password. */
function deployPostgres(
  environment: Environment,
  vaultAddress: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
  driver: Release | undefined,
  awaited: readonly pulumi.Output<unknown>[],
): pulumi.Resource[] {
  if (environment.database?.mode !== "development") return [];
  const deployed = new DeployedChart(
    postgresChartName(environment),
    ({ app, outputs, waitFor }) => {
      const chart = postgresChart(app, environment, outputs.string(vaultAddress));
      chart.postgres.service.metadata.addAnnotation("pulumi.com/skipAwait", "true");
      if (driver !== undefined) waitFor(chart.postgres.secretProviderClass, driver);
      waitFor(chart.postgres.statefulSet, ...awaited);
      return chart;
    },
    {
      ...opts,
      transformations: [keptClaims],
    },
  );
  return deployed.resourcesOf(deployed.chart.postgres.statefulSet);
}

/**
 * The namespaces, marked as this stack's. Beside the owner they carry a random mark that only this stack's state knows:
 * server-side apply refuses to change it, and so another stack of the same name cannot take them over.
 */
function deployNamespaces(environment: Environment, owner: string, provider: KubernetesProvider): DeployedChart<Chart> {
  const labels = { [ownerLabel]: owner, [stateMarkLabel]: randomBytes(8).toString("hex") };
  return new DeployedChart("namespaces", ({ app }) => namespacesChart(app, environment, labels), {
    provider,
    transformations: [
      ({ props, opts }) => ({
        props,
        opts: pulumi.mergeOptions(opts, {
          ignoreChanges: [`metadata.labels["${stateMarkLabel}"]`],
          // The claims of Vault's volumes would go with it.
          retainOnDelete:
            environment.vault !== undefined &&
            keepsVolumes(environment) &&
            nameIn(props) === environment.namespaces.vault,
        }),
      }),
    ],
  });
}

function nameIn(manifest: pulumi.Inputs): unknown {
  return (manifest.metadata as { readonly name?: unknown } | undefined)?.name;
}
