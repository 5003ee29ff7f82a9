import { VaultClient } from "../../../../constructs/stores/vault/api/client";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { openPortForward } from "../../../cluster/port-forward";
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

/**
 * The servers of the environment's Vault, each by a way of its own.
 *
 * @throws InvalidRequestError where the environment has no Vault with storage of its own, or no server runs yet
 */
export async function openServers(session: VaultSession): Promise<OpenServer[]> {
  const { api, environment, permitted } = session;
  if (!isStored(environment.vault)) {
    throw new InvalidRequestError(
      `the Vault of environment "${environment.name}" is of mode ${environment.vault.mode}: only standalone and ha have ` +
        "servers of the stack's own to initialise and unseal",
    );
  }
  await assertClusterAnswers(session);
  const { namespace, labelSelector, port } = vaultServerPods(environment);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  const names = items
    .filter(({ status }) => status?.phase === "Running")
    .map(({ metadata }) => metadata?.name ?? "")
    .sort();
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
