import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { devRootTokenName } from "../../../../../constructs/stores/vault/names";
import { vaultServerPods } from "../../../../cluster/vault-server-pods";
import { vaultPaths } from "../../../../config/stores/vault/server";
import type { LastRead, StoreReaders } from "../../../access/store-readers";
import { firstLine } from "../../../errors";
import { PermissionDeniedError } from "../../../permission-denied";
import type { VaultSession } from "../session";
import { lastReadsIn } from "./audit-log";
import { changersOf, readersOf } from "./readers";
import { readVaultAccess } from "./vault-access";

/** How much of each server's log is read, in lines. */
const logLines = 5000;

const cannotKnow = [
  "Who was given a token of Vault by hand, and still has it: Vault lists tokens to an administrator alone. What each policy allows is above.",
  "Who has a root token, or enough key shares to make one: with it everything can be read.",
  "Who can open Vault in another way: by a new auth mount, a plugin, its storage or the memory of its servers.",
];

/** Who can read what by Vault's own rules, and who did last. */
export async function vaultReaders(session: VaultSession): Promise<StoreReaders> {
  const { environment } = session;
  const [access, log] = await Promise.all([readVaultAccess(await session.operatorVault()), auditLog(session)]);
  const paths = vaultPaths(environment);
  const { vault, namespaces } = environment;
  return {
    changers: changersOf(environment, access),
    readers: (secret) => readersOf(environment, access, paths.data(secret)),
    lastReads: (secret) => (log.reads === undefined ? undefined : (log.reads.get(paths.data(secret)) ?? [])),
    holders:
      vault.mode === "dev"
        ? [
            {
              namespace: namespaces.vault,
              serviceAccount: vault.release,
              secrets: [devRootTokenName(vault.release)],
            },
          ]
        : [],
    notRead: [...access.notRead, ...log.notRead],
    cannotKnow,
  };
}

interface AuditLog {
  readonly reads?: ReadonlyMap<string, readonly LastRead[]> | undefined;
  readonly notRead: readonly string[];
}

async function auditLog(session: VaultSession): Promise<AuditLog> {
  const what = "the last readers";
  if (session.environment.vault.mode === "external") {
    return { notRead: [`${what}: the audit log of a Vault of others is theirs`] };
  }
  try {
    const reads = lastReadsIn(await serverLogs(session));
    const none = `${what}: no audit device writes to the standard output of Vault's servers, of which the newest ${logLines} lines were read`;
    return { reads, notRead: reads === undefined ? [none] : [] };
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error;
    return { notRead: [`${what}: ${firstLine(error)}`] };
  }
}

/** The newest lines of all servers' logs. */
async function serverLogs({ api, environment, permitted }: VaultSession): Promise<string> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace, labelSelector } = vaultServerPods(environment);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  const logs = items
    .filter(({ status }: V1Pod) => status?.phase === "Running")
    .map(({ metadata }) =>
      permitted(
        core.readNamespacedPodLog({
          namespace,
          name: metadata?.name ?? "",
          container: "vault",
          tailLines: logLines,
        }),
      ),
    );
  return (await Promise.all(logs)).join("\n");
}
