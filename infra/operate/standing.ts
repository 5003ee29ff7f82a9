import { vaultPaths } from "../config/stores/vault/server";
import { isMadeByStore, type Secret } from "../../constructs/secrets";
import { type KvHistory, KvMount } from "../../constructs/stores/vault/api/kv-mount";
import { DatabaseMount } from "../../constructs/stores/vault/api/database-mount";
import { allPermitted } from "./missing-right";
import type { Session } from "./session";

/** Where a secret stands in Vault; its value is not read. */
export interface Standing {
  /** Number of KV v2's current version, where that is live. */
  readonly version?: number;
  /** When the live value was written; none where there is none. */
  readonly rotatedAt?: Date | undefined;
  /** KV v2's versions. */
  readonly history?: KvHistory | undefined;
}

/** Where some secrets stand, in their order. */
export async function standingsOf(
  session: Session,
  secrets: readonly Pick<Secret, "path" | "source">[],
): Promise<Standing[]> {
  const { environment } = session;
  const vault = await session.operatorVault();
  const kv = new KvMount(vault, vaultPaths(environment).kvMount);
  const engine = new DatabaseMount(vault, vaultPaths(environment).databaseMount);
  return allPermitted(
    secrets.map(async (secret): Promise<Standing> =>
      isMadeByStore(secret)
        ? { rotatedAt: (await session.permitted(engine.staticRole(secret.path)))?.rotatedAt }
        : liveVersion(await session.permitted(kv.history(secret.path))),
    ),
  );
}

function liveVersion(history: KvHistory | undefined): Standing {
  const current = history?.versions.get(history.current);
  const isLive = current !== undefined && !current.destroyed && !isPast(current.deletedAt);
  return isLive ? { history, version: history!.current, rotatedAt: current.createdAt } : { history };
}

export function isPast(time: Date | undefined): boolean {
  return time !== undefined && time <= new Date();
}
