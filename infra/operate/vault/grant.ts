import { VaultError } from "../../../constructs/vault/client";
import type { Environment } from "../../config/environment";
import { stackPolicyName } from "../../naming";
import { firstLine, InvalidRequestError } from "../errors";
import { stackPolicy } from "../rights";
import { Session } from "../session";
import { uninterrupted } from "./uninterrupted";
import type { UnsealOptions } from "./unseal";

/** Life of the stack's token without a run of `up`, which renews it. */
const tokenPeriod = "768h";

export interface GrantOptions extends UnsealOptions {
  /**
   * Takes the stack's token as soon as it is made: it exists nowhere else. Called before anything that can fail, and not
   * interrupted by a signal.
   */
  readonly onToken: (stackToken: string) => void;
}

/** What became of the root token. */
export type Revocation =
  { readonly rootTokenRevoked: true } | { readonly rootTokenRevoked: false; readonly reason: string };

/**
 * Gives the stack a token of its own, with just the rights that it needs, and revokes the root token. The stack's token is
 * periodic, without a parent, and renewed by each `up`.
 *
 * @throws InvalidRequestError where Vault refuses the root token
 */
export async function grant(environment: Environment, rootToken: string, options: GrantOptions): Promise<Revocation> {
  if (environment.vault.mode === "dev") {
    throw new InvalidRequestError("a Vault in dev mode has its root token alone, which the stack itself uses");
  }
  const session = await Session.open(environment, rootToken);
  const root = await session.operatorVault();
  const name = stackPolicyName(environment);
  try {
    await root.request("PUT", `sys/policies/acl/${name}`, { body: { policy: stackPolicy(environment) } });
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    throw new InvalidRequestError("Vault refuses the root token: make one by `vault operator generate-root`");
  }
  await uninterrupted(async () => {
    const { auth } = (await root.request("POST", "auth/token/create-orphan", {
      body: { policies: [name], period: tokenPeriod, display_name: "aidbox-secrets-stack" },
    })) as { auth: { client_token: string } };
    options.onToken(auth.client_token);
  });
  return root.revokeSelf().then(
    () => ({ rootTokenRevoked: true }),
    (error: unknown) => ({ rootTokenRevoked: false, reason: firstLine(error) }),
  );
}
