import { type App, Chart } from "cdk8s";
import {
  AidboxChart,
  type AidboxChartProps,
  PodSecurityNamespace,
  vaultCaCertPath,
  vaultServiceAddress,
} from "../constructs/kubernetes";
import { aidboxProps } from "./aidbox-props";
import type { Environment } from "./config/environment";
import { configuredCa, isStored } from "./config/vault-server";
import { publicationSeconds, republishes } from "./config/rotation-bound";

/**
 * The namespaces that the stack makes.
 *
 * @param labels labels of both
 */
export function namespacesChart(
  app: App,
  { namespaces, tenants }: Environment,
  labels: Record<string, string> = {},
): Chart {
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
  for (const { tenant, namespaces: own } of tenants) {
    new PodSecurityNamespace(chart, `tenant-${tenant!}`, { name: own.aidbox, level: "restricted", labels });
  }
  return chart;
}

/** Name of the chart of an Aidbox, and of its resources. */
export function chartName({ tenant }: Environment): string {
  return tenant === undefined ? "aidbox" : `aidbox-${tenant}`;
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
    vault: {
      address: vaultAddress,
      role: vault.role,
      audience: vault.audience,
      ...(vault.mode === "external"
        ? {
            authMount: vault.login.mount,
            vaultNamespace: vault.vaultNamespace,
            caCertPath: vault.caCertPath,
          }
        : {}),
      ...(mountsCa(environment) ? { caCertPath: vaultCaCertPath } : {}),
    },
    republisher: republisherOf(environment),
    aidbox: aidboxProps(aidbox),
  });
}

/** The Republisher that makes the environment's bound true; none where kubelet alone keeps it. */
function republisherOf(environment: Environment): AidboxChartProps["republisher"] {
  if (!republishes(environment)) return undefined;
  return {
    intervalSeconds: environment.rotationBoundSeconds - publicationSeconds,
    image: environment.republisher.image,
  };
}

/** Whether the stack's CSI provider has the CA of Vault's certificate mounted. */
function mountsCa(environment: Environment): boolean {
  const { vault } = environment;
  const ownCa = isStored(vault) && vault.certManager === undefined;
  return vault.csiProvider && (ownCa || configuredCa(environment) !== undefined);
}

function addressInCluster({ vault, namespaces }: Environment): string {
  if (vault.mode === "external") return vault.address;
  return vaultServiceAddress(vault.release, namespaces.vault, isStored(vault));
}
