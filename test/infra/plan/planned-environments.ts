import { checkEnvironment } from "../../../infra/config/check-environment";
import type { Environment } from "../../../infra/config/environment";

const image = "healthsamurai/aidboxone:2605";
const long = (text: string, length: number): string => text.padEnd(length, "w");

/** Rows with all that shows in a picture, from a folder of an Aidbox' own. */
export function rows(count: number, folder: string): object[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `secret-${index}`,
    path: `${folder}/secret-${index}`,
    source: ["seeded", "external", "managed"][index % 3],
    ...(index % 4 === 1 ? { scope: { resourceType: "Client", id: `client-${index}` } } : {}),
    ...(index % 5 === 2 ? { environment: `SOME_VARIABLE_${index}` } : {}),
  }));
}

/** An environment for development of so many secrets, and of so many tenants with as many each. */
export function sized(secrets: number, tenants: number): Environment {
  return checkEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: rows(secrets, "aidbox"),
    vault: { mode: "dev" },
    aidbox: { image },
    tenants: Array.from({ length: tenants }, (_, index) => ({
      name: `clinic-${index}`,
      secrets: rows(secrets, `clinic-${index}`),
    })),
  });
}

/** Names as long as they may be, of the widest letters, a PostgreSQL of its own, and a tenant with one. */
export function longNamed(): Environment {
  const password = { name: "password", source: "seeded", environment: "BOX_DB_PASSWORD" };
  return checkEnvironment("dev", {
    development: true,
    kubeContext: long("arn:aws:eks:eu-central-1:111122223333:cluster/", 120),
    secrets: [
      { name: long("w", 63), path: long("W/W", 120), key: long("W", 60), environment: long("W", 80) },
      { name: "scoped", path: "scoped", scope: { resourceType: "IdentityProvider", id: long("w", 60) } },
      { ...password, path: "password" },
    ],
    database: { mode: "development" },
    vault: { mode: "dev" },
    namespaces: { aidbox: long("m", 63), vault: long("v", 63), csiProvider: long("c", 63) },
    aidbox: { name: long("w", 30), image: `${long("registry.example/w", 100)}:2605` },
    tenants: [{ name: long("w", 40), secrets: [{ ...password, path: "tenant/password" }] }],
  });
}

/** One whose store is Azure Key Vault. */
export function ofKeyVault(): Environment {
  return checkEnvironment("azure", {
    development: true,
    kubeContext: "aks",
    secrets: rows(2, "aidbox"),
    azureKeyVault: {
      name: "aidbox-dev",
      tenantId: "11111111-1111-1111-1111-111111111111",
      identity: { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" },
    },
    aidbox: { image },
  });
}

/** One with a Vault, a driver and a CSI provider of others. */
export function ofOthers(): Environment {
  return checkEnvironment("production", {
    kubeContext: "production",
    secrets: rows(2, "aidbox"),
    csiDriver: { install: false },
    vault: {
      mode: "external",
      address: "https://vault.example:8200",
      csiProvider: false,
      login: { method: "kubernetes" },
    },
    aidbox: { image },
  });
}
