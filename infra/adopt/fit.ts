import { Vault } from "../../constructs/platform/index";
import { shellCommand } from "../../constructs/shell-command";
import type { FoundRelease } from "../cluster/helm-releases";
import { asOneKey } from "../config/all-keys";
import { ownCommand } from "../config/command-line";
import type { Environment, VaultEnvironment } from "../config/environment";
import { storeConfigOf } from "../config/stores";
import { awsProvider } from "../config/stores/aws/provider";
import { keyVaultProvider } from "../config/stores/azure-key-vault/provider";
import type { Installation } from "./installation";

/** A key of the config that does not fit what is there. */
export interface Misfit {
  /** What is there. */
  readonly found: string;
  /** Lines of the config that fit, without the project's prefix. */
  readonly lines: readonly string[];
}

/** Whether the environment's config can take an installation over. */
export interface Fit {
  readonly misfits: readonly Misfit[];
  /** Why it cannot be taken over at all, with the way out. */
  readonly refusals: readonly string[];
}

/**
 * Compares the config with what is there.
 *
 * @param chartVersion version of HashiCorp's chart that the environment installs; undefined where it is not known
 */
export function fitOf(environment: Environment, installation: Installation, chartVersion: string | undefined): Fit {
  return {
    misfits: [
      ...driverMisfits(environment, installation),
      ...providerMisfits(environment, installation),
      ...(environment.vault === undefined ? [] : vaultMisfits(environment, installation, chartVersion)),
      ...aidboxMisfits(environment, installation),
    ],
    refusals: [
      ...ownerRefusals(installation),
      ...(environment.vault === undefined ? [] : devRefusals(environment, installation)),
    ],
  };
}

function ownerRefusals({ driverOwner }: Installation): string[] {
  if (driverOwner === undefined) return [];
  return [
    `The CSI driver belongs to the stack ${driverOwner}, and what a stack has made nobody adopts: write csiDriver.install: false`,
  ];
}

function driverMisfits({ csiDriver }: Environment, { driver, hasDriver, driverOwner }: Installation): Misfit[] {
  if (!csiDriver.install || driverOwner !== undefined) return [];
  if (driver === undefined) {
    if (!hasDriver) return [];
    return [{ found: "the CSI driver, by no Helm release", lines: ["csiDriver: { install: false }"] }];
  }
  if (driver.name === csiDriver.release && driver.namespace === csiDriver.namespace) return [];
  return [
    {
      found: `the CSI driver, by the Helm release ${placeOf(driver)}`,
      lines: [`csiDriver: { release: ${driver.name}, namespace: ${driver.namespace} }`],
    },
  ];
}

/** Of another store than Vault, whose provider has a release of its own. */
function providerMisfits(environment: Environment, { providers }: Installation): Misfit[] {
  const { key, chart } = storeConfigOf(environment);
  const found = providers.find((each) => each.chart === chart);
  const own = ownProvider(environment);
  if (found === undefined || own === undefined) return [];
  if (found.name === own.releaseName && found.namespace === own.namespace) return [];
  return [
    { found: `the store's CSI provider, by the Helm release ${placeOf(found)}`, lines: [`${key}.csiProvider: there`] },
  ];
}

function ownProvider(
  environment: Environment,
): { readonly releaseName: string; readonly namespace: string } | undefined {
  if (environment.azureKeyVault !== undefined) return keyVaultProvider(environment);
  return environment.awsSecrets === undefined ? undefined : awsProvider(environment);
}

const isDev = ({ values }: FoundRelease): boolean => valueAt(values, "server", "dev", "enabled") === true;
const hasProvider = ({ values }: FoundRelease): boolean => valueAt(values, "csi", "enabled") === true;
const hasServer = ({ values }: FoundRelease): boolean => valueAt(values, "server", "enabled") !== false;

function vaultMisfits(
  { vault }: VaultEnvironment,
  { vaults }: Installation,
  chartVersion: string | undefined,
): Misfit[] {
  const kept = vaults.filter((release) => !isDev(release));
  const servers = kept.find(hasServer);
  const withProvider = kept.find(hasProvider);
  if (vault.mode !== "external") {
    if (servers === undefined) return [];
    return [
      {
        found: `Vault, by the Helm release ${placeOf(servers)}: its servers stay as they are, and what they hold`,
        lines: externalLines(servers, withProvider),
      },
    ];
  }
  const { serversRelease } = vault;
  if (withProvider === undefined || !vault.csiProvider) return [];
  if (serversRelease?.name !== withProvider.name || serversRelease.namespace !== withProvider.namespace) {
    return [
      {
        found: `Vault's CSI provider, by the Helm release ${placeOf(withProvider)}`,
        lines: [
          `vault.serversRelease: { name: ${withProvider.name}, namespace: ${withProvider.namespace} }`,
          "or, and the provider stays where it is, vault.csiProvider: false",
        ],
      },
    ];
  }
  if (chartVersion === undefined || chartVersion === withProvider.chartVersion) return [];
  // Another chart would bring the servers another image, and more.
  const { repository } = Vault.defaultChart as { readonly repository: string };
  return [
    {
      found: `the Helm release ${placeOf(withProvider)} is of version ${withProvider.chartVersion} of its chart, and not ${chartVersion}`,
      lines: [`vault.chart: { repository: "${repository}", version: ${withProvider.chartVersion} }`],
    },
  ];
}

