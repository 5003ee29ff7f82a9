import type { Environment } from "../../config/environment";
import { ownCommand } from "../../own-command";
import { firstLine, InvalidRequestError } from "../errors";
import { Session } from "../session";
import { grant } from "./grant";
import { openServers } from "./servers";
import { type UnsealOptions, unsealServers, waitUntilServing } from "./unseal";

export interface InitOptions extends UnsealOptions {
  /** Number of key shares. @default 5 */
  readonly shares?: number | undefined;
  /** How many of them unseal Vault, or recover it where it unseals itself. @default 3 */
  readonly threshold?: number | undefined;
  /** Public PGP keys, base64, one for each share: Vault encrypts each share for its holder. @default - none */
  readonly pgpKeys?: readonly string[] | undefined;
}

/** What an initialisation yields, once: nobody keeps it but whoever reads it. */
export interface Initialisation {
  /** Key shares, base64; for Vault that unseals itself, shares of its recovery key. Encrypted where PGP keys were given. */
  readonly keyShares: readonly string[];
  readonly encrypted: boolean;
  readonly recovery: boolean;
  /** Token with just the rights that the stack needs, for `VAULT_TOKEN`; none before Vault is unsealed. */
  readonly stackToken: string | undefined;
  /** The root token, where it is still needed: for `vault:grant`, which revokes it. */
  readonly rootToken: string | undefined;
  /** Why it went no further than this; none where it did all. */
  readonly stopped?: string;
}

/**
 * Initialises a Vault of the stack's own, once. Where the key shares are at hand, or Vault unseals itself, it is unsealed
 * too, the stack gets its token, and the root token is revoked.
 *
 * @throws InvalidRequestError where it is initialised already, or the numbers do not fit
 */
export async function initialise(environment: Environment, options: InitOptions = {}): Promise<Initialisation> {
  const { pgpKeys, onProgress } = options;
  const shares = options.shares ?? pgpKeys?.length ?? 5;
  const threshold = options.threshold ?? Math.min(3, shares);
  checkNumbers(shares, threshold, pgpKeys);
  const session = await Session.open(environment);
  const servers = await openServers(session);
  const first = servers[0]!;
  const { initialized, recoverySeal } = await first.client.sealStatus();
  if (initialized) {
    throw new InvalidRequestError(
      `Vault is initialised already; to go on: ${ownCommand("vault:unseal", environment)}, or ${ownCommand("up", environment)}`,
    );
  }
  onProgress?.("initialising");
  const made = await first.client.initialise({ shares, threshold, recoverySeal, pgpKeys: pgpKeys ?? [] });
  const encrypted = pgpKeys !== undefined;
  const result = { keyShares: made.keyShares, encrypted, recovery: recoverySeal };
  try {
    if (recoverySeal) {
      onProgress?.("waiting for Vault to unseal itself");
      await waitUntilServing(servers);
    } else if (encrypted) {
      return { ...result, stackToken: undefined, rootToken: made.rootToken };
    } else {
      await unsealServers(servers, made.keyShares.slice(0, threshold), options);
    }
    onProgress?.("making the stack's token");
    return { ...result, stackToken: await grant(environment, made.rootToken, options), rootToken: undefined };
  } catch (error) {
    // What Vault gave out once must reach whoever asked for it, whatever came after.
    return { ...result, stackToken: undefined, rootToken: made.rootToken, stopped: firstLine(error) };
  }
}

function checkNumbers(shares: number, threshold: number, pgpKeys: readonly string[] | undefined): void {
  if (pgpKeys !== undefined && pgpKeys.length !== shares) {
    throw new InvalidRequestError(`${pgpKeys.length} PGP keys for ${shares} shares: give one for each`);
  }
  if (shares < 1 || threshold < 1 || threshold > shares || (shares > 1 && threshold === 1)) {
    throw new InvalidRequestError(
      `a threshold of ${threshold} does not fit ${shares} shares: it must be 2 or more, and no more than the shares`,
    );
  }
}
