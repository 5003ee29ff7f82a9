import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { anyText, object, refuseArguments } from "../../constructs/check-props";
import { secretFields } from "../../constructs/fhir/secret-fields";
import { reservedVariables } from "../../constructs/kubernetes/aidbox/container";
import { findReservedProblems } from "../../constructs/kubernetes/aidbox/rules";
import type { HelmChart } from "../../constructs/platform";
import { type Problem, type SecretSpec, SecretTable } from "../../constructs/secrets";
import { findMountPathProblems, findSecretProblems } from "../../constructs/secrets/rules";
import { suggest } from "../../constructs/suggest";
import { aidboxProblems } from "./aidbox-problems";
import { chartSchema } from "./chart-schema";
import { chartValueProblems } from "./chart-value-problems";
import { clashProblems, namedIn } from "./claims";
import { ConfigError } from "./config-error";
import { databaseProblems } from "./database-problems";
import { describeIssues } from "./describe-issue";
import type { Environment } from "./environment";
import { readInitBundle } from "./init-bundle";
import { keypairProblems } from "./keypair-problems";
import { howToGetContext } from "./kube-context";
import { networkProblems } from "./network-problems";
import { plainSecretProblems } from "./plain-secrets";
import { plaintextProblems } from "./plaintext-problems";
import { durationOf, isSize, mebibytes, seconds } from "./quantity";
import { rollProblems } from "./roll-schedule";
import { leastBoundSeconds } from "./rotation-bound";
import { type EnvironmentConfig, environmentSchema } from "./schema";
import { namedStores, storeConfigOf, storeConfigs } from "./stores";
import type { StoreKey } from "./stores/schemas";
import { modeFix } from "./stores/vault/schema";
import { checkTenants, tenantConfigs } from "./tenants";
import { without } from "./without";

/**
 * Checks an environment's config before anything is touched.
 *
 * @param name name of the environment
 * @param config values by key, without the project's prefix and without the keys that hold secrets
 * @param chartsDir folder with the charts, used instead of the repositories (`CHARTS_DIR`)
 * @param contexts contexts of the kubeconfig; not looked at where undefined, as by a plan, which needs no cluster
 * @param folder folder to which the paths of resources' files are relative
 * @throws ConfigError with every problem; Error where it is called with something else than a name and a config
 * @example
 * ```ts
 * import { checkEnvironment } from "aidbox-secrets-stack/operate";
 *
 * export const environment = checkEnvironment("dev", {
 *   development: true,
 *   kubeContext: "kind-aidbox",
 *   secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded" }],
 *   vault: { mode: "dev" },
 *   aidbox: { image: "healthsamurai/aidboxone:2605" },
 * });
 * ```
 */
export function checkEnvironment(
  name: string,
  config: Readonly<Record<string, unknown>>,
  chartsDir?: string,
  contexts?: readonly string[],
  folder = process.cwd(),
): Environment {
  refuseArguments("checkEnvironment", { name, config }, { name: anyText, config: object });
  const across = [
    ...clashProblems(namedIn(config, tenantConfigs(config))),
    ...plainSecretProblems(config),
    ...chartValueProblems(config),
  ];
  return checkOne(name, config, chartsDir, contexts, folder, across);
}

/** @param across what is wrong across its parts, beside what is wrong with each, which is told first */
function checkOne(
  name: string,
  config: Readonly<Record<string, unknown>>,
  chartsDir: string | undefined,
  contexts: readonly string[] | undefined,
  folder: string,
  across: readonly Problem[],
): Environment {
  const parsed = environmentSchema.safeParse(config, { reportInput: true });
  const problems: Problem[] = describeIssues(parsed.error?.issues ?? [], config);
  // What is no answer at all is no reason to refuse what is for development.
  const judged = ["boolean", "undefined"].includes(typeof config.development)
    ? config
    : { ...config, development: true };
  const { table, problems: ofTable } = readTable(config);
  const { resources: initBundle, problems: ofInitBundle } = readInitBundle(config, table, folder);
  problems.push(
    ...ofTable,
    ...ofInitBundle,
    ...crossProblems(judged),
    ...aidboxProblems(config.aidbox),
    ...databaseProblems(judged),
    ...plaintextProblems(judged),
    ...networkProblems(config),
    ...contextProblems(config, contexts),
  );
  const store = storeConfigOf(config);
  const charts = {
    csiDriver: installsDriver(config)
      ? findChart("csiDriver", "secrets-store-csi-driver", config, chartsDir, problems)
      : undefined,
    store: findChart(store.key, store.chart, config, chartsDir, problems),
  };
  const tenants = checkTenants(config, problems, (own) => checkOne(name, own, chartsDir, contexts, folder, []));
  problems.push(...tenants.problems);
  problems.push(...across.filter((each) => !problems.some(({ key }) => key === each.key)));
  if (!parsed.success || table === undefined || problems.length > 0) throw new ConfigError(name, problems);

  const keys = storeConfigs.map(({ key }) => key);
  const rest = without(parsed.data, "secrets", "mountPath", "rotationBound", "tenants", ...keys);
  const { csiProvider = store.csiProviderNamespace } = rest.namespaces;
  const environment = {
    ...rest,
    name,
    namespaces: { ...rest.namespaces, csiProvider },
    table,
    ...(initBundle === undefined ? {} : { initBundle }),
    rotationBoundSeconds: seconds(parsed.data.rotationBound),
    charts,
    [store.key]: parsed.data[store.key],
    // A tenant has the store of the first Aidbox.
    tenants: tenants.environments,
  };
  return environment as unknown as Environment; // its one block is there, as the rules have seen
}

