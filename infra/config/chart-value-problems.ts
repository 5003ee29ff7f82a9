import type { Problem } from "../../constructs/secrets";
import { tenantConfigs } from "./tenants";

type Fields = Readonly<Record<string, unknown>>;

/** What Vault's chart makes by other keys of the config, in two releases that get the same values. */
const decided: Readonly<Record<string, string>> = {
  "server.enabled": "vault.mode",
  "server.dev.enabled": "vault.mode",
  "server.standalone.enabled": "vault.mode",
  "server.ha.enabled": "vault.mode",
  "csi.enabled": "vault.csiProvider",
  fullnameOverride: "vault.release",
};

/** Values of charts without which no secret would reach a pod, in the config as it is, so that all errors show at once. */
export function chartValueProblems(config: Fields): Problem[] {
  const driver = fields(config.csiDriver);
  const vault = fields(config.vault);
  return [
    ...(driver.install === false ? [] : driverProblems(config, fields(driver.values))),
    ...Object.entries(decided).flatMap(([path, by]) => {
      const value = valueAt(vault.values, path);
      if (value === undefined) return [];
      const message = `${JSON.stringify(value)}: is decided by ${by}, for the servers' release and the CSI provider's: leave it out`;
      return [{ key: `vault.values.${path}`, message }];
    }),
  ];
}

function driverProblems(config: Fields, values: Fields): Problem[] {
  const problems: Problem[] = [];
  if (values.enableSecretRotation === false) {
    const message = "false: no change would reach a file: leave it out";
    problems.push({ key: "csiDriver.values.enableSecretRotation", message });
  }
  const tables = [config.secrets, ...tenantConfigs(config).map((tenant) => tenant?.config.secrets)];
  const rows = tables.flatMap((table) => (Array.isArray(table) ? (table as unknown[]) : []));
  if (valueAt(values, "syncSecret.enabled") === false && rows.some((row) => fields(row).environment !== undefined)) {
    const message = "false: rows with environment need a synced Kubernetes Secret: leave it out";
    problems.push({ key: "csiDriver.values.syncSecret.enabled", message });
  }
  const { audience = "vault", csiProviderMakesTokens } = fields(config.vault);
  const { tokenRequests } = values;
  const asksFor = (request: unknown): boolean => fields(request).audience === audience;
  if (
    config.vault !== undefined &&
    csiProviderMakesTokens !== true &&
    Array.isArray(tokenRequests) &&
    !tokenRequests.some(asksFor)
  ) {
    const message = `${JSON.stringify(tokenRequests)}: pods log in to Vault by a token of another audience: add { audience: ${String(audience)} }`;
    problems.push({ key: "csiDriver.values.tokenRequests", message });
  }
  return problems;
}

function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((part, name) => fields(part)[name], value);
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
