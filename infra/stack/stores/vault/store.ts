import {
  vaultCaCertPath,
  vaultClientCertificate,
  vaultServiceAddress,
  VaultStore,
  type VaultStoreProps,
} from "../../../../constructs/stores/vault/index";
import { postgresRole } from "../../../config/database";
import type { VaultEnvironment } from "../../../config/environment";
import {
  clientCertificateSecret,
  configuredCa,
  isStored,
  signsOwnCertificates,
  vaultPaths,
} from "../../../config/stores/vault/server";

/**
 * Vault as pods of the environment read it.
 *
 * @param reader whose pods: a database's read its password alone
 * @param address URL of Vault as seen from the cluster's pods
 */
export function vaultStore(
  environment: VaultEnvironment,
  reader: "aidbox" | "postgres",
  address = addressInCluster(environment),
): VaultStore {
  const { vault } = environment;
  return new VaultStore({
    paths: vaultPaths(environment),
    address,
    role: reader === "aidbox" ? vault.role : postgresRole(environment),
    audience: vault.audience,
    ...(vault.provider === undefined ? {} : { provider: vault.provider }),
    // A database reads one secret of the table, which is text.
    ...(reader === "aidbox" ? { objects: vault.objects } : {}),
    ...(vault.mode === "external"
      ? {
          authMount: vault.login.mount,
          vaultNamespace: vault.vaultNamespace,
          caCertPath: vault.caCertPath,
          tlsServerName: vault.tlsServerName,
          clientCertificate: clientFiles(environment),
        }
      : {}),
    ...(mountsCa(environment) ? { caCertPath: vaultCaCertPath } : {}),
  });
}

/** Files of the CSI provider with the certificate by which it shows who asks. */
function clientFiles(environment: VaultEnvironment): VaultStoreProps["clientCertificate"] {
  if (clientCertificateSecret(environment) !== undefined) return vaultClientCertificate;
  const { certPath, keyPath } = (environment.vault.mode === "external" && environment.vault.clientCertificate) || {};
  return certPath === undefined || keyPath === undefined ? undefined : { certPath, keyPath };
}

/** Whether the stack's CSI provider has the CA of Vault's certificate mounted. */
function mountsCa(environment: VaultEnvironment): boolean {
  const { vault } = environment;
  return vault.csiProvider && (signsOwnCertificates(vault) || configuredCa(environment) !== undefined);
}

/** URL of Vault as seen from the cluster's pods. */
export function addressInCluster({ vault, namespaces }: VaultEnvironment): string {
  if (vault.mode === "external") return vault.address;
  return vaultServiceAddress(vault.release, namespaces.vault, isStored(vault));
}
