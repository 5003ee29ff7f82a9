import { shellCommand } from "../../constructs/shell-command";
import { ownCommand } from "../config/command-line";
import type { Environment, VaultEnvironment } from "../config/environment";
import { namespacesOf } from "../config/namespaces";
import { ownsAuthMount } from "../config/stores/vault/login";
import { vaultPaths } from "../config/stores/vault/server";
import { endCommand, endVolume } from "./end-command";
import { type Planned, plannedHolders, resourceKey } from "./planned";
import { nameOf, type StateResource } from "./stack-state";
import { describeHeld, type Held, holderTypes, placeOf, type ValueHolder, valueHolders } from "./value-holders";

/** What a config has `up` do to the values that a stack's state holds. */
export interface Comparison {
  /** What stays though the config no longer has it, and what changes hands; for the user. */
  readonly notices: readonly string[];
  /** What `up` must not do, with both ways out; for the user. */
  readonly refusals: readonly string[];
  /** Resources that the config no longer has, and that Pulumi would delete, by what the state says of them. */
  readonly unprotected: readonly StateResource[];
  /** Namespaces that the config no longer has, with all that is in them. */
  readonly leavingNamespaces: readonly string[];
}

/**
 * Compares the state with the config before anything is touched. Pulumi deletes what the config no longer has by what
 * the state says of it, not by the program.
 */
export function compareWithState(environment: Environment, state: readonly StateResource[]): Comparison {
  if (environment.vault === undefined) return compareWithoutVault(environment, state);
  const planned = plannedHolders(environment);
  const leaving = valueHolders(state).filter(
    ({ resource, held }) => !planned.places.has(placeOf(held)) || !isPlannedInVault(resource, planned),
  );
  const notices: string[] = [];
  const refusals: string[] = [];
  const unprotected: StateResource[] = [];
  const leavingNamespaces: string[] = [];
  for (const holder of leaving) {
    const { resource, held } = holder;
    switch (held.kind) {
      case "namespace":
        if (isGiven(environment, held.name)) refusals.push(givenRefusal(environment, held.name));
        else leavingNamespaces.push(held.name);
        break;
      case "servers":
        // Taking the protection away by hand says that nothing in them is needed.
        if (environment.development || resource.protect) refusals.push(serversRefusal(environment, holder));
        break;
      case "secret":
      case "mount":
      case "volume":
      case "seal token": {
        const notice = noticeOf(environment, planned, held);
        if (notice !== undefined) notices.push(notice);
        if (resource.retainOnDelete) break;
        const isMoved = planned.keys.has(resourceKey(resource.type, nameOf(resource)));
        const isInVault = held.kind === "secret" || held.kind === "mount";
        if (isMoved || !isInVault) refusals.push(unprotectedRefusal(environment, holder));
        else unprotected.push(resource);
      }
    }
  }
  const authMounts = leavingAuthMounts(environment, state);
  for (const { inputs } of authMounts.filter(({ inputs: { path } }) => path !== undefined)) {
    notices.push(`auth/${String(inputs.path)} stays with all that it holds, and is no longer this stack's.`);
  }
  return { notices, refusals, unprotected: [...unprotected, ...authMounts], leavingNamespaces };
}

const authMountTypes = [
  "vault:index/authBackend:AuthBackend",
  "vault:jwt/authBackend:AuthBackend",
  "vault:kubernetes/authBackendConfig:AuthBackendConfig",
];

/** An auth mount that this stack made, where the config calls it another's: others may log in there by now. */
function leavingAuthMounts(environment: VaultEnvironment, state: readonly StateResource[]): StateResource[] {
  if (ownsAuthMount(environment)) return [];
  return state.filter(({ type, retainOnDelete }) => authMountTypes.includes(type) && !retainOnDelete);
}

