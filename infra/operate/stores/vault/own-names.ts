import { shellCommand } from "../../../../constructs/shell-command";
import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import { postgresRole } from "../../../config/database";
import type { VaultEnvironment } from "../../../config/environment";
import { policyMark, snapshotsRole, stackPolicyName, writerPolicyName } from "../../../config/names";
import { loginMount, ownsAuthMount } from "../../../config/stores/vault/login";
import { snapshotsOf, vaultPaths } from "../../../config/stores/vault/server";
import type { StateResource } from "../../../state/stack-state";
import { clusterOf } from "./stack-policy";

/** What Vault has under names of the stack that is not the stack's. The message says how to get out of the way. */
export class NamesTakenError extends Error {
  public constructor(taken: readonly string[]) {
    super(["Vault has what is not this stack's under its names; nothing was touched:", ...taken].join("\n  "));
    this.name = "NamesTakenError";
  }
}

/**
 * @param cluster what tells the environment's cluster from any other
 * @throws NamesTakenError where a policy that `vault:grant` writes, or one that it lets the stack write, is somebody else's
 */
export async function assertOwnNames(
  vault: VaultClient,
  environment: VaultEnvironment,
  cluster: string,
): Promise<void> {
  const mark = policyMark(environment);
  const stackName = stackPolicyName(environment);
  const stackText = await policyOf(vault, stackName);
  const isOlder = stackText?.includes(`path "sys/auth/${loginMount(environment)}"`) === true;
  const isElsewhere = stackText !== undefined && ![undefined, cluster].includes(clusterOf(stackText));
  const own = [stackName, ...[environment, ...environment.tenants].map(writerPolicyName)];
  const owners = await Promise.all(own.map((name) => ownerOf(vault, name)));
  const taken = [
    ...own.flatMap((name, index) => {
      const owner = owners[index];
      const isOurs = owner === undefined || owner === mark || (name === stackName && owner === "" && isOlder);
      return isOurs ? [] : [takenPolicy(name, owner)];
    }),
    ...(isElsewhere ? [takenByCluster(stackName)] : []),
    // Where the stack's own is, theirs are too.
    ...(isOlder ? [] : await takenPolicies(vault, environment)),
  ];
  if (taken.length > 0) throw new NamesTakenError(taken);
}

/** Names of the roles of pods, each with a policy of its name. */
export function roleNames(environment: VaultEnvironment): string[] {
  return [
    ...[environment, ...environment.tenants].flatMap((each) => [
      each.vault.role,
      ...(each.database?.mode === "development" ? [postgresRole(each)] : []),
    ]),
    ...(snapshotsOf(environment) === undefined ? [] : [snapshotsRole(environment)]),
  ];
}

/**
 * Which of the pods' policies are somebody else's. One without a mark is of a version that wrote none, where this stack's
 * own auth mount has the role that it belongs to.
 */
export async function takenPolicies(
  vault: VaultClient,
  environment: VaultEnvironment,
  state: readonly StateResource[] = [],
): Promise<string[]> {
  const mark = policyMark(environment);
  const taken = await Promise.all(
    roleNames(environment).map(async (name) => {
      if (hasPolicy(state, name)) return [];
      const owner = await ownerOf(vault, name);
      if (owner === undefined || owner === mark) return [];
      if (owner === "" && (await has(vault, `auth/${loginMount(environment)}/role/${name}`))) return [];
      return [takenPolicy(name, owner)];
    }),
  );
  return taken.flat();
}

/** Which of the pods' roles at an auth mount of others are somebody else's: those without this stack's policy. */
export async function takenRoles(
  vault: VaultClient,
  environment: VaultEnvironment,
  state: readonly StateResource[] = [],
): Promise<string[]> {
  if (ownsAuthMount(environment)) return [];
  const mark = policyMark(environment);
  const taken = await Promise.all(
    roleNames(environment).map(async (name) => {
      const path = `auth/${loginMount(environment)}/role/${name}`;
      if (hasRole(state, name)) return [];
      if (!(await has(vault, path)) || (await ownerOf(vault, name)) === mark) return [];
      return [`role ${name} of auth/${loginMount(environment)} is somebody else's: write another vault.role`];
    }),
  );
  return taken.flat();
}

