import { type App, Chart } from "cdk8s";
import { fitToSite } from "../../../../constructs/kubernetes/index";
import { VaultSnapshots } from "../../../../constructs/stores/vault/index";
import { vaultTlsNames } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../../config/environment";
import { loginMount } from "../../../config/stores/vault/login";
import { isStored, snapshotsOf } from "../../../config/stores/vault/server";
import { snapshotsRole } from "../../../config/names";
import { platformSiteOf } from "../../site";
import { addressInCluster } from "./store";

/** @throws Error where the environment takes no snapshots */
export function snapshotsChart(
  app: App,
  environment: VaultEnvironment,
): { readonly chart: Chart; readonly snapshots: VaultSnapshots } {
  const { vault, namespaces } = environment;
  const config = snapshotsOf(environment);
  if (config === undefined) throw new Error(`The environment "${environment.name}" takes no snapshots`);
  const chart = new Chart(app, "vault-snapshots");
  const snapshots = new VaultSnapshots(chart, "vault", {
    servers: { releaseName: vault.release, namespace: namespaces.vault },
    address: addressInCluster(environment),
    caConfigMapName: vaultTlsNames(vault.release).ca,
    login: { authMount: loginMount(environment), role: snapshotsRole(environment), audience: vault.audience },
    schedule: config.schedule,
    keep: config.keep,
    storage: config.storage,
    ...(isStored(vault) && vault.image !== undefined ? { image: vault.image } : {}),
    allowTo: config.allowTo,
  });
  fitToSite(chart, platformSiteOf(environment));
  return { chart, snapshots };
}
