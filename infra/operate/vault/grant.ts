import { VaultError } from "../../../constructs/vault";
import type { Environment } from "../../config/environment";
import { InvalidRequestError } from "../errors";
import { stackPolicy } from "../rights";
import { Session } from "../session";

/** Name of the policy of the stack's token. */
export function stackPolicyName({ vault }: Environment): string {
  return `${vault.role}-stack`;
}

/** Life of the stack's token without a run of `up`, which renews it. */
const tokenPeriod = "768h";

/**
 * Gives the stack a token of its own, with just the rights that it needs, and revokes the root token.
 *
 * @returns the stack's token: periodic, without a parent, renewed by each `up`
 * @throws InvalidRequestError where Vault refuses the root token
 */
export async function grant(environment: Environment, rootToken: string): Promise<string> {
  const session = await Session.open(environment, rootToken);
  const root = await session.operatorVault();
  const name = stackPolicyName(environment);
  try {
    await root.request("PUT", `sys/policies/acl/${name}`, { body: { policy: stackPolicy(environment) } });
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    throw new InvalidRequestError("Vault refuses the root token: make one by `vault operator generate-root`");
  }
  const { auth } = (await root.request("POST", "auth/token/create-orphan", {
    body: { policies: [name], period: tokenPeriod, display_name: "aidbox-secrets-stack" },
  })) as { auth: { client_token: string } };
  await root.revokeSelf();
  return auth.client_token;
}
