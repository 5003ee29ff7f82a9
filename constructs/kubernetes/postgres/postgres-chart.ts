import { Chart, type ChartProps } from "cdk8s";
import type { Construct } from "constructs";
import { flag, label, optional, pathBelow, refuseProps, texts } from "../../check-props";
import { objectNames } from "../names";
import { Republisher, type RepublisherProps } from "../republisher";
import { republisherSettings } from "../republisher/republisher";
import { chartPostgres, DevelopmentPostgres, type DevelopmentPostgresProps } from "./development-postgres";

/** What a PostgreSQL of one namespace is made of. */
export interface PostgresChartProps extends Omit<ChartProps, "namespace"> {
  /** Namespace of everything in the chart, that of Aidbox; it must exist. */
  readonly namespace: string;
  /**
   * Name of the StatefulSet, of the Service and of the ServiceAccount.
   * @default "aidbox-postgres"
   */
  readonly name?: string;
  /** The server; its table, its store and who may reach it must be said. */
  readonly postgres: Omit<DevelopmentPostgresProps, "name">;
  /**
   * Has a change in Vault reach the password's file sooner than kubelet does by itself.
   * @default - left to kubelet, which takes 60 to 90 s
   */
  readonly republisher?: Pick<RepublisherProps, "interval" | "image" | "priorityClass" | "logFormat" | "allowTo">;
}

const checks = {
  namespace: label,
  name: optional(label),
  labels: optional(texts),
  disableResourceNameHashes: optional(flag),
  postgres: chartPostgres,
  republisher: optional(republisherSettings),
};

/**
 * All of a PostgreSQL for development that Kubernetes holds and, where asked for, its Republisher.
 *
 * @throws Error that lists all that is wrong with the props
 * @example
 * ```ts
 * import { App, Size } from "cdk8s";
 * import { passwordTable, PostgresChart } from "aidbox-secrets/kubernetes";
 * import { SecretTable } from "aidbox-secrets/secrets";
 * import { VaultStore } from "aidbox-secrets/vault";
 *
 * const app = new App();
 * new PostgresChart(app, "postgres", {
 *   namespace: "aidbox",
 *   postgres: {
 *     table: new SecretTable({
 *       secrets: [{ name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" }],
 *     }),
 *     store: new VaultStore({ address: "https://vault.example.com", role: "aidbox-postgres" }),
 *     from: [{ podLabels: { "app.kubernetes.io/name": "aidbox" } }],
 *     storage: Size.gibibytes(5),
 *   },
 * });
 * app.synth();
 * ```
 */
export class PostgresChart extends Chart {
  /** The server's StatefulSet and Service. */
  public readonly postgres: DevelopmentPostgres;

  public constructor(scope: Construct, id: string, props: PostgresChartProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    super(scope, id, props);
    const name = props.name ?? "aidbox-postgres";
    this.postgres = new DevelopmentPostgres(this, "postgres", { ...props.postgres, name });
    if (props.republisher !== undefined) {
      new Republisher(this, "republisher", {
        ...props.republisher,
        name: objectNames(name).republisher,
        namespace: props.namespace,
        podLabels: this.postgres.labels,
      });
    }
  }
}
