import { type App, Chart, Size } from "cdk8s";
import {
  AidboxChart,
  type AidboxChartProps,
  PodSecurityNamespace,
  PostgresChart,
} from "../../constructs/kubernetes/index";
import {
  TokenRefusal,
  vaultCaCertPath,
  VaultGuards,
  vaultServiceAddress,
  VaultStore,
} from "../../constructs/stores/vault/index";
import { aidboxLabels } from "../../constructs/kubernetes/labels";
import { csiProviderName } from "../../constructs/stores/vault/names";
import { aidboxProps } from "./aidbox-props";
import type { Environment } from "../config/environment";
import { mebibytes } from "../config/quantity";
import { rollScheduleOf } from "../config/roll-schedule";
import { publicationSeconds, republishes } from "../config/rotation-bound";
import {
  configuredCa,
  csiProviderRelease,
  isStored,
  signsOwnCertificates,
  vaultPaths,
} from "../config/stores/vault/server";
import { databaseConnection, postgresName, postgresRole } from "../config/database";

/**
 * The namespaces that the stack makes.
 *
 * @param labels labels of all
 */
export function namespacesChart(
  app: App,
  { namespaces, tenants, vault }: Environment,
  labels: Record<string, string> = {},
): Chart {
  const chart = new Chart(app, "namespaces");
  new PodSecurityNamespace(chart, "vault", {
    name: namespaces.vault,
    level: "restricted",
    labels,
  });
  if (vault.csiProvider) {
    // Its pods use host paths, which no other level admits.
    new PodSecurityNamespace(chart, "csi-provider", { name: namespaces.csiProvider, level: "privileged", labels });
  }
  new PodSecurityNamespace(chart, "aidbox", {
    name: namespaces.aidbox,
    level: "restricted",
    labels,
  });
  for (const { tenant, namespaces: own } of tenants) {
    new PodSecurityNamespace(chart, `tenant-${tenant!}`, { name: own.aidbox, level: "restricted", labels });
  }
  return chart;
}

/** What closes the ways to Vault and its CSI provider, and ends the provider's right to make tokens. */
export function guardsChart(app: App, environment: Environment): Chart {
  const { vault, namespaces } = environment;
  const chart = new Chart(app, "guards");
  const servers = { releaseName: vault.release, namespace: namespaces.vault };
  const provider = vault.csiProvider ? csiProviderRelease(environment) : undefined;
  new VaultGuards(chart, "vault", {
    ...(vault.mode === "external" ? {} : { servers, allowFrom: vault.allowFrom }),
    provider,
    allowTo: vault.allowTo,
  });
  if (provider !== undefined) {
    const name = csiProviderName(provider.releaseName);
    new TokenRefusal(chart, "csi-provider-tokens", {
      name: `${name}-tokens`,
      serviceAccount: { name, namespace: provider.namespace },
    });
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
 * @param vaultAddress URL of Vault as seen from the cluster's pods
 */
export function aidboxChart(
  app: App,
  environment: Environment,
  vaultAddress = addressInCluster(environment),
): AidboxChart {
  const { aidbox, vault, table, namespaces } = environment;
  return new AidboxChart(app, chartName(environment), {
    namespace: namespaces.aidbox,
    name: aidbox.name,
    table,
    store: vaultStore(environment, vault.role, vaultAddress),
    republisher: republisherOf(environment),
    rollSchedule: rollScheduleOf(environment.rolls),
    initBundle: environment.initBundle,
    aidbox: { ...aidboxProps(aidbox), database: databaseConnection(environment) },
  });
}

/**
 * The PostgreSQL for development that the environment wants.
 *
 * @param vaultAddress URL of Vault as seen from the cluster's pods
 * @throws Error where the environment wants none: where `database.mode` is not `development`
 */
export function postgresChart(
  app: App,
  environment: Environment,
  vaultAddress = addressInCluster(environment),
): PostgresChart {
  const { aidbox, database, table, namespaces } = environment;
  if (database?.mode !== "development") {
    throw new Error(`The environment "${environment.name}" has no PostgreSQL for development`);
  }
  return new PostgresChart(app, postgresChartName(environment), {
    namespace: namespaces.aidbox,
    name: postgresName(aidbox.name),
    postgres: {
      image: database.image,
      database: database.name,
      user: database.user,
      table,
      store: vaultStore(environment, postgresRole(environment), vaultAddress),
      from: [{ podLabels: aidboxLabels(aidbox.name) }, ...database.allowFrom],
      storage: size(database.storage.size),
      storageClass: database.storage.storageClass,
    },
    republisher: republisherOf(environment),
  });
}

/** Vault as pods of the environment read it. */
function vaultStore(environment: Environment, role: string, address: string): VaultStore {
  const { vault } = environment;
  return new VaultStore({
    paths: vaultPaths(environment),
    address,
    role,
    audience: vault.audience,
    ...(vault.mode === "external"
      ? {
          authMount: vault.login.mount,
          vaultNamespace: vault.vaultNamespace,
          caCertPath: vault.caCertPath,
        }
      : {}),
    ...(mountsCa(environment) ? { caCertPath: vaultCaCertPath } : {}),
  });
}

/** The Republisher that makes the environment's bound true; none where kubelet alone keeps it. */
function republisherOf(environment: Environment): AidboxChartProps["republisher"] {
  if (!republishes(environment)) return undefined;
  return {
    intervalSeconds: environment.rotationBoundSeconds - publicationSeconds,
    ...environment.republisher,
  };
}

/** Whether the stack's CSI provider has the CA of Vault's certificate mounted. */
function mountsCa(environment: Environment): boolean {
  const { vault } = environment;
  return vault.csiProvider && (signsOwnCertificates(vault) || configuredCa(environment) !== undefined);
}

/** URL of Vault as seen from the cluster's pods. */
export function addressInCluster({ vault, namespaces }: Environment): string {
  if (vault.mode === "external") return vault.address;
  return vaultServiceAddress(vault.release, namespaces.vault, isStored(vault));
}

function size(text: string): Size {
  return Size.mebibytes(mebibytes(text)!); // the schema admits nothing else
}