/** Whether the stack has a policy already, be it one of others that it adopted. */
function hasPolicy(state: readonly StateResource[], name: string): boolean {
  return state.some(({ type, inputs }) => type === "vault:index/policy:Policy" && inputs.name === name);
}

/** The same of a role, by whichever method pods log in. */
function hasRole(state: readonly StateResource[], name: string): boolean {
  return state.some(({ type, inputs }) => type.endsWith(":AuthBackendRole") && inputs.roleName === name);
}

/** The same names on another cluster. */
export function takenByCluster(name: string): string {
  return (
    `policy ${name} is that of a stack of this name on another cluster: write another vault.role and vault.login.mount, ` +
    `or, where that cluster is no more, have it deleted: vault policy delete ${name}`
  );
}

function takenPolicy(name: string, owner: string): string {
  const whose = owner === "" ? "somebody else's" : `that of "${owner}"`;
  return `policy ${name} is ${whose}: write another vault.role, or, where nobody needs it, have it deleted: vault policy delete ${name}`;
}

/** Whose a policy is, by its mark; empty where it has none, undefined where there is no such policy, or it may not be read. */
async function ownerOf(vault: VaultClient, policy: string): Promise<string | undefined> {
  const text = await policyOf(vault, policy);
  return text === undefined ? undefined : (/^# (aidbox-secrets: .*)$/m.exec(text.split("\n")[0] ?? "")?.[1] ?? "");
}

/** A policy's text; undefined where there is none, or it may not be read. */
export async function policyOf(vault: VaultClient, name: string): Promise<string | undefined> {
  const data = await readable(vault, `sys/policies/acl/${name}`);
  return typeof data?.policy === "string" ? data.policy : undefined;
}

/** Which seeded paths another stack has made, which would be one secret of both. */
export async function takenPaths(
  vault: VaultClient,
  environment: VaultEnvironment,
  seededBy: string,
): Promise<string[]> {
  const seeded = [environment, ...environment.tenants].flatMap(({ table }) =>
    table.paths.filter(({ source }) => source === "seeded").map((path) => vaultPaths(environment).metadata(path)),
  );
  const taken = await Promise.all(
    seeded.map(async (path) => {
      const { custom_metadata } = (await readable(vault, path)) ?? {};
      const owner = (Object(custom_metadata) as Record<string, unknown>)["seeded-by"];
      if (typeof owner !== "string" || owner === seededBy) return [];
      return [`${path} was seeded by the stack ${owner}: write another path, or source: external, which shares it`];
    }),
  );
  return taken.flat();
}

/**
 * Which managed paths hold keys of others. Pulumi writes such a path whole, so a new version would lack them; that they are in
 * the former one helps nobody who reads the current one.
 */
export async function othersKeys(vault: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const managed = [environment, ...environment.tenants].flatMap(({ table }) =>
    table.paths.filter(({ source }) => source === "managed"),
  );
  const found = await Promise.all(
    managed.map(async (path) => {
      const data = await readable(vault, `${vaultPaths(environment).kvMount}/subkeys/${path.path}`);
      const own = path.secrets.map(({ key }) => key);
      const others = Object.keys(data?.subkeys ?? {}).filter((key) => !own.includes(key));
      if (others.length === 0) return [];
      return [
        `${vaultPaths(environment).data(path)} has keys that the table has not, which a managed path would lose: ${others.join(", ")}. ` +
          "Write a row of source managed for each, or another path; or, where nobody needs them, have the version deleted: " +
          shellCommand("vault", "kv", "delete", `-mount=${vaultPaths(environment).kvMount}`, path.path),
      ];
    }),
  );
  return found.flat();
}

async function has(vault: VaultClient, path: string): Promise<boolean> {
  return (await readable(vault, path)) !== undefined;
}

async function readable(vault: VaultClient, path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return await vault.read(path);
  } catch (error) {
    if (error instanceof VaultError && [403, 404].includes(error.status)) return undefined;
    throw error;
  }
}
