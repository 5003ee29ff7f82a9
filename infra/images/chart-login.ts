import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { HelmChart } from "../../constructs/platform";
import { proxyFor } from "../../constructs/proxy";
import type { Problem } from "../../constructs/secrets";
import { shellCommand } from "../../constructs/shell-command";
import { ConfigError } from "../config/config-error";
import type { Environment } from "../config/environment";
import { storeConfigOf } from "../config/stores";

/** How long a registry may take to answer, in ms. */
const patience = 5000;

/**
 * Makes sure that registries of charts which ask for a login have one, as Helm keeps it. A registry that does not answer, or that
 * hands out tokens, is Helm's to judge.
 *
 * @throws ConfigError with the command that logs in
 */
export async function assertChartLogins(environment: Environment): Promise<void> {
  const { csiDriver, store } = environment.charts;
  const problems = await Promise.all([
    loginProblems("csiDriver", csiDriver),
    loginProblems(storeConfigOf(environment).key, store),
  ]);
  if (problems.flat().length > 0) throw new ConfigError(environment.name, problems.flat());
}

async function loginProblems(key: string, chart: HelmChart | undefined): Promise<Problem[]> {
  if (chart === undefined || !("repository" in chart) || !chart.repository.startsWith("oci://")) return [];
  const { host } = new URL(chart.repository.replace(/^oci:/, "https:"));
  if (hasLogin(host) || !(await asksForPassword(host).catch(() => false))) return [];
  const login = shellCommand("helm", "registry", "login", host, "--username", "USER", "--password-stdin");
  const message = `"${chart.repository}": this registry asks for a login, and Helm has none for it: ${login}`;
  return [{ key: `${key}.chart.repository`, message }];
}

/** Whether Helm, or Docker, whose logins it takes too, has a login. Where a helper of theirs keeps them, it may have. */
function hasLogin(host: string): boolean {
  return [helmLogins(), join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json")].some((file) => {
    const { auths, credHelpers, credsStore } = loginsIn(file);
    return credsStore !== undefined || [auths, credHelpers].some((each) => Object.keys(each ?? {}).includes(host));
  });
}

function loginsIn(file: string): {
  readonly auths?: object;
  readonly credHelpers?: object;
  readonly credsStore?: unknown;
} {
  try {
    return Object(JSON.parse(readFileSync(file, "utf8"))) as object;
  } catch {
    return {};
  }
}

/** @see https://helm.sh/docs/helm/helm/ "Helm stores cache, configuration, and data based on the following configuration order" */
function helmLogins(): string {
  const { HELM_REGISTRY_CONFIG, HELM_CONFIG_HOME, XDG_CONFIG_HOME, APPDATA } = process.env;
  const own: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(homedir(), "Library/Preferences"),
    win32: APPDATA ?? homedir(),
  };
  const home = HELM_CONFIG_HOME ?? join(XDG_CONFIG_HOME ?? own[process.platform] ?? join(homedir(), ".config"), "helm");
  return HELM_REGISTRY_CONFIG ?? join(home, "registry/config.json");
}

/** Asks as Helm does, by the same proxy and the same CA, but with no login. */
async function asksForPassword(host: string): Promise<boolean> {
  const { Agent, fetch, ProxyAgent } = await import("undici");
  const url = `https://${host}/v2/`;
  const proxy = proxyFor(url);
  const { SSL_CERT_FILE } = process.env;
  const tls = SSL_CERT_FILE === undefined ? {} : { ca: readFileSync(SSL_CERT_FILE) };
  const dispatcher =
    proxy === undefined ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy, requestTls: tls });
  try {
    const { status, headers } = await fetch(url, { dispatcher, signal: AbortSignal.timeout(patience) });
    return status === 401 && /^basic\b/i.test(headers.get("www-authenticate") ?? "");
  } finally {
    await dispatcher.destroy();
  }
}
