import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { stackPolicyName } from "../../../config/names";
import { isStored } from "../../../config/stores/vault/server";
import { InvalidRequestError } from "../../errors";
import { clusterId } from "./cluster-id";
import { endRoot, generateRoot } from "./generate-root";
import { assertOperatorSecrets, makeOperatorCredentials, type OperatorCredentials } from "./operators";
import { assertOwnNames } from "./own-names";
import { firstRootSteps, rootSteps, runRootSteps } from "./root-steps";
import { VaultSession } from "./session";
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
  /** Takes what an operator logs in with, as `onToken` does. */
  readonly onCredentials: (credentials: OperatorCredentials) => void;
  /**
   * Whether the stack and the operators get tokens, beside the rights of those that they have. New users get their
   * passwords in any case.
   * @default true
   */
  readonly tokens?: boolean;
}

/** What became of the token by which rights were granted: an administrator's own, which is no root token, is kept. */
export type Revocation =
  | { readonly rootTokenRevoked: true }
  | { readonly rootTokenRevoked: false; readonly reason: string }
  | { readonly administratorTokenKept: true };

/**
 * Does what needs a root token (`root-steps.ts`), gives the stack a token of its own, and revokes the root token. The
 * stack's token is periodic, without a parent, and renewed by each `up`.
 *
 * @param rootToken a root token, or one of an administrator of a Vault of others
 * @throws InvalidRequestError where Vault refuses that token, or something is lacking for the operators' logins;
 * NamesTakenError where Vault has what is not this stack's under its names. Nothing but audit devices was changed then
 */
export async function grant(
  environment: VaultEnvironment,
  rootToken: string,
  options: GrantOptions,
): Promise<Revocation> {
  if (environment.vault.mode === "dev") {
    throw new InvalidRequestError("a Vault in dev mode has its root token alone, which the stack itself uses");
  }
  assertOperatorSecrets(environment);
  const session = await VaultSession.open(environment, rootToken);
  const root = await session.operatorVault();
  const cluster = await clusterId(session.api);
  const work = { root, environment, session, cluster, tell: (text: string) => options.onProgress?.(text) };
  await runRootSteps(firstRootSteps, work);
  const isRoot = await looksUpRoot(root, environment);
  await assertOwnNames(root, environment, cluster);
  await runRootSteps(rootSteps, work);
  const { tokens = true } = options;
  await makeOperatorCredentials(root, environment, tokens, options.onCredentials);
  if (tokens) {
    await uninterrupted(async () => {
      const { auth } = (await root.request("POST", "auth/token/create-orphan", {
        body: {
          policies: [stackPolicyName(environment)],
          // Somebody may have changed the default policy, in a Vault of others.
          no_default_policy: true,
          period: tokenPeriod,
          display_name: "aidbox-secrets-stack",
        },
      })) as { auth: { client_token: string } };
      options.onToken(auth.client_token);
    });
  }
  return isRoot ? revoke(root) : { administratorTokenKept: true };
}

/** As `grant`, by a root token that is made from key shares for it, and lives no longer. */
export async function grantByShares(
  environment: VaultEnvironment,
  shares: readonly string[],
  options: GrantOptions,
): Promise<Revocation> {
  assertOperatorSecrets(environment);
  const session = await VaultSession.open(environment);
  const vault = await (session.hasToken ? session.operatorVault() : session.anonymousVault());
  return uninterrupted(async () => {
    const rootToken = await generateRoot(vault, environment, shares);
    try {
      return await grant(environment, rootToken, options);
    } catch (error) {
      await endRoot(vault.withToken(rootToken), options.onProgress);
      throw error;
    }
  });
}

/** Whether it is a root token. @throws InvalidRequestError where Vault does not know it */
async function looksUpRoot(root: VaultClient, environment: VaultEnvironment): Promise<boolean> {
  try {
    const { policies = [] } = ((await root.read("auth/token/lookup-self")) ?? {}) as { policies?: string[] };
    return policies.includes("root");
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    const how = isStored(environment.vault)
      ? `make one from key shares: ${ownCommand("vault:grant", environment, "--shares")}`
      : "ask Vault's administrator for one";
    throw new InvalidRequestError(`Vault refuses the root token: ${how}`);
  }
}

async function revoke(root: VaultClient): Promise<Revocation> {
  const reason = await endRoot(root);
  return reason === undefined ? { rootTokenRevoked: true } : { rootTokenRevoked: false, reason };
}