function externalLines(servers: FoundRelease, withProvider: FoundRelease | undefined): string[] {
  const { namespace, values } = servers;
  const service = serviceOf(servers);
  const hasTls = valueAt(values, "global", "tlsDisable") === false;
  const ha = valueAt(values, "server", "ha", "enabled") === true ? "-active" : "";
  const forward = shellCommand("kubectl", "-n", namespace, "port-forward", `svc/${service}`, "8200");
  return [
    "vault:",
    "  mode: external",
    `  address: ${hasTls ? "https" : "http"}://${service}${ha}.${namespace}:8200`,
    `  addressFromHere: ${hasTls ? "https" : "http"}://127.0.0.1:8200 # while \`${forward}\` runs`,
    ...(withProvider === undefined
      ? []
      : [`  serversRelease: { name: ${withProvider.name}, namespace: ${withProvider.namespace} }`]),
    "  login: { method: kubernetes }",
    "namespaces: { options: { vault: { create: false } } }",
    ...(hasTls ? [] : ["allowPlaintext: [vault.address, vault.addressFromHere] # UNSAFE: this Vault has no TLS"]),
  ];
}

/** In memory: a restart loses all, and so it is nothing to build on. */
function devRefusals(environment: VaultEnvironment, { vaults, driver, mounting }: Installation): string[] {
  return vaults.filter(isDev).map((release) => {
    const { kubeContext, table, vault } = environment;
    const pod = `${serviceOf(release)}-0`;
    const exec = ["--context", kubeContext, "-n", release.namespace, "exec", pod, "--", "vault", "kv", "get"];
    const copies = table.secrets.map(asOneKey).map((secret) => {
      const read = shellCommand(
        "kubectl",
        ...exec,
        `-mount=${vault.kvMount.path}`,
        `-field=${secret.key}`,
        secret.path,
      );
      return `     ${read} | ${ownCommand("write", environment, secret.name)}`;
    });
    return [
      `The Helm release ${placeOf(release)} is a Vault in dev mode: it is in memory, and its next restart loses every secret. ` +
        "It is not taken over. To copy its secrets to a Vault that stays:",
      "  1. Write beside the rest of the config, with each row of source external:",
      "       vault: { mode: standalone, csiProvider: false }",
      "       csiDriver: { install: false }",
      `  2. \`${ownCommand("up", environment)}\`, \`${ownCommand("vault:init", environment)}\`, and \`${ownCommand("up", environment)}\` again: it waits for the secrets. Copy each:`,
      ...copies,
      "  3. Take the guide's own away, Aidbox with it, and both keys false out of the config:",
      ...mounting.map(
        ({ namespace, name }) =>
          `     ${shellCommand("kubectl", "--context", kubeContext, "-n", namespace, "delete", "deployment", name)}`,
      ),
      ...[release, ...(driver === undefined ? [] : [driver])].map(
        ({ name, namespace }) =>
          `     ${shellCommand("helm", "--kube-context", kubeContext, "uninstall", name, "--namespace", namespace)}`,
      ),
      `  4. \`${ownCommand("up", environment)}\``,
    ].join("\n");
  });
}

/** Whoever logs in with the role that is taken over must be the Aidbox that is deployed, or it loses its secrets. */
function aidboxMisfits({ vault, namespaces, aidbox }: Environment, { mounting }: Installation): Misfit[] {
  if (vault === undefined) return [];
  const roles = [...new Set(mounting.flatMap(({ role }) => (role === undefined ? [] : [role])))];
  const ours = mounting.filter(({ role }) => role === vault.role);
  if (ours.length === 0 && roles.length === 1) {
    return [{ found: `pods that log in to Vault with the role ${roles[0]!}`, lines: [`vault.role: ${roles[0]!}`] }];
  }
  return ours
    .filter(({ namespace, name }) => namespace !== namespaces.aidbox || name !== aidbox.name)
    .map(({ namespace, name }) => ({
      found: `Deployment ${namespace}/${name}, which logs in to Vault with the role ${vault.role}`,
      lines: [
        `namespaces: { aidbox: ${namespace}, options: { aidbox: { create: false } } }`,
        ...(name === "aidbox" && aidbox.name === "aidbox" ? [] : [`aidbox.name: ${name}`]),
      ],
    }));
}

/** Name that the chart gives the servers' StatefulSet and Service. */
function serviceOf({ name, values }: FoundRelease): string {
  const { fullnameOverride = name.includes("vault") ? name : `${name}-vault` } = values;
  return String(fullnameOverride);
}

function placeOf({ name, namespace }: FoundRelease): string {
  return `${namespace}/${name}`;
}

function valueAt(values: unknown, ...path: readonly string[]): unknown {
  return path.reduce((part, key) => (Object(part) as Record<string, unknown>)[key], values);
}
