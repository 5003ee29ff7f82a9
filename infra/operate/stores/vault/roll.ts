import { type VaultClient, VaultError, type VaultHealth } from "../../../../constructs/stores/vault/api/client";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { InvalidRequestError, UnreachableError } from "../../errors";
import { kubectl } from "../../hints";
import { lookAtServers } from "./hints";
import { serverRevisions } from "./server-revisions";
import { awaitServers, type OpenServer } from "./servers";
import { VaultSession } from "./session";
import { type NextShare, type SealedServer, type UnsealOptions, unsealServers, waitUntilServing } from "./unseal";

/** How long a server's pod may take to end and to come back, in seconds: with its image at hand it takes some 10. */
const podSeconds = 600;

/** How long a server may take to answer that serves, in seconds. */
const answerSeconds = 15;

/** What became of a roll. */
export interface ServerRoll {
  /** Names of the pods that were made anew, in their order. */
  readonly rolled: readonly string[];
  /** The server that came back, and lacks key shares; the rest is not touched. @default - none */
  readonly sealed?: SealedServer;
}

/**
 * Has each server run what the last `up` wrote: the standbys first, one after another, then the leader, each once the one before
 * serves again. A server without auto-unseal takes key shares.
 *
 * @throws InvalidRequestError where a server does not run or serve before the first is touched
 * @throws UnreachableError where one does not come back; the others are not touched
 */
export async function rollServers(
  environment: VaultEnvironment,
  nextShare: NextShare,
  options: UnsealOptions = {},
): Promise<ServerRoll> {
  const session = await VaultSession.open(environment);
  const { servers, missing } = await awaitServers(session, options.onProgress);
  if (missing.length > 0) {
    throw new InvalidRequestError(
      `${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not run, and another that goes could end Vault: first ` +
        lookAtServers(environment, missing),
    );
  }
  const { outdated } = await serverRevisions(session);
  const leads = await leadersAmong(environment, servers);
  const order = [false, true].flatMap((isLeader) =>
    servers.filter(({ pod }) => outdated.includes(pod) && leads.has(pod) === isLeader),
  );
  const shares = rememberingShares(nextShare);
  const rolled: string[] = [];
  for (const server of order) {
    options.onProgress?.(`${server.pod}: made anew${leads.has(server.pod) ? ", the leader" : ""}`);
    await renewServer(session, server);
    rolled.push(server.pod);
    if (!("seal" in environment.vault) || environment.vault.seal === undefined) {
      const { sealed } = await unsealServers([server], shares(), options);
      if (sealed[0] !== undefined) return { rolled, sealed: sealed[0] };
    }
    await waitUntilServing([server]);
    options.onProgress?.(`${server.pod}: serves`);
  }
  return { rolled };
}

/** Gives each server the shares that the one before took, before it asks for others. */
function rememberingShares(next: NextShare): () => NextShare {
  const known: string[] = [];
  return () => {
    let given = 0;
    return async (sealed) => {
      const share = known[given] ?? (await next(sealed));
      if (share === undefined) return undefined;
      if (given === known.length) known.push(share);
      given++;
      return share;
    };
  };
}

/** @throws InvalidRequestError where one does not serve: a second that goes could take the majority away */
async function leadersAmong(
  environment: VaultEnvironment,
  servers: readonly OpenServer[],
): Promise<ReadonlySet<string>> {
  const states = await Promise.all(servers.map(async ({ pod, client }) => ({ pod, health: await healthOf(client) })));
  const silent = states.filter(({ health }) => health?.initialized !== true || health.sealed);
  if (silent.length > 0) {
    const names = silent.map(({ pod }) => pod).join(", ");
    throw new InvalidRequestError(
      `${names} ${silent.length === 1 ? "does" : "do"} not serve, and another that goes could end Vault: first ` +
        ownCommand("vault:unseal", environment),
    );
  }
  return new Set(states.flatMap(({ pod, health }) => (health?.standby === false ? [pod] : [])));
}

/** A way into the cluster may lose a connection, so a server is asked again before it counts as silent. */
async function healthOf(client: VaultClient): Promise<VaultHealth | undefined> {
  let health: VaultHealth | undefined;
  const answers = async (): Promise<boolean> => {
    health = await client.health().catch(() => undefined);
    return health !== undefined;
  };
  await waitUntil(answers, Date.now() + answerSeconds * 1000);
  return health;
}

/** Deletes a server's pod, and waits until the one in its place answers. */
export async function renewServer(
  { api, environment, permitted }: VaultSession,
  { pod, client }: OpenServer,
): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace } = vaultServerPods(environment);
  const reference = { namespace, name: pod };
  const former = (await permitted(core.readNamespacedPod(reference))).metadata?.uid;
  const { V1DeleteOptions, V1Preconditions } = api.client;
  const preconditions = Object.assign(new V1Preconditions(), { uid: former });
  const body = Object.assign(new V1DeleteOptions(), { preconditions });
  await permitted(core.deleteNamespacedPod({ ...reference, body }));
  const isBack = async (): Promise<boolean> => {
    const found = await permitted(api.find(core.readNamespacedPod(reference)));
    if (found === undefined || found.metadata?.uid === former || found.status?.phase !== "Running") return false;
    return client.sealStatus().then(
      () => true,
      (error: unknown) => error instanceof VaultError,
    );
  };
  if (await waitUntil(isBack, Date.now() + podSeconds * 1000, 2000)) return;
  throw new UnreachableError(
    `${pod} is not back after ${podSeconds} s: ${kubectl(environment, namespace, "describe", "pod", pod)}`,
  );
}
