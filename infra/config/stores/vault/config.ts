import { defaultMountPath, isMadeByStore, type Problem, type SecretTable } from "../../../../constructs/secrets";
import { longestSnapshotsRelease } from "../../../../constructs/stores/vault/names";
import { findVaultObjectProblems } from "../../../../constructs/stores/vault/object";
import { findVaultMountProblems, findVaultRowProblems } from "../../../../constructs/stores/vault/rules";
import type { VaultEnvironment } from "../../environment";
import type { StoreConfig } from "../store-config";
import { vaultReleases } from "./releases";
import { vaultCommon } from "./schema";
import { isStored, vaultPaths } from "./server";

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
    const { objects } = Object(vault) as { objects?: unknown };
    const ofObjects = findVaultObjectProblems("vault.objects", vaultCommon.objects.safeParse(objects).data ?? {}, rows);
    return [...ofMounts, ...findVaultRowProblems(rows), ...ofObjects];
  },

  crossProblems({ vault, development, namespaces, csiDriver }) {
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
    problems.push(...kvMountProblems(vault), ...ownSealProblems(vault, namespaces), ...snapshotProblems(vault));
    problems.push(...makesTokensProblems(vault, csiDriver), ...clientCertificateProblems(vault));
    problems.push(...serversReleaseProblems(vault), ...withoutTlsProblems(vault));
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
  // A provider that the driver hands no token of the audience makes one itself, where it may.
  tokenAudiences: ({ vault, csiDriver }) =>
    csiDriver.install || (vault.csiProvider && !vault.csiProviderMakesTokens) ? [vault.audience] : [],
  warnings: ({ vault, development, table, tenants }) => [
    ...mountInPathWarnings(vault.kvMount.path, [table, ...tenants.map((tenant) => tenant.table)]),
    ...(isStored(vault) && !vault.audit.enabled && !development
      ? ["vault.audit.enabled: false: nobody can say who read a secret, or wrote it"]
      : []),
    ...(vault.csiProviderMakesTokens
      ? [
          "Vault's CSI provider may make tokens of every ServiceAccount of the cluster (vault.csiProviderMakesTokens): whoever " +
            "takes over one of its pods acts as any of them, cluster administrators among them. A driver that hands out tokens " +
            `for ${vault.audience} needs no such right.`,
        ]
      : []),
  ],
};

/** Vault's dev mode has made the mount `secret` itself. */
function kvMountProblems(vault: unknown): Problem[] {
  const { mode, kvMount } = Object(vault) as { mode?: unknown; kvMount?: { path?: unknown; owned?: unknown } | null };
  const { path = "secret", owned } = kvMount ?? {};
  if (mode !== "dev" || path !== "secret" || owned !== true) return [];
  return [{ key: "vault.kvMount.owned", message: "true: dev mode has the mount secret already: leave it out" }];
}

/** What the stack's own driver hands out, and what others' providers may do, is not to be asked for. */
function makesTokensProblems(vault: unknown, csiDriver: unknown): Problem[] {
  const { csiProviderMakesTokens, csiProvider } = Object(vault) as Record<string, unknown>;
  if (csiProviderMakesTokens !== true) return [];
  const { install } = Object(csiDriver) as { install?: unknown };
  const key = "vault.csiProviderMakesTokens";
  if (install !== false) return [{ key, message: "true: the stack's own driver hands out the tokens: leave it out" }];
  if (csiProvider !== false) return [];
  return [{ key, message: "true: the CSI provider is not this stack's, and its owner says what it may: leave it out" }];
}

