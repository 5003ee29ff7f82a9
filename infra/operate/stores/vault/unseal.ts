import { setTimeout as sleep } from "node:timers/promises";
import { VaultError } from "../../../../constructs/stores/vault/api/client";
import { waitUntil } from "../../../cluster/wait-until";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { InvalidRequestError, UnreachableError } from "../../errors";
import { awaitServers, type VaultServerPod } from "./servers";
import { VaultSession } from "./session";

export interface UnsealOptions {
  /** Called with what is being done. */
  readonly onProgress?: (text: string) => void;
}

/** How long a server may take to join the others, and one to become active, in seconds. */
const joinSeconds = 120;

/** How many key shares a server has, of those that it needs. */
export interface SealedServer {
  readonly pod: string;
  readonly given: number;
  /** 0 where the server does not know yet, since it has not joined the others. */
  readonly needed: number;
}

/** What became of an unsealing. Where servers are sealed still, Vault keeps the shares that they have until they restart. */
export interface Unsealing {
  /** Names of the servers' pods, where all that run serve. */
  readonly servers: readonly string[];
  /** The servers that need further shares. */
  readonly sealed: readonly SealedServer[];
  /** Names of the pods that do not run, and were left out. @default - all run */
  readonly missing?: readonly string[];
}

/** Gives the next key share; none where its holder is not here. */
export type NextShare = (sealed: readonly SealedServer[]) => Promise<string | undefined>;

/** Key shares that are all at hand. */
export function sharesOf(shares: readonly string[]): NextShare {
  const rest = [...shares];
  return () => Promise.resolve(rest.shift());
}

/**
 * Gives key shares to every server of a Vault of the stack's own, one after another, until all are unsealed, and waits until
 * all serve. A server whose pod is being made anew is waited for; one that does not come is left out, and named.
 *
 * @throws InvalidRequestError where Vault is not initialised, or the shares are wrong
 */
export async function unseal(
  environment: VaultEnvironment,
  nextShare: NextShare,
  options: UnsealOptions = {},
): Promise<Unsealing> {
  const session = await VaultSession.open(environment);
  const { servers, missing } = await awaitServers(session, options.onProgress);
  const states = await Promise.all(servers.map(({ client }) => client.sealStatus()));
  if (states.every(({ initialized }) => !initialized)) {
    throw new InvalidRequestError(`Vault is not initialised: ${ownCommand("vault:init", environment)}`);
  }
  const unsealing = await unsealServers(servers, nextShare, options);
  return missing.length === 0 ? unsealing : { ...unsealing, missing };
}

export async function unsealServers(
  servers: readonly VaultServerPod[],
  nextShare: NextShare,
  options: UnsealOptions,
): Promise<Unsealing> {
  const takers = (await withDataFirst(servers)).map((server) => new ShareTaker(server, options));
  const shares = new Set<string>();
  for (;;) {
    const sealed: SealedServer[] = [];
    for (const taker of takers) {
      // A server without data joins the others once one of them is open.
      const left = await taker.take([...shares], sealed.length < takers.indexOf(taker));
      if (left !== undefined) sealed.push(left);
    }
    if (sealed.length === 0) {
      await waitUntilServing(servers);
      return { servers: servers.map(({ pod }) => pod), sealed };
    }
    const share = await nextShare(sealed);
    if (share === undefined) return { servers: [], sealed };
    shares.add(share);
  }
}

async function withDataFirst(servers: readonly VaultServerPod[]): Promise<VaultServerPod[]> {
  const hasData = await Promise.all(
    servers.map(({ client }) =>
      client.sealStatus().then(
        ({ initialized }) => initialized,
        () => false,
      ),
    ),
  );
  return [true, false].flatMap((wanted) => servers.filter((_, index) => hasData[index] === wanted));
}

/** One server, and the shares that it was given here. */
class ShareTaker {
  private readonly given = new Set<string>();

  public constructor(
    private readonly server: VaultServerPod,
    private readonly options: UnsealOptions,
  ) {}

  /**
   * Gives the server the shares that it has not got yet.
   *
   * @param mayJoin whether another server is open, which this one joins first where it has no data
   * @returns what it still needs; nothing where it is unsealed
   */
  public async take(shares: readonly string[], mayJoin: boolean): Promise<SealedServer | undefined> {
    const { pod, client } = this.server;
    const deadline = Date.now() + joinSeconds * 1000;
    for (;;) {
      try {
        let status = await client.sealStatus();
        if (!status.sealed) return undefined;
        if (status.progress === 0) this.given.clear();
        const rest = shares.filter((share) => !this.given.has(share));
        if (rest.length === 0 || (!status.initialized && !mayJoin)) {
          return { pod, given: status.progress, needed: status.threshold };
        }
        for (const share of rest) {
          status = await client.unseal(share);
          this.given.add(share);
          if (!status.sealed) {
            this.options.onProgress?.(`${pod}: unsealed`);
            return undefined;
          }
          if (status.progress === 0) break;
          this.options.onProgress?.(`${pod}: ${status.progress} of ${status.threshold} key shares`);
        }
        if (status.progress > 0) return { pod, given: status.progress, needed: status.threshold };
        // Once a server joins a cluster, its last share only begins that: it is asked again.
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        if (error.status === 400 && !/not initialized/i.test(error.message)) {
          throw new InvalidRequestError(
            `${pod} refuses the key shares: ${error.errors.join("; ")}. Where it had enough of them, it begins anew`,
          );
        }
        if (Date.now() > deadline) throw error;
      }
      if (Date.now() > deadline) throw new UnreachableError(`${pod} is still sealed after ${joinSeconds} s`);
      await sleep(1000);
    }
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
