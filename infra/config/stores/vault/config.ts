import { defaultMountPath, type Problem } from "../../../../constructs/secrets";
import { findVaultMountProblems, findVaultRowProblems } from "../../../../constructs/stores/vault/rules";
import type { VaultEnvironment } from "../../environment";
import type { StoreConfig } from "../store-config";
import { vaultReleases } from "./releases";
import { vaultPaths } from "./server";

/** Where the config says what the table calls otherwise. */
const mountKeys: Readonly<Record<string, string>> = {
  kvMount: "vault.kvMount.path",
  databaseMount: "vault.databaseMount",
};

/** Vault, as the store of an environment. */
export const vaultConfig: StoreConfig<VaultEnvironment> = {
  key: "vault",
  title: "Vault",
  mountPath: defaultMountPath,
  csiProviderNamespace: "vault-csi-provider",
  chart: "vault",

  tableProblems({ vault }, rows) {
    const known = vault as { kvMount?: { path?: unknown }; databaseMount?: unknown } | null | undefined;
    const textOr = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
    const mounts = {
      kvMount: textOr(known?.kvMount?.path, "secret"),
      databaseMount: textOr(known?.databaseMount, "database"),
    };
    const ofMounts = findVaultMountProblems({ ...mounts, rows }).map((problem) => ({
      ...problem,
      key: mountKeys[problem.key] ?? problem.key,
    }));
    return [...ofMounts, ...findVaultRowProblems(rows)];
  },

  crossProblems({ vault, development }) {
    const { mode, login, operators, provider, csiProvider } = (vault ?? {}) as {
      mode?: unknown;
      provider?: unknown;
      csiProvider?: unknown;
      login?: { mount?: unknown };
      operators?: { mount?: unknown };
    };
    const problems: Problem[] = [];
    if (mode === "dev" && development !== true) {
      problems.push({
        key: "vault.mode",
        message: '"dev": keeps secrets in memory and is for development: set development: true, or use mode: external',
      });
    }
    if (provider === "openbao" && csiProvider !== false) {
      problems.push({
        key: "vault.provider",
        message:
          "\"openbao\": the stack installs Vault's CSI provider, which the driver knows as vault: install OpenBao's and write " +
          "vault.csiProvider: false",
      });
    }
    const podMount = typeof login?.mount === "string" ? login.mount : "kubernetes";
    const operatorMount = operators?.mount;
    if (typeof operatorMount === "string" && overlap(podMount, operatorMount)) {
      problems.push({
        key: "vault.operators.mount",
        message: `"${operatorMount}": is where the pods log in: write another path`,
      });
    }
    return problems;
  },

  locate: (environment, secret) => vaultPaths(environment).data(secret),
  readablePaths: (environment, path) => [vaultPaths(environment).data(path)],
  releases: vaultReleases,
  tokenAudiences: ({ vault }) => [vault.audience],
};

/** Whether one path of Vault lies at or below another, either way. */
function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
