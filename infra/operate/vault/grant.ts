import { VaultError } from "../../../constructs/vault/client";
import type { Environment } from "../../config/environment";
import { InvalidRequestError } from "../errors";
import { stackPolicy } from "../rights";
import { Session } from "../session";
import type { UnsealOptions } from "./unseal";

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
export async function grant(
  environment: Environment,
  rootToken: string,
  options: Pick<UnsealOptions, "onProgress"> = {},
): Promise<string> {
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
  const { auth } = (await root.request("POST", "auth/token/create-orphan", {
    body: { policies: [name], period: tokenPeriod, display_name: "aidbox-secrets-stack" },
  })) as { auth: { client_token: string } };
  // The token is made, and shown nowhere else: it must reach whoever asked, also where the root token lives on.
  await root
    .revokeSelf()
    .catch(() => options.onProgress?.("the root token could not be revoked: `vault token revoke -self`"));
  return auth.client_token;
}
