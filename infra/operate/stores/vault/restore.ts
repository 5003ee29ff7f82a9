import { isUncertain } from "../../../../constructs/settle";
import { vaultSnapshotsLabels } from "../../../../constructs/stores/vault/names";
import { waitUntil } from "../../../cluster/wait-until";
import type { VaultEnvironment } from "../../../config/environment";
import { firstLine, InvalidRequestError, LostSecretsError, UnreachableError } from "../../errors";
import { fetchWanted, hasCopies, type SnapshotSource } from "./fetch-copy";
import { endRoot, generateRoot } from "./generate-root";
import { discardVault, keysAreLost } from "./hints";
import { renewServer } from "./roll";
import { awaitServers, type OpenServer } from "./servers";
import { VaultSession } from "./session";
import { SnapshotPod } from "./snapshot-pod";
import { checkSnapshot, chooseSnapshot, listSnapshots, readSnapshot, type Snapshot } from "./snapshots";
import { uninterrupted } from "./uninterrupted";
import { type SealedServer, sharesOf, type UnsealOptions, unsealServers, waitUntilServing } from "./unseal";

export interface RestoreOptions extends UnsealOptions, SnapshotSource {
  /** Asks whether it may overwrite all that Vault holds; called once the snapshot is known to be whole. */
  readonly confirm: (snapshot: Snapshot) => Promise<void>;
  /** Asks for key shares, once it is confirmed. */
  readonly shares: (vault: PresentVault) => Promise<RestoreShares>;
}

/** The Vault whose content is overwritten. */
export interface PresentVault {
  /** Whether it has key shares of its own. */
  readonly initialised: boolean;
  /** Whether it unseals itself. */
  readonly unsealsItself: boolean;
}

/** Key shares, as many as unseal each. */
export interface RestoreShares {
  /** Of Vault as it is now; none where it is not initialised. */
  readonly present: readonly string[];
  /** Of the Vault that the snapshot was taken of; none where that unseals itself. */
  readonly original: readonly string[];
}

/** What became of a restoration. */
export interface Restoration {
  /** Name of the snapshot that is in place. */
  readonly snapshot: string;
  /** When it was taken: what was written later is lost. */
  readonly takenAt: Date;
  /** How long it took from the last answer to the end, in seconds. */
  readonly seconds: number;
  /** Names of the servers' pods that serve what it has. */
  readonly servers: readonly string[];
  /** The servers that lack key shares of the snapshot's Vault, and why they were refused. @default - none */
  readonly sealed?: { readonly servers: readonly SealedServer[]; readonly reason?: string };
  /** Names of the pods that did not run, and were left out. @default - all ran */
  readonly missing?: readonly string[];
}

/** How long a Vault may take to have an active server, in seconds. */
const leaderSeconds = 120;

/**
 * Puts a snapshot in the place of all that the stack's own Vault holds: by the endpoint that takes one of a Vault with other
 * keys, since a Vault that was initialised anew has others. Then each server starts anew, since it remembers how many shares
 * the former Vault asked for, and takes the key shares of the snapshot's.
 *
 * It can be run again at any point: what was not overwritten is as it was.
 *
 * @throws InvalidRequestError where there is no such snapshot, or it is damaged, or nobody confirms, or the shares of the
 * present Vault are wrong: nothing was overwritten
 */
export async function restore(environment: VaultEnvironment, options: RestoreOptions): Promise<Restoration> {
  const { onProgress } = options;
  const session = await VaultSession.open(environment);
  const { servers, missing } = await awaitServers(session, onProgress);
  const { snapshot, content } = await fetchSnapshot(session, options);
  await options.confirm(snapshot);
  const present = await presentVault(environment, servers);
  const shares = await options.shares(present);
  const start = Date.now();
  if (present.initialised) await unsealFirst(session, servers, shares.present, options);
  await uninterrupted(async () => {
    const overwrite = async (root: string): Promise<void> => {
      onProgress?.(`putting ${snapshot.name} in place`);
      await putInPlace(servers, root, content, present, options);
    };
    if (present.initialised) await overwrite(await rootOfPresent(session, shares.present));
    else
      await rootOfEmpty(servers, present, options)
        .then(overwrite)
        .catch((error: unknown) => explain(environment, error));
  });
  onProgress?.("starting each server anew");
  await Promise.all(servers.map((server) => renewServer(session, server)));
  const sealed = present.unsealsItself ? undefined : await openRestored(servers, shares.original, options);
  if (sealed === undefined) await waitUntilServing(servers);
  const seconds = Math.round((Date.now() - start) / 1000);
  const names = sealed === undefined ? servers.map(({ pod }) => pod) : [];
  const { name, takenAt } = snapshot;
  const left = { ...(sealed === undefined ? {} : { sealed }), ...(missing.length === 0 ? {} : { missing }) };
  return { snapshot: name, takenAt, seconds, servers: names, ...left };
}

