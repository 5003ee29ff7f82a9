import { KvMount } from "../../../constructs/stores/vault";
import { mountedKeys, unmountedSecrets } from "../../cluster/mounted-secrets";
import { everyKeyOf, type FoundKeys, withKeys } from "../../config/all-keys";
import type { VaultEnvironment } from "../../config/environment";
import { hasOptional, withoutSecrets } from "../../config/optional";
import { vaultPaths } from "../../config/stores/vault/server";
import type { VaultSession } from "../../operate/stores/vault/session";
import { isUsable } from "../../operate/stores/vault/stack-access";

/** What pods mount of an Aidbox's secrets, where that is for Vault to say. */
export interface Mounted {
  /** The environment as its pods see it: without optional secrets that are not there, and with each of all keys. */
  readonly environment: VaultEnvironment;
  /** What an operator must know of it, a sentence each. */
  readonly notices: readonly string[];
  /** The same, of what pods lose. */
  readonly warnings: readonly string[];
}

/**
 * What each Aidbox's pods are to mount: one object that is missing would fail the whole mount. Where Vault cannot be asked, what
 * they mount already, so that nothing is taken from them. Those of whose secrets all are known are left out.
 */
export async function mountedEnvironments(session: VaultSession): Promise<ReadonlyMap<VaultEnvironment, Mounted>> {
  const { environment } = session;
  const all: readonly VaultEnvironment[] = [environment, ...environment.tenants];
  const unknown = all.filter((each) => hasOptional(each) || everyKeyOf(each).length > 0);
  if (unknown.length === 0) return new Map();
  const canAsk = await isUsable(session);
  const found = unknown.map(async (each) => [each, await mounted(session, each, canAsk)] as const);
  return new Map(await Promise.all(found));
}

async function mounted(session: VaultSession, environment: VaultEnvironment, canAsk: boolean): Promise<Mounted> {
  const { api } = session;
  const [before, absent] = await Promise.all([
    mountedKeys(api, environment),
    canAsk ? absentIn(session, environment) : unmountedSecrets(api, environment),
  ]);
  const found = canAsk ? await keysIn(session, environment) : before;
  const where = environment.tenant === undefined ? "" : ` of tenant ${environment.tenant}`;
  const expanded = withKeys(environment, found);
  const names = new Set(expanded.table.secrets.map(({ name }) => name));
  const rows = everyKeyOf(environment);
  return {
    environment: withoutSecrets(expanded, absent),
    notices: [
      ...absent.map((name) => `${name}${where} is optional, and not in Vault: pods go without it`),
      ...rows.flatMap(({ keysOf, path }) =>
        canAsk
          ? []
          : [`Vault cannot be asked yet which keys ${path} has: pods keep those of ${keysOf!}${where} that they have`],
      ),
    ],
    warnings: rows.flatMap(({ keysOf, path }) =>
      (before.get(keysOf!) ?? []).flatMap((key) => {
        const name = `${keysOf!}/${key}`;
        return names.has(name) ? [] : [`${name}${where}: ${path} has no such key any more, and pods lose the file`];
      }),
    ),
  };
}

async function absentIn(session: VaultSession, environment: VaultEnvironment): Promise<readonly string[]> {
  const kv = await kvOf(session, environment);
  const paths = environment.table.paths.filter(({ secrets }) => secrets.some(({ optional }) => optional === true));
  const absent = paths.map(async ({ path, secrets }) => {
    const { keys } = await kv.keys(path);
    return secrets.flatMap(({ name, key, optional }) => (optional === true && !keys.includes(key) ? [name] : []));
  });
  return (await Promise.all(absent)).flat();
}

async function keysIn(session: VaultSession, environment: VaultEnvironment): Promise<FoundKeys> {
  const kv = await kvOf(session, environment);
  const found = everyKeyOf(environment).map(
    async ({ keysOf, path }) => [keysOf!, [...(await kv.keys(path)).keys].sort()] as const,
  );
  return new Map(await Promise.all(found));
}

async function kvOf(session: VaultSession, environment: VaultEnvironment): Promise<KvMount> {
  return new KvMount(await session.operatorVault(), vaultPaths(environment).kvMount);
}