/** The table of secrets where its rules hold, which are looked at also where other keys are wrong: all errors show at once. */
function readTable(config: Readonly<Record<string, unknown>>): {
  readonly table?: SecretTable;
  readonly problems: readonly Problem[];
} {
  const { secrets } = config;
  const store = storeConfigOf(config);
  const mountPath = typeof config.mountPath === "string" ? config.mountPath : store.mountPath;
  const rows =
    Array.isArray(secrets) && (secrets as unknown[]).every(isSecretRow)
      ? (secrets as SecretRow[]).map(specOf)
      : undefined;
  const problems = [
    ...findMountPathProblems(mountPath),
    ...findReservedProblems(mountPath, rows ?? []),
    ...(rows === undefined ? [] : findSecretProblems(rows)),
    ...store.tableProblems(config, rows ?? []),
    ...(rows === undefined ? [] : [...keypairProblems(rows, config.aidbox), ...scopeProblems(rows)]),
  ];
  if (rows === undefined || problems.length > 0) return { problems };
  return { table: new SecretTable({ mountPath, secrets: rows }), problems };
}

/** A type that is nearly one whose resources refer to secrets is no other type: FHIR has none so near. */
function scopeProblems(rows: readonly SecretSpec[]): Problem[] {
  const known = Object.keys(secretFields);
  return rows.flatMap(({ scope }, index): Problem[] => {
    const isKnown = scope === undefined || known.includes(scope.resourceType);
    const near = isKnown || !/^[A-Z]/.test(scope.resourceType) ? undefined : suggest(scope.resourceType, known);
    if (near === undefined) return [];
    const key = `secrets[${index}].scope.resourceType`;
    return [{ key, message: `"${scope!.resourceType}": is no type of FHIR's: did you mean ${near}?` }];
  });
}

type SecretRow = EnvironmentConfig["secrets"][number];

function isSecretRow(row: unknown): row is SecretRow {
  return environmentSchema.shape.secrets.safeParse([row]).success;
}

function specOf({ maxAge, ...row }: SecretRow): SecretSpec {
  return { ...row, ...(maxAge === undefined ? {} : { maxAge: durationOf(maxAge) }) };
}

function contextProblems({ kubeContext }: Record<string, unknown>, contexts: readonly string[] | undefined): Problem[] {
  if (contexts === undefined || typeof kubeContext !== "string" || kubeContext === "") return [];
  if (contexts.includes(kubeContext)) return [];
  const near = suggest(kubeContext, contexts);
  const fix = near === undefined ? "write one of them" : `did you mean ${near}? Write it`;
  const message =
    contexts.length === 0
      ? `there is no kubeconfig, or it has no context: ${howToGetContext(kubeContext)}`
      : `the kubeconfig has no such context, but ${contexts.join(", ")}: ${fix}, or set KUBECONFIG to the file that has it`;
  return [{ key: "kubeContext", message: `"${kubeContext}": ${message}` }];
}

/** An environment has one store. */
function storeProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  const [first, ...others] = namedStores(config);
  if (first === undefined) {
    const missed = storeConfigOf({});
    const further = storeConfigs.filter((each) => each !== missed);
    const instead = further.map(({ key, title }) => `${key} for ${title}`).join(" or ");
    return [{ key: missed.key, message: `is missing: ${modeFix}; or, in its place, write ${instead}` }];
  }
  return others.map(({ key }) => ({
    key,
    message: `stands beside ${first.key}, and an environment has one store: remove one of them`,
  }));
}

function crossProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = [...storeProblems(config), ...storeConfigOf(config).crossProblems(config)];
  const { resources, environment } = (config.aidbox ?? {}) as {
    resources?: { memoryRequest?: string | number; memoryLimit?: string | number };
    environment?: unknown;
  };
  const request = String(resources?.memoryRequest ?? "2Gi");
  const limit = String(resources?.memoryLimit ?? "4Gi");
  if (isSize(limit) && isSize(request) && mebibytes(limit)! < mebibytes(request)!) {
    problems.push({
      key: "aidbox.resources",
      message: `memoryLimit "${limit}" is less than memoryRequest "${request}": raise the limit or lower the request`,
    });
  }
  for (const variable of Object.keys(environment ?? {}).filter((name) => reservedVariables.includes(name))) {
    problems.push({ key: `aidbox.environment.${variable}`, message: "is set by this stack: leave it out" });
  }
  problems.push(...driverNamespaceProblems(config));
  const { rotationBound: bound = "30s" } = config;
  const boundSeconds = typeof bound === "string" && /^\d+[smh]$/.test(bound) ? seconds(bound) : undefined;
  problems.push(...rollProblems(config.rolls, boundSeconds));
  if (boundSeconds !== undefined && boundSeconds < leastBoundSeconds) {
    problems.push({
      key: "rotationBound",
      message: `"${bound as string}": a publication takes up to 5 s by itself: write ${leastBoundSeconds}s or more`,
    });
  }
  return problems;
}

/** The driver needs paths of the node, which the level of the stack's own namespaces refuses. */
function driverNamespaceProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  const { namespaces, csiDriver, tenants } = config as {
    namespaces?: { aidbox?: unknown; vault?: unknown };
    csiDriver?: { namespace?: unknown };
    tenants?: unknown;
  };
  const driver = csiDriver?.namespace;
  const ofTenants = (Array.isArray(tenants) ? (tenants as unknown[]) : []).map(
    (each) => (each as { namespace?: unknown } | null)?.namespace,
  );
  const ofServers = config.vault === undefined ? [] : [namespaces?.vault ?? "vault"];
  const restricted = [namespaces?.aidbox ?? "aidbox", ...ofServers, ...ofTenants];
  if (!installsDriver(config) || typeof driver !== "string" || !restricted.includes(driver)) return [];
  const message = `"${driver}": is at the level restricted, which refuses the driver's host paths: write another, as kube-system`;
  return [{ key: "csiDriver.namespace", message }];
}

function installsDriver(config: Readonly<Record<string, unknown>>): boolean {
  return (config.csiDriver as { install?: unknown } | undefined)?.install !== false;
}

/** Where a chart comes from, looked up in the config as it is, so that its problems show together with all others. */
function findChart(
  key: "csiDriver" | StoreKey,
  name: string,
  config: Readonly<Record<string, unknown>>,
  chartsDir: string | undefined,
  problems: Problem[],
): HelmChart | undefined {
  if (chartsDir !== undefined) {
    const problem = (what: string): void => {
      problems.push({ key: `${key}.chart`, message: `CHARTS_DIR "${chartsDir}" ${what}, or unset CHARTS_DIR` });
    };
    if (!isFolder(chartsDir)) {
      problem("is not a folder: write the path of the folder with the charts");
      return undefined;
    }
    const archive = new RegExp(`^${name}(-v?\\d.*)?\\.(tgz|tar\\.gz)$`);
    const found = readdirSync(chartsDir).find((file) => file === name || archive.test(file));
    if (found === undefined) problem(`has no ${name}: put the chart's folder or archive there`);
    return found === undefined ? undefined : { path: join(chartsDir, found) };
  }
  const section = config[key];
  if (typeof section !== "object" || section === null || !("chart" in section)) return undefined;
  const chart = chartSchema.safeParse(section.chart).data;
  if (chart === undefined) return undefined; // the schema says what is wrong with it
  if ("repository" in chart) return { ...chart, name };
  if (!existsSync(chart.path)) {
    problems.push({
      key: `${key}.chart.path`,
      message: `"${chart.path}": is not there: write the path of the chart's folder or archive`,
    });
  }
  return { path: chart.path };
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
