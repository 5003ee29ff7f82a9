import type { VaultEnvironment } from "../../../config/environment";
import type { StoreYaml } from "../store-yaml";
import { guardsChart } from "./guards";
import { vaultStore } from "./store";

/** What an environment's YAML has of Vault. */
export const vaultYaml: StoreYaml<VaultEnvironment> = {
  store: vaultStore,
  chart: guardsChart,
};
