import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import type { VaultEnvironment } from "../../../config/environment";
import { InvalidRequestError } from "../../errors";
import { endRoot, generateRoot } from "./generate-root";
import { openServers } from "./servers";
import { VaultSession } from "./session";
import { assertShareNumbers, type CheckedShareNumbers, type ShareNumbers } from "./share-numbers";
import { uninterrupted } from "./uninterrupted";
import type { UnsealOptions } from "./unseal";

export interface RekeyOptions extends UnsealOptions, ShareNumbers {
  /** Takes the new shares as soon as Vault has given them out: it gives them out once. They do not count yet. */
  readonly onShares: (made: NewShares) => void;
  /** Gives back as many of the new shares as unseal, which proves that their holders have them. @param needed how many */
  readonly giveBack: (made: NewShares, needed: number) => Promise<readonly string[]>;
}

/** Key shares that take the place of others once some of them have been given back. */
export interface NewShares {
  /** Base64; encrypted where PGP keys were given. */
  readonly keyShares: readonly string[];
  readonly encrypted: boolean;
  /** Whether Vault unseals itself, so that they are shares of its recovery key. */
  readonly recovery: boolean;
}

/** What became of a change of the shares that was carried out. */
export interface Rekeying {
  /** How many of the new shares unseal Vault, or recover it. */
  readonly threshold: number;
  /** Why the root token that was made for it lives on. @default - it is revoked */
  readonly rootTokenLeft?: string;
}

interface Progress {
  readonly nonce: string;
  readonly complete?: boolean;
  readonly keys_base64?: readonly string[];
  readonly verification_nonce?: string;
}

/**
 * Makes new key shares of a Vault of the stack's own in the place of those that it has. Until enough of the new ones have been
 * given back the former ones count, so that nothing is lost where a run ends before.
 *
 * @param shares present ones, as many as unseal
 * @throws InvalidRequestError where the numbers do not fit, the shares are too few or wrong, or a change of them is under way:
 * the former shares count then
 */
export async function rekey(
  environment: VaultEnvironment,
  shares: readonly string[],
  options: RekeyOptions,
): Promise<Rekeying> {
  const numbers = assertShareNumbers(options);
  const session = await VaultSession.open(environment);
  const [first] = await openServers(session);
  const { recoverySeal } = await first!.client.sealStatus();
  const vault = await (session.hasToken ? session.operatorVault() : session.anonymousVault());
  return uninterrupted(async () => {
    // Since 2.0 Vault lets nobody begin without a token that may do it, and only a root token may.
    const rootToken = await generateRoot(vault, environment, shares);
    const root = vault.withToken(rootToken);
    try {
      await exchange(root, recoverySeal, new Set(shares), numbers, options);
    } catch (error) {
      await endRoot(root, options.onProgress);
      throw error;
    }
    const left = await endRoot(root);
    return { threshold: numbers.threshold, ...(left === undefined ? {} : { rootTokenLeft: left }) };
  });
}

async function exchange(
  root: VaultClient,
  recovery: boolean,
  shares: ReadonlySet<string>,
  { shares: count, threshold, pgpKeys }: CheckedShareNumbers,
  { onShares, giveBack, onProgress }: RekeyOptions,
): Promise<void> {
  const path = `sys/rekey${recovery ? "-recovery-key" : ""}`;
  const encrypted = pgpKeys !== undefined;
  const body = {
    secret_shares: count,
    secret_threshold: threshold,
    require_verification: true,
    ...(encrypted ? { pgp_keys: pgpKeys } : {}),
  };
  const { nonce } = await explained(root.request("PUT", `${path}/init`, { body }));
  try {
    onProgress?.("making new key shares");
    const { keys_base64: keyShares, verification_nonce } = await give(root, `${path}/update`, nonce, shares);
    const made = { keyShares: keyShares ?? [], encrypted, recovery };
    onShares(made);
    const returned = new Set(await giveBack(made, threshold));
    onProgress?.("putting them in the place of the former ones");
    await give(root, `${path}/verify`, verification_nonce ?? "", returned);
  } catch (error) {
    // Vault asks for the nonce: another's change is not to be ended by it.
    await root.request("DELETE", `${path}/init`, { body: { nonce } }).catch(() => undefined);
    throw error;
  }
}

/** Gives shares until Vault has enough of them. @throws InvalidRequestError where they are too few, or wrong */
async function give(root: VaultClient, path: string, nonce: string, shares: ReadonlySet<string>): Promise<Progress> {
  for (const key of shares) {
    const told = await explained(root.request("PUT", path, { body: { key, nonce } }));
    if (told.complete === true) return told;
  }
  throw new InvalidRequestError(`${shares.size} key shares are too few: the former ones count still`);
}

async function explained(call: Promise<unknown>): Promise<Progress> {
  try {
    return (await call) as Progress;
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 400) throw error;
    throw new InvalidRequestError(
      `Vault refuses it, and the former key shares count still: ${error.errors.join("; ")}`,
    );
  }
}
