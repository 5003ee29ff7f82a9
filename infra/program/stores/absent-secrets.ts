import { KvMount } from "../../../constructs/stores/vault";
import { unmountedSecrets } from "../../cluster/mounted-secrets";
import type { VaultEnvironment } from "../../config/environment";
import { hasOptional } from "../../config/optional";
import { vaultPaths } from "../../config/stores/vault/server";
import type { VaultSession } from "../../operate/stores/vault/session";
import { isUsable } from "../../operate/stores/vault/stack-access";

/**
 * Names of each Aidbox's optional secrets that Vault does not have: one object that is missing would fail the whole mount.
 * Where Vault cannot be asked, those that the pods do not mount, so that nothing is taken from them.
 */
export async function absentSecrets(session: VaultSession): Promise<ReadonlyMap<VaultEnvironment, readonly string[]>> {
  const { environment, api } = session;
  const all: readonly VaultEnvironment[] = [environment, ...environment.tenants];
  const withOptional = all.filter(hasOptional);
  if (withOptional.length === 0) return new Map();
  const canAsk = await isUsable(session);
  const found = withOptional.map(
    async (each) => [each, await (canAsk ? absentIn(session, each) : unmountedSecrets(api, each))] as const,
  );
  return new Map(await Promise.all(found));
}

async function absentIn(session: VaultSession, environment: VaultEnvironment): Promise<readonly string[]> {
  const kv = new KvMount(await session.operatorVault(), vaultPaths(environment).kvMount);
  const paths = environment.table.paths.filter(({ secrets }) => secrets.some(({ optional }) => optional === true));
  const absent = paths.map(async ({ path, secrets }) => {
    const { keys } = await kv.keys(path);
    return secrets.flatMap(({ name, key, optional }) => (optional === true && !keys.includes(key) ? [name] : []));
  });
  return (await Promise.all(absent)).flat();
}
