import { randomBytes } from "node:crypto";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import * as pulumi from "@pulumi/pulumi";
import { ApiObject, type Chart } from "cdk8s";
import { type AidboxChart, passwordTable } from "../constructs/kubernetes";
import { DeployedChart } from "../constructs/bridge";
import {
  type CertificateSource,
  CsiDriver,
  type DaemonSetReference,
  Vault,
  vaultServerNames,
  VaultTls,
} from "../constructs/platform";
import { type ManagedValues, VaultAccess, VaultClient, type VaultConnection } from "../constructs/vault";
import { aidboxChart, chartName, namespacesChart, postgresChart, postgresChartName } from "./charts";
import { type Cluster, type ReachableVault } from "./cluster/cluster";
import { ownerLabel, stateMarkLabel } from "./cluster/ownership";
import type { Environment } from "./config/environment";
import { podLogin } from "./config/login";
import { isStored, ownsKvMount, sealTokenSecretName, vaultServer } from "./config/vault-server";
import { writeCaFile } from "./certificates/ca-file";
import { postgresName, postgresRole } from "./database";
import { type StackOutputs, stackOutputs } from "./outputs";
import { reportResult } from "./program-result";

export interface StackArgs {
  readonly environment: Environment;
  /** As `kubernetesProvider` makes it. */
  readonly kubernetes: KubernetesProvider;
  readonly cluster: Cluster;
  /** Value of the owner label of what the stack makes. */
  readonly owner: string;
  /** Values of managed secrets, by name; secret. */
  readonly managedValues: pulumi.Output<ManagedValues>;
  /** Token for a Vault that is there already; secret. */
  readonly externalVaultToken: pulumi.Output<string>;
  /** Token for the Vault that holds the key of the seal; secret. */
  readonly sealToken: pulumi.Output<string>;
  /** How an operator runs Vault's command line against this Vault. */
  readonly vaultCommand: string;
}

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
  const tls = deployTls(args, namespaces);
  const sealToken = deploySealToken(args, namespaces);
  const vault = new Vault(
    "vault",
    {
      server: vaultServer(environment),
      caConfigMapName: tls?.caConfigMapName,
      chart: environment.charts.vault,
      releaseName: vaultConfig.release,
      namespace: environment.namespaces.vault,
      csiProvider: vaultConfig.csiProvider,
      values: vaultConfig.values,
      repair: cluster.repairs.vault,
    },
    {
      provider: kubernetes,
      dependsOn: [namespaces, tls, sealToken].filter((each) => each !== undefined),
      // What it holds would go with it.
      protect: isStored(vaultConfig) && !environment.development,
    },
  );

  const reachable = vault.release.status.apply(() => cluster.reachVault());
  const first = accessVault(args, environment, vault, reachable);
  const ready = [
    ...whenReady(cluster, driver?.release, driver?.daemonSet),
    ...whenReady(cluster, vault.release, vault.csiProviderDaemonSet),
  ];
  const deploy = (each: Environment, access: VaultAccess): DeployedChart<AidboxChart> =>
    deployAidbox(each, vault.address, { provider: kubernetes, dependsOn: namespaces }, driver?.release, [
      access.ready,
      ...ready,
    ]);
  const deployed = deploy(environment, first.access);
  const tenants = environment.tenants.map((tenant) => ({
    tenant,
    deployed: deploy(tenant, accessVault(args, tenant, vault, reachable, first).access),
  }));
  return stackOutputs(environment, vault.address, deployed, tenants);
}

/** The token with which Vault reaches another one that holds the key of its seal. */
function deploySealToken(
  { environment, kubernetes, sealToken }: StackArgs,
  namespaces: pulumi.Resource,
): Secret | undefined {
  const { vault } = environment;
  if (!isStored(vault) || vault.seal?.type !== "transit") return undefined;
  const token = sealToken.apply((known) => Buffer.from(known).toString("base64"));
  return new Secret(
    "vault-seal-token",
    {
      metadata: { name: sealTokenSecretName(vault.release), namespace: environment.namespaces.vault },
      data: { token },
    },
    { provider: kubernetes, dependsOn: namespaces },
  );
}

