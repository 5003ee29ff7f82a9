import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Duration } from "cdk8s";
import { parse } from "yaml";
import { Vault } from "../../constructs/platform";
import { visible } from "../../constructs/visible";
import { type Adoptable, findAdoptable } from "../adopt/adoptable";
import { type ProviderInputs } from "../adopt/deployment";
import { type Difference, differencesOf, type PreviewStep } from "../adopt/differences";
import { type Fit, fitOf } from "../adopt/fit";
import { findInstallation } from "../adopt/installation";
import { takeFields } from "../adopt/take-fields";
import { exportState, PulumiRefusal, tryAdoption, writeState } from "../adopt/trial";
import { vaultMisfits } from "../adopt/vault-content";
import { writeCaFile } from "../certificates/ca-file";
import { helmReleases } from "../cluster/helm-releases";
import { KubeApi } from "../cluster/kube-api";
import { ownCommand } from "../config/command-line";
import type { Environment, VaultEnvironment } from "../config/environment";
import { projectName } from "../config/project";
import { addressFromHere } from "../config/stores/vault/address";
import { configuredCa, tlsServerName } from "../config/stores/vault/server";
import { VaultSession } from "../operate/stores/vault/session";
import { recordPlan } from "../plan/record";
import { serversReleaseResource } from "../stack/stores/vault/servers-release";
import { nameOf, parseState } from "../state/stack-state";
import { ask } from "./ask";
import { CommandError, exitCodes } from "./exit-codes";
import type { Executable } from "./pulumi-cli";
import { colours, print, printJson, showProgress, tell } from "./terminal";
import type { Workspace } from "./workspace";

export interface AdoptArguments {
  /** Whether to print it for machines; then nothing is asked. */
  readonly json?: boolean;
  /** Whether to take it over, and not to ask. */
  readonly yes?: boolean;
}

/** What is taken over, and what an `up` does after it. */
interface Adoption {
  readonly takes: readonly Taken[];
  /** What `up` makes beside it. */
  readonly makes: readonly { readonly urn: string; readonly what: string }[];
  /** Whether it was taken over. */
  readonly taken: boolean;
}

interface Taken {
  readonly urn: string;
  readonly what: string;
  /** What `up` does with it. */
  readonly change: "none" | "update" | "replace";
  readonly differences: readonly Difference[];
}

/** Shows what the environment's state can take over, and takes it over where that is asked for. */
export async function runAdoption(
  environment: Environment,
  pulumi: Executable,
  openWorkspace: () => Promise<Workspace>,
  { json = false, yes = false }: AdoptArguments,
): Promise<number> {
  const progress = await showProgress("looking at the cluster", json);
  try {
    const api = await KubeApi.connect(environment.kubeContext);
    const installation = await findInstallation(api);
    refuseMisfits(fitOf(environment, installation, chartVersionOf(environment)));
    const session = await openVault(environment);
    if (session !== undefined) {
      const vault = await session.operatorVault();
      await vault.waitUntilUsable(Duration.seconds(5));
      refuse(await vaultMisfits(vault, session.environment));
    }
    const { resources: planned } = await recordPlan(environment);
    const workspace = await openWorkspace();
    const before = await exportState(pulumi, workspace);
    const state = parseState(JSON.stringify(before));
    const surroundings = { api, releases: await helmReleases(api), vault: await session?.operatorVault() };
    const adoptables = await findAdoptable(environment, planned, state, surroundings);
    if (adoptables.length === 0) {
      progress.stop();
      if (json) printJson({ takes: [], makes: [], taken: false } satisfies Adoption);
      else print("Nothing is there that the state has not, and could take over.");
      return exitCodes.done;
    }
    progress.tell("trying it on a copy of the state");
    const { resources, steps } = await tryAdoption(pulumi, workspace, {
      planned,
      adoptables,
      providers: providersOf(environment),
      isKept: (resource) => nameOf(resource) === serversReleaseResource,
    });
    progress.stop();
    const adoption = describe(adoptables, steps);
    if (!json) print(format(environment, adoption));
    const taken = await isAsked(environment, { json, yes });
    if (taken) {
      await takeFields(api, adoptables);
      await writeState(pulumi, workspace, before, resources);
    }
    if (json) printJson({ ...adoption, taken } satisfies Adoption);
    else print(taken ? `Taken over. Next: ${ownCommand("up", environment)}` : "Nothing was taken over.");
    return exitCodes.done;
  } catch (error) {
    if (error instanceof PulumiRefusal) throw new CommandError(error.message, exitCodes.failed);
    throw error;
  } finally {
    progress.stop();
  }
}

/** An external Vault, which is asked; none where the stack makes its own, or the store is another. */
async function openVault(environment: Environment): Promise<VaultSession | undefined> {
  const { vault } = environment;
  return vault?.mode === "external" ? VaultSession.open(environment as VaultEnvironment) : undefined;
}

/** @throws CommandError that names all that does not fit */
function refuseMisfits({ misfits, refusals }: Fit): void {
  refuse([
    ...refusals,
    ...misfits.map(({ found, lines }) =>
      [`The cluster has ${found}. The config that fits:`, ...lines.map((line) => `      ${line}`)].join("\n"),
    ),
  ]);
}

