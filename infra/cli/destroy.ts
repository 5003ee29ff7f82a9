import { shellCommand } from "../../constructs/shell-command";
import { vaultSnapshotsName } from "../../constructs/stores/vault/names";
import { KubeApi } from "../cluster/kube-api";
import { stateMarkLabel } from "../cluster/ownership";
import { ownCommand } from "../config/command-line";
import { postgresName } from "../config/database";
import type { Environment } from "../config/environment";
import { namespacesOf } from "../config/namespaces";
import { storeConfigOf } from "../config/stores";
import { isStored, keepsVolumes } from "../config/stores/vault/server";
import { firstLine } from "../operate/errors";
import { claimsIn } from "../state/claims";
import { endCommand, endVolume } from "../state/end-command";
import type { StateResource } from "../state/stack-state";
import { describeHeld, type Held, type ValueHolder, valueHolders } from "../state/value-holders";
import { CommandError, exitCodes } from "./exit-codes";

/** Pulumi's command line for the stack, as a user runs it. */
export type PulumiCommand = (...args: string[]) => string;

/**
 * Looks, before a `destroy` outside development, whether all that holds values outlives it.
 *
 * @returns what stays
 * @throws CommandError where something would not, with the ways out; nothing was touched
 */
export async function checkDestroy(
  environment: Environment,
  state: readonly StateResource[],
  pulumi: PulumiCommand,
): Promise<readonly Held[]> {
  const holders = valueHolders(state);
  const refusals = [
    ...holders.flatMap((holder) => refusalOf(environment, holder, pulumi)),
    ...(await Promise.all(holders.map((holder) => namespaceRefusal(environment, holder)))).flat(),
  ];
  if (refusals.length > 0) {
    throw new CommandError(
      ["This would end what holds values, so nothing was touched:", ...refusals.map((each) => `  ${each}`)].join("\n"),
      exitCodes.invalid,
    );
  }
  return holders.map(({ held }) => held).filter(({ kind }) => ["secret", "mount", "seal token"].includes(kind));
}

function refusalOf(environment: Environment, { resource, held }: ValueHolder, pulumi: PulumiCommand): string[] {
  const what = describeHeld(held);
  if (held.kind === "servers" && resource.protect) {
    return [
      `${what} is protected. \`${pulumi("state", "unprotect", resource.urn)}\` lets it go` +
        (retainsServers(environment) ? "; its volumes stay, with every secret" : ", with its volumes and every secret"),
    ];
  }
  if ((held.kind === "secret" || held.kind === "mount") && !resource.retainOnDelete) {
    return [
      `${what} would be deleted, as an older version of this program wrote into the state: run ` +
        `\`${ownCommand("up", environment)}\` once, which protects it`,
    ];
  }
  return [];
}

async function namespaceRefusal(environment: Environment, { resource, held }: ValueHolder): Promise<string[]> {
  if (held.kind !== "namespace" || resource.retainOnDelete) return [];
  const names = await claimsIn(await KubeApi.connect(environment.kubeContext), held.name);
  const others = names.filter((name) => !isServers(environment, held.name, name));
  return others.map(
    (name) =>
      `namespace ${held.name} would go with the volume ${name}, which is not this stack's: move it, or delete it by name ` +
      `first: \`${endVolume(environment, { namespace: held.name, name })}\``,
  );
}

/** Whether a volume is of Vault's servers: where their namespace goes, the config lets them go with it. */
function isServers({ vault, namespaces }: Environment, namespace: string, claim: string): boolean {
  if (vault === undefined || !isStored(vault) || namespace !== namespaces.vault) return false;
  // A StatefulSet's claims end with the number of the pod: of a release of a longer name there is more between.
  return ["data", "audit"].some((each) => {
    const start = `${each}-${vault.release}-`;
    return claim.startsWith(start) && /^\d+$/.test(claim.slice(start.length));
  });
}

