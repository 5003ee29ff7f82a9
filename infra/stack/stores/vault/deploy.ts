import * as pulumi from "@pulumi/pulumi";
import type { Chart } from "cdk8s";
import { DeployedChart } from "../../../../bridge/index";
import { Vault } from "../../../../constructs/platform/index";
import { certificateEnd } from "../../../../constructs/secrets/keypair-values";
import type { VaultEnvironment } from "../../../config/environment";
import { isStored, vaultServer } from "../../../config/stores/vault/server";
import { declareKept } from "../../../state/declare-kept";
import { platformSiteOf } from "../../site";
import type { VaultStackArgs } from "../../stack-args";
import type { DeployedStore } from "../../store-access";
import { whenReady } from "../../when-ready";
import { accessVault, inVaultOptions } from "./access";
import { deployCsiProvider } from "./csi-provider";
import { guardsChart } from "./guards";
import { deploySealToken, deployTls } from "./prerequisites";
import { deployServersRelease } from "./servers-release";
import { deploySnapshots } from "./snapshots";
import { addressInCluster } from "./store";

/** Vault and its CSI provider, where the stack installs them, and each Aidbox's access. */
export function deployVault(args: VaultStackArgs, namespaces: DeployedChart<Chart>): DeployedStore<VaultEnvironment> {
  const { environment, kubernetes, cluster } = args;
  const { vault: config } = environment;
  const guards = new DeployedChart("guards", ({ app }) => guardsChart(app, environment), {
    provider: kubernetes,
    dependsOn: namespaces,
  });
  const tls = deployTls(args, namespaces);
  const sealToken = deploySealToken(args, namespaces);
  const provider = deployCsiProvider(args, namespaces, guards);
  const server = vaultServer(environment, cluster.hasAuditVolume);
  const vault =
    server === undefined
      ? undefined
      : new Vault(
          "vault",
          {
            server,
            image: config.mode === "external" ? undefined : config.image,
            chart: environment.charts.store,
            releaseName: config.release,
            namespace: environment.namespaces.vault,
            ...(isStored(config) ? { priorityClass: config.priorityClass, logFormat: config.logFormat } : {}),
            site: platformSiteOf(environment),
            values: config.values,
            repair: cluster.repairs.vault,
            devRootToken: cluster.devRootToken,
            // What it holds would go with it.
            protectsServers: isStored(config) && !environment.development,
          },
          {
            provider: kubernetes,
            dependsOn: afterWayIsMade(args, namespaces, [
              namespaces,
              guards,
              ...[tls, sealToken].filter((each) => each !== undefined),
              // The one beside the servers goes where the other is there to take its place.
              ...(cluster.movesCsiProvider && provider !== undefined ? [provider] : []),
            ]),
          },
        );

  const servers = deployServersRelease(args, provider);

  // Nothing is asked before the first deployment, when a preview knows no id and no status.
  const installed: pulumi.Output<unknown> = vault?.release.status ?? namespaces.ids;
  const reachable = installed.apply(() => cluster.reachVault());
  const first = accessVault(args, environment, vault, reachable);
  deploySnapshots(args, namespaces, vault, reachable, first);
  declareKept(args.unprotected ?? [], { provider: first.provider, ...inVaultOptions(environment, vault, reachable) });
  return {
    address: pulumi.output(addressInCluster(environment)),
    certificateEnd: certificateEnd(cluster.certificates?.server.cert ?? ""),
    // A provider beside an external Vault ends with the run, so that the new one's pods come after it.
    ready:
      vault === undefined && cluster.movesCsiProvider
        ? []
        : whenReady(
            cluster,
            provider?.daemonSet,
            pulumi.all([provider?.release.status, (vault?.release ?? servers)?.status]),
          ),
    admit: (each) => (each === environment ? first : accessVault(args, each, vault, reachable, first)).access.ready,
  };
}

/** What the servers' release waits for. As late as can be: no StatefulSet makes a pod again while it is away. */
function afterWayIsMade(
  { makeWayForVolumes: makeWay }: VaultStackArgs,
  namespaces: DeployedChart<Chart>,
  resources: pulumi.Resource[],
): pulumi.Input<pulumi.Resource[]> {
  if (makeWay === undefined || pulumi.runtime.isDryRun()) return resources;
  return namespaces.ids.apply(async () => {
    await makeWay();
    return resources;
  });
}