function refuse(refusals: readonly string[]): void {
  if (refusals.length === 0) return;
  throw new CommandError(
    ["Nothing was taken over, and nothing was touched:", ...refusals.map((each) => `  ${each}`)].join("\n"),
    exitCodes.invalid,
  );
}

/** Version of HashiCorp's chart that the environment installs. */
function chartVersionOf({ vault, charts }: Environment): string | undefined {
  if (vault === undefined) return undefined;
  const chart = charts.store ?? Vault.defaultChart;
  if (!("path" in chart)) return chart.version;
  const file = join(chart.path, "Chart.yaml");
  return existsSync(file) ? (parse(readFileSync(file, "utf8")) as { version?: string }).version : undefined;
}

/** What an import needs of the providers; Vault's token comes by VAULT_TOKEN. */
function providersOf(environment: Environment): ProviderInputs {
  const kubernetes = { context: environment.kubeContext };
  const { vault } = environment;
  if (vault?.mode !== "external") return { "pulumi:providers:kubernetes": kubernetes };
  const known = environment as VaultEnvironment;
  const ca = configuredCa(known);
  const serverName = tlsServerName(known);
  return {
    "pulumi:providers:kubernetes": kubernetes,
    "pulumi:providers:vault": {
      address: addressFromHere(vault),
      skipChildToken: "true",
      ...(vault.vaultNamespace === undefined ? {} : { namespace: vault.vaultNamespace }),
      ...(serverName === undefined ? {} : { tlsServerName: serverName }),
      ...(ca === undefined ? {} : { caCertFile: writeCaFile(`${projectName}.${environment.name}`, ca) }),
    },
  };
}

function describe(adoptables: readonly Adoptable[], steps: readonly PreviewStep[]): Omit<Adoption, "taken"> {
  const byUrn = new Map(steps.map((step) => [step.urn, step]));
  const takes = adoptables.map(({ resource, what }): Taken => {
    const { urn } = resource;
    const step = byUrn.get(urn);
    if (step === undefined || step.op === "same") return { urn, what, change: "none", differences: [] };
    const change = step.op.includes("replace") ? "replace" : "update";
    return { urn, what, change, differences: differencesOf(step) };
  });
  const makes = steps.flatMap(({ op, urn, newState }) => {
    const what = op === "create" && newState !== undefined ? nameMade(newState) : undefined;
    return what === undefined ? [] : [{ urn, what }];
  });
  return { takes, makes };
}

/** What a new resource is, for a user; components are nothing of their own. */
function nameMade({ type, inputs = {} }: NonNullable<PreviewStep["newState"]>): string | undefined {
  const kind = type.split(":").pop()!;
  const { metadata, name, namespace, path, backend } = inputs as {
    readonly metadata?: { readonly name?: string; readonly namespace?: string };
    readonly [key: string]: unknown;
  };
  const place = metadata ?? { name, namespace };
  if (!type.startsWith("kubernetes:") && !type.startsWith("vault:")) return undefined;
  const called = [place.namespace, place.name ?? path ?? backend].filter((part) => typeof part === "string").join("/");
  return called === "" ? kind : `${kind} ${called}`;
}

/** Lines of one resource that are shown; a Deployment has many. */
const mostLines = 12;

function format(environment: Environment, { takes, makes }: Omit<Adoption, "taken">): string {
  const effects = {
    none: "stays as it is",
    update: "`up` then changes it:",
    replace: colours.red("`up` then REPLACES it: its pods end, and new ones start:"),
  };
  const lines = takes.flatMap(({ what, change, differences }) => {
    const shown = selectorFirst(differences).slice(0, mostLines);
    const rest = differences.length - shown.length;
    return [
      `  ${colours.bold(visible(what))}: ${shown.length === 0 && change === "update" ? "no field of it differs; `up` may write it anew" : effects[change]}`,
      ...shown.map(({ path, now = "(not there)", then = "(the default)" }) =>
        visible(`      ${path}: ${shorten(now)} → ${shorten(then)}`),
      ),
      ...(rest > 0 ? [`      and ${rest} more fields: --json shows all`] : []),
    ];
  });
  const servers = environment.vault?.mode === "external" ? environment.vault.serversRelease : undefined;
  return [
    "This can be taken over into the state, as it is:",
    ...lines,
    "",
    `\`up\` then makes: ${makes.map(({ what }) => what).join(", ") || "nothing"}`,
    "No secret is read, written or taken over, and no KV mount.",
    "`destroy` would remove what was taken over" +
      (servers === undefined
        ? "."
        : `, but for the release ${servers.namespace}/${servers.name}: Vault's servers stay, with all that they hold.`),
  ].join("\n");
}

/** What forces a replacement is what a reader looks for. */
function selectorFirst(differences: readonly Difference[]): readonly Difference[] {
  const isSelector = ({ path }: Difference): boolean => path.startsWith("spec.selector");
  return [...differences.filter(isSelector), ...differences.filter((each) => !isSelector(each))];
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 97)}…`;
}

/** Whether to take it over: by the flag, or a typed yes; where nobody can be asked it is shown only. */
async function isAsked({ name }: Environment, { json, yes }: Required<AdoptArguments>): Promise<boolean> {
  if (yes) return true;
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) {
    if (!json) tell("Shown only: pass --yes to take it over.");
    return false;
  }
  return (await ask(`Take it over into the state of "${name}"? Write yes: `)) === "yes";
}
