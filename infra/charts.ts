import { type App, Chart } from "cdk8s";
import { AidboxChart, PodSecurityNamespace, vaultServiceAddress } from "../constructs/kubernetes";
import { aidboxProps } from "./aidbox-props";
import type { Environment } from "./config/environment";

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
    },
    aidbox: aidboxProps(aidbox),
  });
}

function addressInCluster({ vault, namespaces }: Environment): string {
  return vault.mode === "external" ? vault.address : vaultServiceAddress(vault.release, namespaces.vault);
}
