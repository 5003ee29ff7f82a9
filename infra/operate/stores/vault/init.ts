import { isUncertain } from "../../../../constructs/settle";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { firstLine, InvalidRequestError, LostSecretsError } from "../../errors";
import { grant, type Revocation } from "./grant";
import { keysAreLost } from "./hints";
import { assertOperatorSecrets, type OperatorCredentials } from "./operators";
import { awaitServers, type VaultServerPod } from "./servers";
import { VaultSession } from "./session";
import { assertShareNumbers, type ShareNumbers } from "./share-numbers";
import { uninterrupted } from "./uninterrupted";
import { sharesOf, type UnsealOptions, unsealServers, waitUntilServing } from "./unseal";

export interface InitOptions extends UnsealOptions, ShareNumbers {
  /** Public PGP key, base64: Vault encrypts the root token for its holder. @default - none */
  readonly rootTokenPgpKey?: string | undefined;
  /**
   * Takes what exists once, as soon as Vault has given it out: first what the initialisation yields, then what operators
   * log in with, and the stack's token. Called before anything that can fail, and not interrupted by a signal.
   */
  readonly onSecrets: (secrets: FirstSecrets | OperatorSecrets | StackSecrets) => void;
}

/** What an initialisation yields, once: nobody keeps it but whoever reads it. */
export interface FirstSecrets {
  /** Key shares, base64; for Vault that unseals itself, shares of its recovery key. Encrypted where PGP keys were given. */
  readonly keyShares: readonly string[];
  readonly encrypted: boolean;
  readonly recovery: boolean;
  /** Base64 of its encrypted form where a PGP key was given for it. */
  readonly rootToken: string;
  readonly rootTokenEncrypted: boolean;
}

export interface OperatorSecrets {
  /** What an operator who writes secrets logs in with. */
  readonly operator: OperatorCredentials;
}

export interface StackSecrets {
  /** Token with just the rights that the stack needs, for `VAULT_TOKEN`. */
  readonly stackToken: string;
}

/** How far an initialisation came, once Vault is initialised. */
export type InitOutcome =
  | Revocation
  /** The rest is for those who can decrypt what is encrypted. */
  | { readonly rest: "by hand" }
  | { readonly stopped: string };

/**
 * Initialises a Vault of the stack's own, once. Where the key shares are at hand, or Vault unseals itself, it is unsealed
 * too. Where the root token is at hand then, the stack gets its token, and the root token is revoked.
 *
 * @throws InvalidRequestError where it is initialised already, or the numbers do not fit; LostSecretsError where Vault
 * initialised itself and its answer did not arrive
 */
export async function initialise(environment: VaultEnvironment, options: InitOptions): Promise<InitOutcome> {
  const { rootTokenPgpKey, onProgress, onSecrets } = options;
  const { shares, threshold, pgpKeys } = assertShareNumbers(options);
  assertOperatorSecrets(environment);
  const session = await VaultSession.open(environment);
  const { servers } = await awaitServers(session, onProgress);
  const first = servers[0]!;
  const { recoverySeal } = await first.client.sealStatus();
  await assertEmpty(environment, servers);
  const encrypted = pgpKeys !== undefined;
  const made = await uninterrupted(async () => {
    onProgress?.("initialising");
    const answer = await first.client
      .initialise({ shares, threshold, recoverySeal, pgpKeys: pgpKeys ?? [], rootTokenPgpKey })
      .catch((error: unknown) => explainLoss(environment, first, error));
    onSecrets({ ...answer, encrypted, recovery: recoverySeal, rootTokenEncrypted: rootTokenPgpKey !== undefined });
    return answer;
  });
  try {
    if (recoverySeal) {
      onProgress?.("waiting for Vault to unseal itself");
      await waitUntilServing(servers);
    } else if (encrypted) {
      return { rest: "by hand" };
    } else {
      await unsealServers(servers, sharesOf(made.keyShares.slice(0, threshold)), options);
    }
    if (rootTokenPgpKey !== undefined) return { rest: "by hand" };
    onProgress?.("making the stack's token");
    const onToken = (stackToken: string): void => {
      onSecrets({ stackToken });
    };
    const onCredentials = (operator: OperatorCredentials): void => {
      onSecrets({ operator });
    };
    return await grant(environment, made.rootToken, { ...options, onToken, onCredentials });
  } catch (error) {
    return { stopped: firstLine(error) };
  }
}

/**
 * A server that has lost its storage looks as one of a new Vault does: initialised beside one that holds data, it would be a second
 * Vault.
 */
async function assertEmpty(environment: VaultEnvironment, servers: readonly VaultServerPod[]): Promise<void> {
  // One that does not answer may not have begun yet.
  const states = await Promise.all(servers.map(({ client }) => client.sealStatus().catch(() => undefined)));
  const full = servers.filter((_, index) => states[index]?.initialized === true).map(({ pod }) => pod);
  if (full.length === 0) return;
  const goOn = `${ownCommand("vault:unseal", environment)}, or ${ownCommand("up", environment)}`;
  throw new InvalidRequestError(
    full.length === servers.length
      ? `Vault is initialised already; to go on: ${goOn}`
      : `${full.join(", ")} of ${servers.length} servers of Vault has data, so it is initialised already. The others are to join: ` +
          `${goOn}. Where no server leads: docs/runbooks.md#lost-quorum`,
  );
}

/** Tells a Vault that refuses from one that was initialised, and whose answer was lost on the way. */
async function explainLoss(environment: VaultEnvironment, { client }: VaultServerPod, error: unknown): Promise<never> {
  if (!isUncertain(error)) throw error;
  const status = await client.sealStatus().catch(() => undefined);
  if (status?.initialized === false) throw error;
  throw new LostSecretsError(
    `Vault's answer with the key shares was lost on the way: ${firstLine(error)}.\n${keysAreLost(environment)}`,
  );
}