/** The stack mounts a Secret into pods of its own provider; of another's it knows files at most. */
function clientCertificateProblems(vault: unknown): Problem[] {
  const { clientCertificate, csiProvider } = Object(vault) as { clientCertificate?: unknown; csiProvider?: unknown };
  if (typeof clientCertificate !== "object" || clientCertificate === null) return [];
  const [wanted, others] =
    csiProvider === false ? [["certPath", "keyPath"], ["secretName"]] : [["secretName"], ["certPath", "keyPath"]];
  const whose = csiProvider === false ? "is not this stack's" : "is this stack's";
  return [
    ...wanted.filter((key) => !(key in clientCertificate)).map((key) => [key, "is missing"] as const),
    ...others.filter((key) => key in clientCertificate).map((key) => [key, "leave it out"] as const),
  ].map(([key, what]) => ({
    key: `vault.clientCertificate.${key}`,
    message: `${what}: the CSI provider ${whose}, and takes ${wanted.join(" and ")}`,
  }));
}

/** What only a connection with TLS knows would be left out without a word. */
function withoutTlsProblems(vault: unknown): Problem[] {
  const config = Object(vault) as Record<string, unknown>;
  const addresses = [config.address, config.addressFromHere].filter((each) => typeof each === "string");
  if (addresses.length === 0 || addresses.some((each) => !/^http:/i.test(each))) return [];
  return ["ca", "tlsServerName", "clientCertificate"].flatMap((key) =>
    config[key] === undefined
      ? []
      : [{ key: `vault.${key}`, message: "is for TLS, which no address here has: write https://, or leave it out" }],
  );
}

/** The release is named for its CSI provider, which the stack's own takes the place of. */
function serversReleaseProblems(vault: unknown): Problem[] {
  const { serversRelease, csiProvider } = Object(vault) as { serversRelease?: unknown; csiProvider?: unknown };
  if (serversRelease === undefined || csiProvider !== false) return [];
  const message = "is named, and csiProvider: false leaves its CSI provider where it is: leave one of them out";
  return [{ key: "vault.serversRelease", message }];
}

/** A sealed Vault cannot ask itself for the key. */
function ownSealProblems(vault: unknown, namespaces: unknown): Problem[] {
  const { seal, release = "vault" } = Object(vault) as {
    seal?: { type?: unknown; address?: unknown };
    release?: unknown;
  };
  const { vault: namespace = "vault" } = Object(namespaces) as { vault?: unknown };
  const { type, address } = seal ?? {};
  if (type !== "transit" || typeof address !== "string" || !URL.canParse(address)) return [];
  const [service, ofNamespace] = new URL(address).hostname.split(".");
  const own = [release, `${String(release)}-active`, `${String(release)}-internal`, `${String(release)}-standby`];
  if (!own.includes(service) || ofNamespace !== namespace) return [];
  const message = `"${address}": is this Vault itself, which is sealed until it has the key: write another Vault's URL`;
  return [{ key: "vault.seal.address", message }];
}

/** What takes snapshots is called after the release. */
function snapshotProblems(vault: unknown): Problem[] {
  const { snapshots, release } = Object(vault) as { snapshots?: unknown; release?: unknown };
  if (snapshots === undefined || typeof release !== "string" || release.length <= longestSnapshotsRelease) return [];
  const message = `"${release}": its snapshots' CronJob is called after it: shorten it to ${longestSnapshotsRelease} characters`;
  return [{ key: "vault.release", message }];
}

/** Whether one path of Vault lies at or below another, either way. */
function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

/** As `vault kv put secret/aidbox/client` has it, and as nobody is kept from calling a path. */
function mountInPathWarnings(kvMount: string, tables: readonly SecretTable[]): string[] {
  const paths = tables.flatMap(({ secrets }) =>
    secrets.filter((secret) => !isMadeByStore(secret)).map(({ path }) => path),
  );
  return [...new Set(paths)]
    .filter((path) => path.startsWith(`${kvMount}/`))
    .map(
      (path) =>
        `secrets: the path "${path}" begins as the mount does, so pods read ${kvMount}/data/${path}: to have them read ` +
        `${kvMount}/data/${path.slice(kvMount.length + 1)}, leave out ${kvMount}/`,
    );
}
