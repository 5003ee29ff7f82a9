import { setTimeout as sleep } from "node:timers/promises";
import { VaultError } from "../../../constructs/vault/client";
import type { Environment } from "../../config/environment";
import { InvalidRequestError, UnreachableError } from "../errors";
import { Session } from "../session";
import { waitUntil } from "../../wait-until";
import { openServers, type VaultServerPod } from "./servers";

export interface UnsealOptions {
  /** Called with what is being done. */
  readonly onProgress?: (text: string) => void;
}

/** How long a server may take to join the others, and one to become active, in seconds. */
const joinSeconds = 120;

/**
 * Unseals every server of a Vault of the stack's own, and waits until all serve.
 *
 * @param shares key shares, as many as the threshold
 * @returns the names of the servers' pods
 * @throws InvalidRequestError where the shares are too few or wrong
 */
export async function unseal(
  environment: Environment,
  shares: readonly string[],
  options: UnsealOptions = {},
): Promise<string[]> {
  const servers = await openServers(await Session.open(environment));
  return unsealServers(servers, shares, options);
}

export async function unsealServers(
  servers: readonly VaultServerPod[],
  shares: readonly string[],
  { onProgress }: UnsealOptions,
): Promise<string[]> {
  const distinct = [...new Set(shares)];
  // The first has the data; the others join it before they can be unsealed.
  for (const server of servers) {
    onProgress?.(`unsealing ${server.pod}`);
    await unsealServer(server, distinct);
  }
  await waitUntilServing(servers);
  return servers.map(({ pod }) => pod);
}

async function unsealServer({ pod, client }: VaultServerPod, shares: readonly string[]): Promise<void> {
  const deadline = Date.now() + joinSeconds * 1000;
  for (;;) {
    try {
      if (!(await client.sealStatus()).sealed) return;
      if (shares.length === 0) throw new InvalidRequestError("no key share was given: write one a line");
      for (const key of shares) {
        const { sealed, progress, threshold } = await client.unseal(key);
        if (!sealed) return;
        // Once a server joins a cluster, its last share only begins that: it is asked again below.
        if (key === shares.at(-1) && progress > 0) {
          throw new InvalidRequestError(`${shares.length} key shares are too few: ${threshold} are needed`);
        }
      }
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      if (error.status === 400 && !/not initialized/i.test(error.message)) {
        throw new InvalidRequestError(`${pod} refuses the key shares: ${error.errors.join("; ")}`);
      }
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new UnreachableError(`${pod} is still sealed after ${joinSeconds} s`);
    await sleep(1000);
  }
}

/** Waits until every server is unsealed, and knows an active one. */
export async function waitUntilServing(servers: readonly VaultServerPod[]): Promise<void> {
  const deadline = Date.now() + joinSeconds * 1000;
  for (const { pod, client } of servers) {
    const serves = async (): Promise<boolean> => {
      const health = await client.health().catch(() => undefined);
      if (health?.initialized !== true || health.sealed) return false;
      return client.hasLeader().catch(() => false);
    };
    if (await waitUntil(serves, deadline)) continue;
    throw new UnreachableError(`${pod} does not serve after ${joinSeconds} s`);
  }
}
