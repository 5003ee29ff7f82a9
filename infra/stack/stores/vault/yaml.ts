import type { VaultEnvironment } from "../../../config/environment";
import { snapshotsOf } from "../../../config/stores/vault/server";
import type { StoreYaml } from "../store-yaml";
import { guardsChart } from "./guards";
import { watchVault } from "./monitoring";
import { snapshotsChart } from "./snapshots-chart";
import { vaultStore } from "./store";

/** What an environment's YAML has of Vault. */
export const vaultYaml: StoreYaml<VaultEnvironment> = {
  store: vaultStore,
  chart: (app, environment) => {
    guardsChart(app, environment);
    if (snapshotsOf(environment) !== undefined) snapshotsChart(app, environment);
  },
  watch: watchVault,
};
