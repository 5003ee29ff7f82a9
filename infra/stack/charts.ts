import { type App, Chart, Duration, Size } from "cdk8s";
import { ConfigMap } from "cdk8s-plus-28";
import {
  AidboxChart,
  type AidboxChartProps,
  fitToSite,
  PodSecurityNamespace,
  PostgresChart,
} from "../../constructs/kubernetes/index";
import { aidboxLabels } from "../../constructs/kubernetes/labels";
import { databaseConnection, postgresName } from "../config/database";
import type { Environment } from "../config/environment";
import { namespaceMarkName } from "../config/names";
import { namespacesOf } from "../config/namespaces";
import { mebibytes } from "../config/quantity";
import { rollScheduleOf } from "../config/roll-schedule";
import { publicationSeconds, republishes } from "../config/rotation-bound";
import { aidboxProps } from "./aidbox-props";
import { siteOf } from "./site";
import { storeOf } from "./stores";

/**
 * The namespaces that the stack makes, and a mark in each that it is given.
 *
 * @param labels whose the namespaces are; without them nothing is marked
 */
export function namespacesChart(app: App, environment: Environment, labels?: Readonly<Record<string, string>>): Chart {
  const chart = new Chart(app, "namespaces");
  for (const { id, name, level, create, labels: own } of namespacesOf(environment)) {
    if (create) {
      new PodSecurityNamespace(chart, id, { name, level, labels: { ...own, ...labels } });
    } else if (labels !== undefined) {
      new ConfigMap(chart, id, { metadata: { name: namespaceMarkName, namespace: name, labels } });
    }
  }
  return chart;
}

/** Name of the chart of an Aidbox, and of its resources. */
export function chartName({ tenant }: Environment): string {
  return tenant === undefined ? "aidbox" : `aidbox-${tenant}`;
}

/** Name of the chart of a PostgreSQL for development, and of its resources. */
export function postgresChartName({ tenant }: Environment): string {
  return tenant === undefined ? "postgres" : `postgres-${tenant}`;
}

/**
 * Aidbox as the environment wants it.
 *
 * @param vaultAddress URL of Vault as seen from the cluster's pods, where that is its store
 */
export function aidboxChart(app: App, environment: Environment, vaultAddress?: string): AidboxChart {
  const { aidbox, table, namespaces } = environment;
  const chart = new AidboxChart(app, chartName(environment), {
    namespace: namespaces.aidbox,
    name: aidbox.name,
    table,
    store: storeOf(environment, "aidbox", vaultAddress),
    republisher: republisherOf(environment),
    rollSchedule: rollScheduleOf(environment.rolls),
    serviceAccount: { annotations: aidbox.serviceAccountAnnotations, labels: aidbox.serviceAccountLabels },
    syncedSecret: aidbox.syncedSecret,
    initBundle: environment.initBundle,
    aidbox: { ...aidboxProps(aidbox), database: databaseConnection(environment) },
  });
  fitToSite(chart, siteOf(environment));
  return chart;
}

/**
 * The PostgreSQL for development that the environment wants.
 *
 * @param vaultAddress URL of Vault as seen from the cluster's pods, where that is its store
 * @throws Error where the environment wants none: where `database.mode` is not `development`
 */
export function postgresChart(app: App, environment: Environment, vaultAddress?: string): PostgresChart {
  const { aidbox, database, table, namespaces } = environment;
  if (database?.mode !== "development") {
    throw new Error(`The environment "${environment.name}" has no PostgreSQL for development`);
  }
  const chart = new PostgresChart(app, postgresChartName(environment), {
    namespace: namespaces.aidbox,
    name: postgresName(aidbox.name),
    postgres: {
      image: database.image,
      database: database.name,
      user: database.user,
      table,
      store: storeOf(environment, "postgres", vaultAddress),
      from: [{ podLabels: aidboxLabels(aidbox.name) }, ...database.allowFrom],
      storage: size(database.storage.size),
      storageClass: database.storage.storageClass,
    },
    republisher: republisherOf(environment),
  });
  fitToSite(chart, siteOf(environment));
  return chart;
}

/** The Republisher that makes the environment's bound true; none where kubelet alone keeps it. */
function republisherOf(environment: Environment): AidboxChartProps["republisher"] {
  if (!republishes(environment)) return undefined;
  return {
    interval: Duration.seconds(environment.rotationBoundSeconds - publicationSeconds),
    ...environment.republisher,
  };
}

function size(text: string): Size {
  return Size.mebibytes(mebibytes(text)!); // the schema admits nothing else
}
