import { VaultError } from "../../../../constructs/stores/vault/api/client";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { loginMount } from "../../../config/stores/vault/login";
import { isStored } from "../../../config/stores/vault/server";
import { BrokenLinkError, type Link } from "../../link";
import type { RootWork } from "./root-step";
import type { VaultSession } from "./session";

/** How many logins of pods Vault takes from one address, as the config wants it. */
export interface LoginQuota {
  /** Path of Vault's API that has it. Who can write there can lift the limit, so the stack's own token cannot. */
  readonly quotaPath: string;
  /** The login that is counted. */
  readonly path: string;
  readonly perSecond: number;
}

/** The quota that a Vault of the stack's own should have; undefined where the config wants none. */
export function loginQuota(environment: VaultEnvironment): LoginQuota | undefined {
  const { vault } = environment;
  if (!isStored(vault) || vault.loginsPerSecond === undefined) return undefined;
  return {
    quotaPath: `sys/quotas/rate-limit/${vault.role}-logins`,
    path: `auth/${loginMount(environment)}/login`,
    perSecond: vault.loginsPerSecond,
  };
}

/** Sets it, or brings it up to date. Vault counts logins of a mount that is there alone, which the first `up` makes. */
export async function setLoginQuota({ root, environment, tell }: RootWork): Promise<void> {
  const quota = loginQuota(environment);
  if (quota === undefined) return;
  const body = { path: quota.path, rate: quota.perSecond, interval: "1s" };
  try {
    await root.request("POST", quota.quotaPath, { body });
  } catch (error) {
    if (!(error instanceof VaultError) || !error.errors.some((each) => each.startsWith("invalid mount path")))
      throw error;
    tell(`logins have no quota before up has made auth/${loginMount(environment)}: then ${grantAgain(environment)}`);
  }
}

export function loginQuotaLinks(session: VaultSession): Link[] {
  const quota = loginQuota(session.environment);
  if (quota === undefined) return [];
  return [
    {
      name: "login quota",
      checks: `Vault takes ${quota.perSecond} logins each second from one address at most`,
      needs: ["auth"],
      check: () => checkQuota(session, quota),
    },
  ];
}

async function checkQuota(session: VaultSession, { quotaPath, path, perSecond }: LoginQuota): Promise<string> {
  const found = await session.permitted((await session.operatorVault()).read(quotaPath));
  if (found === undefined) {
    throw new BrokenLinkError(`Vault has no quota for ${path}`, grantAgain(session.environment));
  }
  // Vault gives the interval in seconds.
  if (found.path !== path || found.rate !== perSecond || found.interval !== 1) {
    const { rate, interval } = found;
    throw new BrokenLinkError(
      `the quota for ${String(found.path)} is ${String(rate)} in ${String(interval)} s, and should be ${perSecond} in 1 s for ${path}`,
      grantAgain(session.environment),
    );
  }
  return `more of ${path} are answered 429`;
}

function grantAgain(environment: VaultEnvironment): string {
  return ownCommand("vault:grant", environment, "--shares", "--no-tokens");
}
