import { randomBytes } from "node:crypto";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { ApiObject, type Chart } from "cdk8s";
import { DeployedChart } from "../../constructs/bridge/index";
import type { AidboxChart } from "../../constructs/kubernetes/index";
import { CsiDriver, type DaemonSetReference, Vault, type VaultAccess } from "../../constructs/platform/index";
import { accessVault, inVaultOptions } from "./stores/vault/access";
import {
  addressInCluster,
  aidboxChart,
  chartName,
  guardsChart,
  namespacesChart,
  postgresChart,
  postgresChartName,
} from "./charts";
import type { Cluster } from "../cluster/cluster";
import { ownerLabel, stateMarkLabel } from "../cluster/ownership";
import type { Environment } from "../config/environment";
import { isStored, vaultServer } from "../config/stores/vault/server";
import { deployCsiProvider } from "./stores/vault/csi-provider";
import { type StackOutputs, stackOutputs } from "./outputs";
import { declareKept } from "../state/declare-kept";
import type { StackArgs } from "./stack-args";
import { deploySealToken, deployTls } from "./stores/vault/prerequisites";

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

/** All of an environment: driver and Vault side by side, then Vault's access, then Aidbox. */
export function deployStack(args: StackArgs): StackOutputs {
  const { environment, kubernetes, cluster, owner } = args;
  const { vault: vaultConfig, csiDriver } = environment;
  const namespaces = deployNamespaces(environment, owner, kubernetes);
  const driver = csiDriver.install
    ? new CsiDriver(
        "csi-driver",
        {
          chart: environment.charts.csiDriver,
          releaseName: csiDriver.release,
          namespace: csiDriver.namespace,
          tokenAudiences: [vaultConfig.audience],
          syncSecrets: [environment, ...environment.tenants].some(({ table }) => table.synced.length > 0),
          labels: { [ownerLabel]: owner },
          values: csiDriver.values,
          repair: cluster.repairs.csiDriver,
        },
        { provider: kubernetes },
      )
    : undefined;
  const guards = new DeployedChart("guards", ({ app }) => guardsChart(app, environment), {
    provider: kubernetes,
    dependsOn: namespaces,
  });
  const tls = deployTls(args, namespaces);
  const sealToken = deploySealToken(args, namespaces);
  const provider = deployCsiProvider(args, namespaces, guards);
  const server = vaultServer(environment);
  const vault =
    server === undefined
      ? undefined
      : new Vault(
          "vault",
          {
            server,
            image: vaultConfig.mode === "external" ? undefined : vaultConfig.image,
            chart: environment.charts.vault,
            releaseName: vaultConfig.release,
            namespace: environment.namespaces.vault,
            values: vaultConfig.values,
            repair: cluster.repairs.vault,
            // What it holds would go with it.
            protectsServers: isStored(vaultConfig) && !environment.development,
          },
          {
            provider: kubernetes,
            dependsOn: [
              namespaces,
              guards,
              ...[tls, sealToken].filter((each) => each !== undefined),
              // The one beside the servers goes where the other is there to take its place.
              ...(cluster.movesCsiProvider && provider !== undefined ? [provider] : []),
            ],
          },
        );
  const vaultAddress = pulumi.output(addressInCluster(environment));

  // Nothing is asked before the first deployment, when a preview knows no id and no status.
  const installed: pulumi.Output<unknown> = vault?.release.status ?? namespaces.ids;
  const reachable = installed.apply(() => cluster.reachVault());
  const first = accessVault(args, environment, vault, reachable);
  declareKept(args.unprotected ?? [], { provider: first.provider, ...inVaultOptions(environment, vault, reachable) });
  const ready = [
    ...whenReady(cluster, driver?.daemonSet, driver?.release.status),
    // A provider beside an external Vault ends with the run, so that the new one's pods come after it.
    ...(vault === undefined && cluster.movesCsiProvider
      ? []
      : whenReady(cluster, provider?.daemonSet, pulumi.all([provider?.release.status, vault?.release.status]))),
  ];
  const deploy = (each: Environment, access: VaultAccess): DeployedChart<AidboxChart> =>
    deployAidbox(each, vaultAddress, { provider: kubernetes, dependsOn: namespaces }, driver?.release, [
      access.ready,
      ...ready,
    ]);
  const deployed = deploy(environment, first.access);
  const tenants = environment.tenants.map((tenant) => ({
    tenant,
    deployed: deploy(tenant, accessVault(args, tenant, vault, reachable, first).access),
  }));
  return stackOutputs(environment, vaultAddress, deployed, tenants);
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
      transformations: [
        ({ type, props, opts: own }) =>
          type === "kubernetes:core/v1:PersistentVolumeClaim"
            ? // It goes with its namespace alone, and so with the stack.
              { props, opts: pulumi.mergeOptions(own, { retainOnDelete: true }) }
            : undefined,
      ],
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
          retainOnDelete: keepsVolumes(environment) && nameIn(props) === environment.namespaces.vault,
        }),
      }),
    ],
  });
}

function nameIn(manifest: pulumi.Inputs): unknown {
  return (manifest.metadata as { readonly name?: unknown } | undefined)?.name;
}

/** Whether the volumes of the stack's own Vault outlive the stack. */
function keepsVolumes({ development, vault }: Environment): boolean {
  return !development && isStored(vault) && vault.storage.retain;
}

/** What resolves once a DaemonSet is ready on every node, where there is one, after it was installed. */
function whenReady(
  cluster: Cluster,
  daemonSet: DaemonSetReference | undefined,
  installed: pulumi.Output<unknown> | undefined,
): pulumi.Output<unknown>[] {
  if (daemonSet === undefined || installed === undefined) return [];
  return [installed.apply(() => (pulumi.runtime.isDryRun() ? undefined : cluster.daemonSetReady(daemonSet)))];
}
