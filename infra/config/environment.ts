import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { HelmChart } from "../../constructs/platform";
import { findProblems, type Problem, type SecretSpec, SecretTable } from "../../constructs/secrets";
import { type EnvironmentConfig, environmentSchema } from "./schema";

/** The project of `Pulumi.yaml`: the prefix of every config key. */
export const projectName = "aidbox-secrets";

/** Config keys that hold secrets: the engine decrypts them, the schema does not see them. */
export const secretKeys: readonly string[] = ["values", "vaultToken"];

/** Kubelet publishes a volume again every minute, or up to half as much later, unless its syncFrequency is changed. */
const kubeletBoundSeconds = 90;

/** One environment, checked: what `Pulumi.<env>.yaml` says, as typed values. */
export interface Environment extends Omit<EnvironmentConfig, "secrets" | "mountPath" | "rotationBound"> {
  /** Name of the stack, as `dev`. */
  readonly name: string;
  readonly table: SecretTable;
  readonly rotationBoundSeconds: number;
  readonly tokenTtlSeconds: number;
  /** Charts from `CHARTS_DIR` or config; where undefined, the components' own. */
  readonly charts: {
    readonly csiDriver: HelmChart | undefined;
    readonly vault: HelmChart | undefined;
  };
}

/** Config that cannot be used. The message lists every problem. */
export class ConfigError extends Error {
  public constructor(
    public readonly environment: string,
    public readonly problems: readonly Problem[],
  ) {
    super(
      [
        `The config of environment "${environment}" (Pulumi.${environment}.yaml) is not valid:`,
        ...problems.map(({ key, message }) => (key === "" ? `  ${message}` : `  ${projectName}:${key}: ${message}`)),
      ].join("\n"),
    );
    this.name = "ConfigError";
  }
}

/**
 * Checks an environment's config before anything is touched.
 *
 * @param name name of the environment
 * @param config values by key, without the project's prefix and without the keys that hold secrets
 * @param chartsDir folder with the charts, used instead of the repositories (`CHARTS_DIR`)
 * @throws ConfigError with every problem
 */
export function checkEnvironment(name: string, config: Record<string, unknown>, chartsDir?: string): Environment {
  const parsed = environmentSchema.safeParse(config, { reportInput: true });
  const problems: Problem[] = (parsed.error?.issues ?? []).flatMap((issue) => describeIssue(issue));
  problems.push(...tableProblems(config), ...crossProblems(config));
  const charts = {
    csiDriver: findChart("csiDriver", "secrets-store-csi-driver", parsed.data?.csiDriver.chart, chartsDir, problems),
    vault: findChart("vault", "vault", parsed.data?.vault.chart, chartsDir, problems),
  };
  if (!parsed.success || problems.length > 0) throw new ConfigError(name, problems);

  const { secrets, mountPath, rotationBound, ...rest } = parsed.data;
  return {
    ...rest,
    name,
    table: new SecretTable({
      kvMount: rest.vault.kvMount.path,
      mountPath,
      secrets,
    }),
    rotationBoundSeconds: seconds(rotationBound),
    tokenTtlSeconds: seconds(rest.vault.tokenTtl),
    charts,
  };
}

/** The project's own keys of a stack's config, without prefix and without those that hold secrets. */
export function ownKeys(config: Record<string, unknown>): Record<string, unknown> {
  const prefix = `${projectName}:`;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const)
      .filter(([key]) => !secretKeys.includes(key)),
  );
}

type Issue = NonNullable<ReturnType<typeof environmentSchema.safeParse>["error"]>["issues"][number];

function describeIssue(issue: Issue): Problem[] {
  const key = issue.path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((unknown) => ({
      key: key === "" ? unknown : `${key}.${unknown}`,
      message: "is not a key that this stack knows: look it up in the README's config table, or remove it",
    }));
  }
  if (issue.input === undefined) return [{ key, message: `is missing: ${issue.message}` }];
  return [{ key, message: `${JSON.stringify(issue.input)}: ${issue.message}` }];
}

/** The rules of the secrets table, also where other keys are wrong, so that all errors show at once. */
function tableProblems(config: Record<string, unknown>): Problem[] {
  const { secrets, mountPath } = config;
  const rows = Array.isArray(secrets) ? (secrets as unknown[]) : undefined;
  const wellTyped = rows?.every(
    (row): row is SecretSpec =>
      typeof row === "object" && row !== null && Object.values(row).every((value) => typeof value !== "number"),
  );
  if (rows === undefined || !wellTyped) return [];
  return findProblems({
    kvMount: "secret",
    mountPath: typeof mountPath === "string" ? mountPath : "/run/vault-secrets",
    secrets: rows,
  });
}

function crossProblems(config: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  const vault = config.vault as { mode?: unknown } | undefined;
  if (vault?.mode === "dev" && config.development !== true) {
    problems.push({
      key: "vault.mode",
      message: '"dev": keeps secrets in memory and is for development: set development: true, or use mode: external',
    });
  }
  const bound = config.rotationBound;
  if (typeof bound === "string" && /^\d+[smh]$/.test(bound) && seconds(bound) < kubeletBoundSeconds) {
    problems.push({
      key: "rotationBound",
      message:
        `"${bound}": kubelet publishes a volume again only every 60 to ${kubeletBoundSeconds} s: ` +
        `write ${kubeletBoundSeconds}s or more`,
    });
  }
  return problems;
}

function findChart(
  key: string,
  name: string,
  chart: EnvironmentConfig["vault"]["chart"],
  chartsDir: string | undefined,
  problems: Problem[],
): HelmChart | undefined {
  if (chartsDir !== undefined) {
    const found = existsSync(chartsDir)
      ? readdirSync(chartsDir).find((file) => file === name || (file.startsWith(name) && /\.(tgz|tar\.gz)$/.test(file)))
      : undefined;
    if (found === undefined) {
      problems.push({
        key: `${key}.chart`,
        message: `CHARTS_DIR ${JSON.stringify(chartsDir)} has no ${name}: put its folder or archive there, or unset it`,
      });
      return undefined;
    }
    return { path: join(chartsDir, found) };
  }
  if (chart === undefined) return undefined;
  if ("repository" in chart) return { ...chart, name };
  if (!existsSync(chart.path)) {
    problems.push({
      key: `${key}.chart.path`,
      message: `${JSON.stringify(chart.path)}: is not there: write the path of the chart's folder or archive`,
    });
  }
  return { path: chart.path };
}

function seconds(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600 }[duration.slice(-1)] ?? 1;
  return Number(duration.slice(0, -1)) * unit;
}