/** Vault's certificate and CA, where the stack has to see to them. */
function deployTls({ environment, cluster, kubernetes }: StackArgs, namespaces: pulumi.Resource): VaultTls | undefined {
  const { vault } = environment;
  const { vault: namespace } = environment.namespaces;
  const { certificates, vaultCa } = cluster;
  const certManager = isStored(vault) ? vault.certManager : undefined;
  const source = ((): CertificateSource | undefined => {
    if (certificates !== undefined) {
      const { ca, server } = certificates;
      return { caCert: ca.cert, caKey: ca.key, cert: server.cert, key: server.key };
    }
    if (certManager !== undefined) {
      return { certManager: { name: certManager.issuer, kind: certManager.kind }, caCert: vaultCa };
    }
    return vaultCa === undefined ? undefined : { caCert: vaultCa };
  })();
  if (source === undefined) return undefined;
  return new VaultTls(
    "vault-tls",
    { releaseName: vault.release, namespace, source, names: vaultServerNames(vault.release, namespace) },
    { provider: kubernetes, dependsOn: namespaces },
  );
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
    opts,
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
        opts: pulumi.mergeOptions(opts, { ignoreChanges: [`metadata.labels["${stateMarkLabel}"]`] }),
      }),
    ],
  });
}

/** What resolves once a release's DaemonSet is ready on every node, where there is one. */
function whenReady(
  cluster: Cluster,
  release: Release | undefined,
  daemonSet: DaemonSetReference | undefined,
): pulumi.Output<unknown>[] {
  if (release === undefined || daemonSet === undefined) return [];
  return [release.status.apply(() => (pulumi.runtime.isDryRun() ? undefined : cluster.daemonSetReady(daemonSet)))];
}

/** What a first Aidbox has in Vault, on which those of tenants build. */
interface FirstAccess {
  readonly provider: VaultProvider;
  readonly access: VaultAccess;
}

/** @param first the first Aidbox's, for a tenant; it has made the provider and the auth mount */
function accessVault(
  { managedValues, externalVaultToken, vaultCommand, cluster, owner }: StackArgs,
  environment: Environment,
  vault: Vault,
  reachable: pulumi.Output<ReachableVault>,
  first?: FirstAccess,
): FirstAccess {
  const { vault: config, table, tenant } = environment;
  const token = pulumi.secret(vault.devRootToken ?? externalVaultToken);
  const vaultNamespace = config.mode === "external" ? config.vaultNamespace : undefined;
  const connection = pulumi.all([reachable.address, token]).apply(async ([address, knownToken]) => {
    const known: VaultConnection = {
      address,
      token: knownToken,
      vaultNamespace,
      ...(cluster.vaultCa === undefined ? {} : { caCert: cluster.vaultCa }),
    };
    if (config.mode !== "dev" && first === undefined && !pulumi.runtime.isDryRun()) await keepAlive(known);
    return known;
  });
  const provider =
    first?.provider ??
    new VaultProvider("vault", {
      address: reachable.address,
      token,
      namespace: vaultNamespace,
      ...(cluster.vaultCa === undefined ? {} : { caCertFile: writeCaFile(owner, cluster.vaultCa) }),
      // A child token would be one more thing to revoke, and needs a right that the stack needs for nothing else.
      skipChildToken: true,
    });
  const who = {
    namespace: environment.namespaces.aidbox,
    audience: config.audience,
    ttlSeconds: environment.tokenTtlSeconds,
  };
  const access = new VaultAccess(
    tenant === undefined ? "vault-access" : `vault-access-${tenant}`,
    {
      table,
      login: podLogin(environment),
      role: { ...who, name: config.role, serviceAccount: environment.aidbox.name },
      readers:
        environment.database?.mode === "development"
          ? [
              {
                role: {
                  ...who,
                  name: postgresRole(environment),
                  serviceAccount: postgresName(environment.aidbox.name),
                },
                table: passwordTable(table),
              },
            ]
          : [],
      authMount: first?.access.authMount,
      ownsKvMount: first === undefined && ownsKvMount(environment),
      managedValues,
      connection,
      vaultCommand,
      onMissingSecrets: () => {
        reportResult({ reason: "secrets-missing" });
      },
      resourceOptions:
        config.mode === "external"
          ? {}
          : {
              // Vault goes with the stack, and its content with it, or stays in its volumes.
              deletedWith: vault.release,
              // A dev-mode Vault that restarted has another id, and nothing of what the state says.
              ...(config.mode === "dev" ? { replacementTrigger: reachable.clusterId } : {}),
            },
    },
    { provider, dependsOn: first?.access ?? [] },
  );
  return { provider, access };
}

/** Renews the stack's token, where it is one that can be: each `up` gives it another period. */
async function keepAlive(connection: VaultConnection): Promise<void> {
  await new VaultClient(connection).renewSelf().catch(() => undefined);
}
