import type { InitResources } from "../../constructs/kubernetes/init-resources";
import type { HelmChart } from "../../constructs/platform";
import type { SecretTable } from "../../constructs/secrets";
import type { EnvironmentConfig } from "./schema";

/** One environment, checked: what `Pulumi.<env>.yaml` says, as typed values. */
export interface Environment extends Omit<EnvironmentConfig, "secrets" | "mountPath" | "rotationBound" | "tenants"> {
  /** Name of the stack, as `dev`. */
  readonly name: string;
  readonly table: SecretTable;
  readonly rotationBoundSeconds: number;
  readonly tokenTtlSeconds: number;
  /** Name of the tenant whose Aidbox this is; none for the first Aidbox. */
  readonly tenant?: string;
  /** What Aidbox makes at each start, with its references to the table's secrets; none where nothing is asked for. */
  readonly initBundle?: InitResources;
  /** The further Aidboxes, each as an environment of its own on the same cluster and Vault. */
  readonly tenants: readonly Environment[];
  /** Charts from `CHARTS_DIR` or config; where undefined, the components' own. */
  readonly charts: {
    readonly csiDriver: HelmChart | undefined;
    readonly vault: HelmChart | undefined;
  };
}
