import type { InitResources } from "../../constructs/kubernetes/init-resources";
import type { HelmChart } from "../../constructs/platform";
import type { SecretTable } from "../../constructs/secrets";
import type { EnvironmentConfig } from "./schema";
import type { StoreKey } from "./stores/schemas";

/** What an environment is, whichever its store. */
interface EnvironmentBase extends Omit<
  EnvironmentConfig,
  "secrets" | "mountPath" | "rotationBound" | "tenants" | "namespaces" | StoreKey
> {
  /** Name of the stack, as `dev`. */
  readonly name: string;
  readonly table: SecretTable;
  readonly rotationBoundSeconds: number;
  readonly namespaces: Required<EnvironmentConfig["namespaces"]>;
  /** Name of the tenant whose Aidbox this is; none for the first Aidbox. */
  readonly tenant?: string;
  /** What Aidbox makes at each start, with its references to the table's secrets; none where nothing is asked for. */
  readonly initBundle?: InitResources;
  /** Charts from `CHARTS_DIR` or config; where undefined, the components' own. */
  readonly charts: {
    readonly csiDriver: HelmChart | undefined;
    /** The store's. */
    readonly store: HelmChart | undefined;
  };
}

/** The block of one store, and of no other. */
type BlockOf<Key extends StoreKey> = { readonly [Own in Key]: NonNullable<EnvironmentConfig[Own]> } & {
  readonly [Other in Exclude<StoreKey, Key>]?: undefined;
};

/** One whose store has some key. */
export type EnvironmentOf<Key extends StoreKey> = EnvironmentBase &
  BlockOf<Key> & {
    /** The further Aidboxes, each as an environment of its own on the same cluster and store. */
    readonly tenants: readonly EnvironmentOf<Key>[];
  };

export type VaultEnvironment = EnvironmentOf<"vault">;
export type KeyVaultEnvironment = EnvironmentOf<"azureKeyVault">;

/** One environment, checked: what `Pulumi.<env>.yaml` says, as typed values. Its keys are those of docs/config.md. */
export type Environment = { readonly [Key in StoreKey]: EnvironmentOf<Key> }[StoreKey];
