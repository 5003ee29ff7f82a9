import { VaultClient } from "../../../../constructs/stores/vault/api/client";
import { openPortForward } from "../../../cluster/port-forward";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import type { VaultEnvironment } from "../../../config/environment";
import { isStored } from "../../../config/stores/vault/server";
import { assertClusterAnswers } from "../../assert-reachable";
import { InvalidRequestError } from "../../errors";
import type { VaultSession } from "./session";

/** One server of a Vault of the stack's own. */
export interface VaultServerPod {
  readonly pod: string;
  readonly client: VaultClient;
}

/** A server, and the way to it. */
export interface OpenServer extends VaultServerPod {
  /** URL on this machine that leads to it. */
  readonly address: string;
}

/** How long a server's pod may take to run, in seconds: one that was just deleted takes some 10. */
const runSeconds = 60;

/** The servers that the StatefulSet wants. */
export interface WantedServers {
  /** Those that run. */
  readonly servers: readonly OpenServer[];
  /** Names of the pods of those that do not, also after a time. */
  readonly missing: readonly string[];
}

/**
 * The servers of the environment's Vault that run now, each by a way of its own.
 *
 * @throws InvalidRequestError where the environment has no Vault with storage of its own, or no server runs yet
 */
export async function openServers(session: VaultSession): Promise<OpenServer[]> {
  await assertOwnServers(session);
  return openEach(session, await runningPods(session));
}

/**
 * The servers of the environment's Vault, each by a way of its own; one whose pod is being made anew is waited for.
 *
 * @throws InvalidRequestError where the environment has no Vault with storage of its own, or no server runs
 */
export async function awaitServers(session: VaultSession, onProgress?: (text: string) => void): Promise<WantedServers> {
  await assertOwnServers(session);
  let wanted: readonly string[] | undefined;
  let running: readonly string[] = [];
  let missing: readonly string[] = [];
  const allRun = async (): Promise<boolean> => {
    const before = missing.join(", ");
    running = await runningPods(session);
    wanted ??= await wantedPods(session);
    missing = wanted.filter((pod) => !running.includes(pod));
    const now = missing.join(", ");
    if (now !== "" && now !== before) onProgress?.(`waiting for ${now} to run`);
    return missing.length === 0;
  };
  await waitUntil(allRun, Date.now() + runSeconds * 1000, 1000);
  return { servers: await openEach(session, running), missing };
}

async function assertOwnServers(session: VaultSession): Promise<void> {
  assertHasOwnServers(session.environment);
  await assertClusterAnswers(session);
}

/** @throws InvalidRequestError where the environment's Vault is none that the stack keeps servers of */
export function assertHasOwnServers({ name, vault }: VaultEnvironment): void {
  if (isStored(vault)) return;
  throw new InvalidRequestError(
    `the Vault of environment "${name}" is of mode ${vault.mode}: only standalone and ha have ` +
      "servers of the stack's own to initialise and unseal",
  );
}

/** Names of the pods that the StatefulSet makes: none where it is gone, and none beyond those that somebody scaled it to. */
async function wantedPods({ api, environment, permitted }: VaultSession): Promise<string[]> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { namespace } = vaultServerPods(environment);
  const name = environment.vault.release;
  const found = await permitted(api.find(apps.readNamespacedStatefulSet({ namespace, name })));
  return Array.from({ length: found?.spec?.replicas ?? 0 }, (_, ordinal) => `${name}-${ordinal}`);
}

async function runningPods({ api, environment, permitted }: VaultSession): Promise<string[]> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace, labelSelector } = vaultServerPods(environment);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  return (
    items
      // One that is being deleted is in phase Running up to its end.
      .filter(({ metadata, status }) => status?.phase === "Running" && metadata?.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata?.name ?? "")
      .sort()
  );
}

async function openEach(session: VaultSession, names: readonly string[]): Promise<OpenServer[]> {
  const { api, environment } = session;
  const { namespace, labelSelector, port } = vaultServerPods(environment);
  if (names.length === 0) throw new InvalidRequestError(`no server of Vault runs in namespace ${namespace} yet`);
  const caCert = await session.vaultCa();
  return Promise.all(
    names.map(async (pod) => {
      const own = `${labelSelector},statefulset.kubernetes.io/pod-name=${pod}`;
      const forward = await openPortForward(api, { namespace, labelSelector: own, port }, 0);
      const address = `https://127.0.0.1:${forward.port}`;
      return {
        pod,
        address,
        client: new VaultClient({ address, token: "", ...(caCert === undefined ? {} : { caCert }) }),
      };
    }),
  );
}