function isSnapshots({ vault, namespaces }: Environment, namespace: string, claim: string): boolean {
  return vault !== undefined && namespace === namespaces.vault && claim === vaultSnapshotsName(vault.release);
}

/** What stays after a `destroy`, for the user: each with the command that ends it. */
export async function describeKept(environment: Environment, kept: readonly Held[]): Promise<string> {
  // It was carried out, be the cluster there or not.
  const unseen = (error: unknown): string => `What stays could not be looked at: ${firstLine(error)}`;
  const parts = await Promise.all(
    [keptInStore(environment, kept), keptInGivenNamespaces(environment)].map((part) => part.catch(unseen)),
  );
  return [...new Set(parts)].filter((part) => part !== "").join("\n");
}

/** Volumes that would go with their namespace, where somebody else made that, and it stays. */
async function keptInGivenNamespaces(environment: Environment): Promise<string> {
  const given = namespacesOf(environment).filter(({ create }) => !create);
  if (given.length === 0) return "";
  const api = await KubeApi.connect(environment.kubeContext);
  const lines = await Promise.all(
    given.map(async ({ name: namespace }) =>
      (await claimsIn(api, namespace))
        .filter((name) => isOwnVolume(environment, namespace, name))
        .map((name) => `  volume claim ${namespace}/${name}: ${endVolume(environment, { namespace, name })}`),
    ),
  );
  if (lines.flat().length === 0) return "";
  return ["These stay in namespaces that somebody else made. Each command ends one for good:", ...lines.flat()].join(
    "\n",
  );
}

/** Whether a claim is of the stack's PostgreSQL for development, or of its Vault's servers or their snapshots. */
function isOwnVolume(environment: Environment, namespace: string, name: string): boolean {
  const isOfPostgres = [environment, ...environment.tenants].some(
    (each) => each.namespaces.aidbox === namespace && postgresName(each.aidbox.name) === name,
  );
  // Outside development those are told of with the values that stay.
  const isOfVault = isServers(environment, namespace, name) || isSnapshots(environment, namespace, name);
  return isOfPostgres || (environment.development && isOfVault);
}

async function keptInStore(environment: Environment, kept: readonly Held[]): Promise<string> {
  if (environment.vault === undefined) return storeConfigOf(environment).stays?.(environment) ?? "";
  const { vault, namespaces, kubeContext } = environment;
  if (kept.length === 0) return "";
  if (!isStored(vault)) {
    const lines = kept.map((held) => `  ${describeHeld(held)}: ${endCommand(environment, held)}`);
    return [
      "These stay, since they hold values, whatever Pulumi says above. Each command ends one for good:",
      ...lines,
    ].join("\n");
  }
  if (!keepsVolumes(environment)) return "";
  const namespace = namespaces.vault;
  const names = await claimsIn(await KubeApi.connect(kubeContext), namespace);
  const own = names.filter(
    (name) => isServers(environment, namespace, name) || isSnapshots(environment, namespace, name),
  );
  const volumes = own.map((name): Held => ({ kind: "volume", namespace, name }));
  const tokens = kept.filter(({ kind }) => kind === "seal token");
  const onVolumes = kept.filter(({ kind }) => kind !== "seal token");
  const content = vault.storage.retain ? onVolumes.map(describeHeld).join(", ") : "snapshots of Vault";
  return [
    `These stay, with ${content}. Each command ends one for good:`,
    ...[...volumes, ...tokens].map((held) => `  ${describeHeld(held)}: ${endCommand(environment, held)}`),
    ...(namespaces.options.vault.create
      ? [
          `To deploy on them again: ${shellCommand("kubectl", "--context", kubeContext, "label", "namespace", namespace, `${stateMarkLabel}-`)}`,
        ]
      : []),
  ].join("\n");
}

function retainsServers({ vault }: Environment): boolean {
  return vault !== undefined && isStored(vault) && vault.storage.retain;
}
