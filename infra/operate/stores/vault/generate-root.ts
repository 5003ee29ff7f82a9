import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { firstLine, InvalidRequestError } from "../../errors";

interface Attempt {
  readonly started: boolean;
  readonly nonce: string;
  readonly required: number;
  readonly complete?: boolean;
  /** One-time password that the token is encoded with; given out once, when the attempt begins. */
  readonly otp?: string;
  readonly encoded_token?: string;
}

/**
 * Makes a root token from key shares, as `vault operator generate-root` does. It is seen by nobody on the way: Vault
 * encodes it with a one-time password that only this process has.
 *
 * @param vault with any token that may begin it: Vault 2.0 and later ask for one
 * @throws InvalidRequestError where another attempt is under way, or the shares are too few or wrong; nothing of the
 * attempt is left then
 */
export async function generateRoot(
  vault: VaultClient,
  environment: VaultEnvironment,
  shares: readonly string[],
): Promise<string> {
  const attempt = "sys/generate-root/attempt";
  const begun = await permitted(environment, vault.request("GET", attempt));
  if (begun.started) {
    throw new InvalidRequestError(
      "somebody is making a root token already: let them end it, or end it by `vault operator generate-root -cancel`",
    );
  }
  const { nonce, otp = "", required } = await permitted(environment, vault.request("PUT", attempt, { body: {} }));
  try {
    for (const key of new Set(shares)) {
      const body = { key, nonce };
      const { complete, encoded_token } = (await vault.request("PUT", "sys/generate-root/update", { body })) as Attempt;
      if (complete === true) return decode(encoded_token ?? "", otp);
    }
    throw new InvalidRequestError(`${new Set(shares).size} key shares are too few: ${required} are needed`);
  } catch (error) {
    await vault.request("DELETE", attempt).catch(() => undefined);
    if (!(error instanceof VaultError) || error.status !== 400) throw error;
    throw new InvalidRequestError(`Vault refuses the key shares: ${error.errors.join("; ")}`);
  }
}

/**
 * Ends a root token that was made for a moment. It may do everything, so where that fails a person is told.
 *
 * @param root has that token, by a way that needs nothing else any more
 * @returns why it lives on; undefined where it is ended
 */
export async function endRoot(root: VaultClient, tell?: (text: string) => void): Promise<string | undefined> {
  const left = await root.revokeSelf().then(() => undefined, firstLine);
  if (left !== undefined) tell?.(`the root token made for this is NOT revoked: ${left}`);
  return left;
}

async function permitted(environment: VaultEnvironment, call: Promise<unknown>): Promise<Attempt> {
  try {
    return (await call) as Attempt;
  } catch (error) {
    if (!(error instanceof VaultError) || ![400, 403].includes(error.status)) throw error;
    throw new InvalidRequestError(
      `Vault lets nobody make a root token without a token (since 2.0): set VAULT_TOKEN to the stack's, or to one of a ` +
        `writer (${ownCommand("rights", environment, "--role", "writer", "--for", "store")})`,
    );
  }
}

/** The token's bytes and the password's, each the other's key. */
function decode(encoded: string, otp: string): string {
  const password = Buffer.from(otp);
  return Buffer.from(Buffer.from(encoded, "base64").map((byte, index) => byte ^ (password[index] ?? 0))).toString();
}
