import { type App, Chart, Size } from "cdk8s";
import { Cpu } from "cdk8s-plus-28";
import {
  AidboxChart,
  type AidboxChartProps,
  PodSecurityNamespace,
  PostgresChart,
  type VaultLogin,
  vaultServiceAddress,
} from "../constructs/kubernetes";
import type { Environment } from "./config/environment";
import { mebibytes } from "./config/quantity";
import { kubeletBoundSeconds, publicationSeconds } from "./config/rotation-bound";
import { databaseConnection, postgresName, postgresRole } from "./database";

/**
 * The namespaces that the stack makes.
 *
 * @param labels labels of both
 */
export function namespacesChart(app: App, { namespaces }: Environment, labels: Record<string, string> = {}): Chart {
  const chart = new Chart(app, "namespaces");
  // The CSI provider's pods use host paths, which no other level admits.
  new PodSecurityNamespace(chart, "vault", {
    name: namespaces.vault,
    level: "privileged",
    labels,
  });
  new PodSecurityNamespace(chart, "aidbox", {
    name: namespaces.aidbox,
    level: "restricted",
    labels,
  });
  return chart;
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
  return new AidboxChart(app, "aidbox", {
    namespace: namespaces.aidbox,
    name: aidbox.name,
    table,
    vault: vaultLogin(environment, vault.role, vaultAddress),
    republisher: republisherOf(environment),
    aidbox: {
      image: aidbox.image,
      replicas: aidbox.replicas,
      environment: aidbox.environment,
      database: databaseConnection(environment),
      readOnlyRootFilesystem: aidbox.readOnlyRootFilesystem,
      resources: {
        cpu: {
          request: Cpu.millis(Number.parseInt(aidbox.resources.cpuRequest, 10)),
        },
        memory: {
          request: size(aidbox.resources.memoryRequest),
          limit: size(aidbox.resources.memoryLimit),
        },
      },
    },
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
  return new PostgresChart(app, "postgres", {
    namespace: namespaces.aidbox,
    name: postgresName(aidbox.name),
    postgres: {
      image: database.image,
      database: database.name,
      user: database.user,
      table,
      vault: vaultLogin(environment, postgresRole(environment), vaultAddress),
      storage: size(database.storage.size),
      storageClass: database.storage.storageClass,
    },
    republisher: republisherOf(environment),
  });
}

/** How pods of the environment log in at Vault. */
function vaultLogin({ vault }: Environment, role: string, address: string): VaultLogin {
  return {
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
  };
}

/** The Republisher that makes the environment's bound true; none where kubelet alone keeps it. */
function republisherOf({ rotationBoundSeconds, republisher }: Environment): AidboxChartProps["republisher"] {
  if (rotationBoundSeconds >= kubeletBoundSeconds) return undefined;
  return { intervalSeconds: rotationBoundSeconds - publicationSeconds, image: republisher.image };
}

function addressInCluster({ vault, namespaces }: Environment): string {
  return vault.mode === "external" ? vault.address : vaultServiceAddress(vault.release, namespaces.vault);
}

function size(text: string): Size {
  return Size.mebibytes(mebibytes(text)!); // the schema admits nothing else
}