/** Of a stack whose store keeps its values outside the state. What an earlier store left in it is not this config's to end. */
function compareWithoutVault(environment: Environment, state: readonly StateResource[]): Comparison {
  const planned = plannedHolders(environment);
  const leaving = valueHolders(state).filter(({ held }) => !planned.places.has(placeOf(held)));
  const inVault = leaving.filter(({ held }) => held.kind !== "volume" && held.kind !== "namespace");
  const namespaces = leaving.flatMap(({ held }) => (held.kind === "namespace" ? [held.name] : []));
  return {
    notices: leaving.flatMap(({ held }) =>
      held.kind === "volume" ? [stays(describeHeld(held), endVolume(environment, held))] : [],
    ),
    refusals: [
      ...inVault.map(
        ({ held }) =>
          `vault: ${describeHeld(held)} is this stack's, which had Vault as its store, and a stack keeps its store: put vault ` +
          "back; or write another environment's file, and bring the values over",
      ),
      ...namespaces.filter((name) => isGiven(environment, name)).map((name) => givenRefusal(environment, name)),
    ],
    unprotected: [],
    leavingNamespaces: namespaces.filter((name) => !isGiven(environment, name)),
  };
}

/** Whether the config says of a namespace that somebody else made it. */
function isGiven(environment: Environment, name: string): boolean {
  return namespacesOf(environment).some((each) => !each.create && each.name === name);
}

function givenRefusal(environment: Environment, name: string): string {
  const { optionsKey } = namespacesOf(environment).find((each) => each.name === name)!;
  return (
    `${optionsKey}.create: false, and this stack made namespace ${name}: it would go, with all that is in it: leave create ` +
    "out, or name another namespace"
  );
}

/** Whether it is no resource in Vault, or one that the config makes too, whatever it holds there. */
function isPlannedInVault(resource: StateResource, { keys }: Planned): boolean {
  const inVault: readonly string[] = [holderTypes.seeded, holderTypes.managed, holderTypes.mount];
  return !inVault.includes(resource.type) || keys.has(resourceKey(resource.type, nameOf(resource)));
}

/** What the user is to know of a value that stays; nothing where the row itself does. */
function noticeOf(environment: VaultEnvironment, { sources }: Planned, held: Held): string | undefined {
  const what = describeHeld(held);
  const source = sources.get(placeOf(held));
  if (held.kind === "secret" && source !== undefined) {
    if (source === held.source) return undefined; // of a tenant with another name
    const value = source === "managed" ? "the config's value becomes its next version" : "its value stays in force";
    return `${what} was ${held.source} and is ${source} from now on: ${value}, and the former versions stay.`;
  }
  if (held.kind === "mount" && held.mount === vaultPaths(environment).kvMount) {
    return `${what} stays with all that it holds, and is no longer this stack's.`;
  }
  return stays(what, endCommand(environment, held));
}

function stays(what: string, end: string): string {
  return `${what} stays, though the config no longer has it. To delete it for good: ${end}`;
}

function serversRefusal(environment: VaultEnvironment, { resource, held }: ValueHolder): string {
  const end = environment.development
    ? ownCommand("destroy", environment)
    : shellCommand("pulumi", "state", "unprotect", resource.urn);
  return (
    `vault: ${describeHeld(held)} would go, and with it every secret that it serves: put vault.mode, vault.release and ` +
    `namespaces.vault back; or, where none of them is needed any more, run \`${end}\` first`
  );
}

function unprotectedRefusal(environment: VaultEnvironment, { resource, held }: ValueHolder): string {
  const isOfVault = held.kind === "volume" && held.namespace === environment.namespaces.vault;
  const key = isOfVault
    ? "vault.snapshots"
    : held.kind === "volume"
      ? "database"
      : held.kind === "seal token"
        ? "vault.seal"
        : "vault.kvMount.path";
  return (
    `${key}: ${describeHeld(held)} would be deleted, as the state says that an older version of this program wrote: put ` +
    `back what was there and run \`${ownCommand("up", environment)}\` once, which protects it; or have Pulumi forget it, ` +
    `which leaves it alone: \`${shellCommand("pulumi", "state", "delete", resource.urn)}\``
  );
}
