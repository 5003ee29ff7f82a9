import { isIP } from "node:net";
import { type App, Chart } from "cdk8s";
import { fitToSite, type NetworkTarget } from "../../../../constructs/kubernetes/index";
import { VaultSnapshots } from "../../../../constructs/stores/vault/index";
import { vaultTlsNames } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../../config/environment";
import { snapshotsRole } from "../../../config/names";
import { WrittenSize } from "../../../config/quantity";
import { loginMount } from "../../../config/stores/vault/login";
import { isStored, snapshotCopiesOf, snapshotsOf } from "../../../config/stores/vault/server";
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
  const copies = snapshotCopiesOf(environment);
  const chart = new Chart(app, "vault-snapshots");
  const snapshots = new VaultSnapshots(chart, "vault", {
    servers: { releaseName: vault.release, namespace: namespaces.vault },
    address: addressInCluster(environment),
    caConfigMapName: vaultTlsNames(vault.release).ca,
    login: { authMount: loginMount(environment), role: snapshotsRole(environment), audience: vault.audience },
    schedule: config.schedule,
    keep: config.keep,
    storage: { ...config.storage, size: new WrittenSize(config.storage.size) },
    ...(isStored(vault) && vault.image !== undefined ? { image: vault.image } : {}),
    ...(isStored(vault) && vault.logFormat === "json" ? { logFormat: vault.logFormat } : {}),
    ...(copies === undefined ? {} : { copies }),
    allowTo: config.allowTo,
    drillTo: drillTargets(environment),
  });
  fitToSite(chart, platformSiteOf(environment));
  return { chart, snapshots };
}

/** The Vault with the key of a transit seal. Where a name leads to it, its port: the live Vault's own policy keeps a drill out. */
function drillTargets({ vault }: VaultEnvironment): readonly NetworkTarget[] {
  if (!isStored(vault) || vault.seal?.type !== "transit") return [];
  const { hostname, port, protocol } = new URL(vault.seal.address);
  const host = hostname.replace(/^\[|\]$/g, "");
  const bits = { 4: 32, 6: 128 }[isIP(host)];
  const cidrs = bits === undefined ? ["0.0.0.0/0", "::/0"] : [`${host}/${bits}`];
  const ports = [port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)];
  return cidrs.map((cidr) => ({ peer: { cidr }, ports }));
}