async function fetchSnapshot(
  session: VaultSession,
  { onProgress, ...source }: RestoreOptions,
): Promise<{ readonly snapshot: Snapshot; readonly content: Buffer }> {
  const wanted = await fetchWanted(session, source, onProgress);
  onProgress?.("looking at the snapshots");
  const labels = vaultSnapshotsLabels(session.environment.vault.release);
  const pod = await SnapshotPod.start(session, { purpose: "restore", labels, seconds: 1800 });
  try {
    const snapshot = chooseSnapshot(await listSnapshots(pod), wanted, hasCopies(session.environment));
    onProgress?.(`checking ${snapshot.name}`);
    await checkSnapshot(pod, snapshot);
    return { snapshot, content: await readSnapshot(pod, snapshot) };
  } finally {
    await pod.end();
  }
}

async function presentVault(environment: VaultEnvironment, servers: readonly OpenServer[]): Promise<PresentVault> {
  const states = await Promise.all(servers.map(({ client }) => client.sealStatus()));
  const unsealsItself = "seal" in environment.vault && environment.vault.seal !== undefined;
  return { initialised: states.some(({ initialized }) => initialized), unsealsItself };
}

/** A Vault that is sealed makes no root token. */
async function unsealFirst(
  session: VaultSession,
  servers: readonly OpenServer[],
  shares: readonly string[],
  options: RestoreOptions,
): Promise<void> {
  const { environment } = session;
  const states = await Promise.all(servers.map(async (server) => ({ server, ...(await server.client.sealStatus()) })));
  const sealed = states.filter((each) => each.sealed).map(({ server }) => server);
  if (sealed.length === 0) return;
  // One that a run left here after it had overwritten Vault would ask for as many shares as that Vault did.
  await Promise.all(sealed.map((server) => renewServer(session, server)));
  const refusal = (reason: string): InvalidRequestError =>
    new InvalidRequestError(
      `${reason}. First come the shares of Vault as it is now: after a run that was killed, maybe those of the snapshot's ` +
        `already. Where such a run initialised it, nobody has them, and it holds nothing: ${discardVault(environment)}`,
    );
  const left = await unsealServers(servers, sharesOf(shares), options).catch((error: unknown) => {
    throw error instanceof InvalidRequestError ? refusal(firstLine(error)) : error;
  });
  const [first] = left.sealed;
  if (first !== undefined) throw refusal(`${first.pod} has ${first.given} of ${first.needed} key shares`);
}

async function rootOfPresent(session: VaultSession, shares: readonly string[]): Promise<string> {
  const vault = await (session.hasToken ? session.operatorVault() : session.anonymousVault());
  return generateRoot(vault, session.environment, shares);
}

/** Initialises a Vault that holds nothing by keys that live until it is overwritten, a moment later. */
async function rootOfEmpty(
  servers: readonly OpenServer[],
  { unsealsItself }: PresentVault,
  { onProgress }: RestoreOptions,
): Promise<string> {
  const [first] = servers as readonly [OpenServer];
  onProgress?.("initialising Vault, for what is overwritten then");
  const { keyShares, rootToken } = await first.client.initialise({
    shares: 1,
    threshold: 1,
    recoverySeal: unsealsItself,
    pgpKeys: [],
  });
  if (!unsealsItself) await first.client.unseal(keyShares[0]!);
  if (await waitUntil(async () => (await leaderAmong([first])) !== undefined, Date.now() + leaderSeconds * 1000)) {
    return rootToken;
  }
  throw new UnreachableError(`${first.pod} does not serve after ${leaderSeconds} s`);
}

/** Says what is left of a Vault that was empty, whose keys go with this process. One that may hold the snapshot by now is not to be discarded. */
function explain(environment: VaultEnvironment, error: unknown): never {
  if (isUncertain(error)) throw error;
  throw new LostSecretsError(`${firstLine(error)}.\n${keysAreLost(environment)}`);
}

async function putInPlace(
  servers: readonly OpenServer[],
  rootToken: string,
  content: Buffer,
  { initialised }: PresentVault,
  { onProgress }: RestoreOptions,
): Promise<void> {
  const leader = await leaderAmong(servers);
  const root = (leader ?? servers[0]!).client.withToken(rootToken);
  try {
    if (leader === undefined) throw new UnreachableError("no server of Vault is active: try again");
    await root.restoreSnapshot(content);
  } catch (error) {
    if (initialised) await endRoot(root, onProgress);
    throw error;
  }
}

async function leaderAmong(servers: readonly OpenServer[]): Promise<OpenServer | undefined> {
  const states = await Promise.all(
    servers.map(async (server) => ({ server, health: await server.client.health().catch(() => undefined) })),
  );
  return states.find(({ health }) => health?.sealed === false && !health.standby)?.server;
}

/** Gives the servers the shares of the snapshot's Vault; what is missing, where they are too few or wrong. */
async function openRestored(
  servers: readonly OpenServer[],
  shares: readonly string[],
  options: RestoreOptions,
): Promise<Restoration["sealed"]> {
  try {
    const { sealed } = await unsealServers(servers, sharesOf(shares), options);
    return sealed.length === 0 ? undefined : { servers: sealed };
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    return { servers: [], reason: firstLine(error) };
  }
}
