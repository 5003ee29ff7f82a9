import type { V1Endpoint, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { shellCommand } from "../../../../constructs/shell-command";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import { ownCommand } from "../../../config/command-line";
import { vaultCommand } from "../../../config/names";
import { addressFromHere } from "../../../config/stores/vault/address";
import { isStored } from "../../../config/stores/vault/server";
import { kubectl, mendDrift } from "../../hints";
import { BrokenLinkError } from "../../link";
import { messageOf, PermissionDeniedError } from "../../permission-denied";
import { renewCertificate, scaleServers } from "./hints";
import { describeOutdated, serverRevisions } from "./server-revisions";
import type { VaultSession } from "./session";

/** How long the cluster may take to see what a server that was just unsealed is, in seconds: its labels and its readiness trail. */
const settleSeconds = 8;

/** @throws BrokenLinkError where Vault cannot be reached, by us or by the provider, or does not serve */
export async function checkVault(session: VaultSession): Promise<string> {
  const { environment } = session;
  const { vault, namespaces } = environment;
  let health;
  try {
    health = await (await session.anonymousVault()).health();
  } catch (error) {
    throw await unreachable(session, error);
  }
  if (!health.initialized) {
    throw new BrokenLinkError(
      "Vault is not initialised",
      isStored(vault) ? ownCommand("vault:init", environment) : `${vaultCommand(environment)} operator init`,
    );
  }
  if (health.sealed) {
    const server = `${vault.release}-0`;
    throw new BrokenLinkError(
      "Vault is sealed",
      vault.mode === "dev"
        ? `${kubectl(environment, namespaces.vault, "logs", server)} | sed -n 's/^Unseal Key: //p' | ` +
            kubectl(environment, namespaces.vault, "exec", "-i", server, "--", "vault", "write", "sys/unseal", "key=-")
        : isStored(vault)
          ? ownCommand("vault:unseal", environment)
          : `${vaultCommand(environment)} operator unseal`,
    );
  }
  if (vault.mode === "external" && health.standby) await assertLed(session);
  if (vault.mode === "ha") await checkServers(session);
  if (isStored(vault)) await checkRevisions(session);
  const served = vault.mode !== "external" ? `; ${await checkService(session)}` : "";
  return `Vault ${health.version}, initialised, unsealed${served}`;
}

/** A standby answers for itself, and hands all else to a leader. */
async function assertLed(session: VaultSession): Promise<void> {
  const { environment } = session;
  if (await (await session.anonymousVault()).hasLeader()) return;
  throw new BrokenLinkError(
    "Vault is a standby, and knows no server that leads",
    `${vaultCommand(environment)} operator raft list-peers`,
  );
}

async function unreachable(session: VaultSession, error: unknown): Promise<Error> {
  const { environment, api } = session;
  const { vault } = environment;
  if (vault.mode === "external") {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return new BrokenLinkError(
      `Vault does not answer at ${addressFromHere(vault)}: ${cause}`,
      shellCommand("curl", `${addressFromHere(vault)}/v1/sys/health`),
    );
  }
  const { namespace, labelSelector } = vaultServerPods(environment);
  const forward = session.forwardError();
  if (/\b403\b/.test(messageOf(forward))) {
    return new PermissionDeniedError(`"get" and "create" on pods/portforward in namespace ${namespace}`);
  }
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await session.permitted(core.listNamespacedPod({ namespace, labelSelector }));
  if (items.length === 0) {
    return new BrokenLinkError(
      `Vault has no pod in namespace ${namespace}`,
      `${scaleServers(environment)} ; ${mendDrift(environment)}`,
    );
  }
  const refusal = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  if (isStored(vault) && /certificate/.test(refusal)) {
    return new BrokenLinkError(`Vault's certificate is refused: ${refusal}`, renewCertificate(environment));
  }
  const states = items.map(({ metadata, status }) => `${metadata?.name ?? ""} is ${status?.phase ?? "unknown"}`);
  return new BrokenLinkError(
    `Vault does not answer: ${states.join(", ")}`,
    kubectl(environment, namespace, "describe", "pods", "-l", labelSelector),
  );
}

/**
 * By what the servers label their own pods with. `sys/leader` would not do: a server that is left alone is unsealed, and still names
 * the leader of before.
 */
async function checkServers({ api, environment, permitted }: VaultSession): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace, labelSelector } = vaultServerPods(environment);
  let items: V1Pod[] = [];
  const hasLeader = async (): Promise<boolean> => {
    ({ items } = await permitted(core.listNamespacedPod({ namespace, labelSelector })));
    return having("vault-active", "true").length > 0 || having("vault-active", "false").length === 0;
  };
  const having = (label: string, value: string): readonly string[] =>
    items.filter(({ metadata }) => metadata?.labels?.[label] === value).map(({ metadata }) => metadata?.name ?? "");
  const isLed = await waitUntil(hasLeader, Date.now() + settleSeconds * 1000, 1000);
  const sealed = having("vault-sealed", "true");
  if (!isLed) {
    throw new BrokenLinkError(
      `no server of Vault leads${sealed.length === 0 ? "" : `, and of ${items.length} are sealed or empty: ${sealed.join(", ")}`}: ` +
        "see docs/runbooks.md#lost-quorum",
      kubectl(environment, namespace, "get", "pods", "-o", "wide", "-l", labelSelector),
    );
  }
  // Beside others that serve: the next failure could be one too many.
  if (sealed.length === 0) return;
  throw new BrokenLinkError(
    `${sealed.join(", ")} of ${items.length} servers sealed`,
    ownCommand("vault:unseal", environment),
  );
}

/** Servers that an `up` left as they were, so that a mended image never reaches them. */
async function checkRevisions(session: VaultSession): Promise<void> {
  const revisions = await serverRevisions(session);
  if (revisions.outdated.length === 0) return;
  throw new BrokenLinkError(describeOutdated(revisions), ownCommand("vault:roll", session.environment));
}

/** Whether the name by which the provider reaches a Vault of the cluster leads to it. */
async function checkService({ api, environment, permitted }: VaultSession): Promise<string> {
  const { vault, namespaces } = environment;
  const discovery = api.config.makeApiClient(api.client.DiscoveryV1Api);
  let endpoints: V1Endpoint[] = [];
  const isReady = ({ conditions }: V1Endpoint): boolean => conditions?.ready === true;
  const isSettled = async (): Promise<boolean> => {
    const { items } = await permitted(
      discovery.listNamespacedEndpointSlice({
        namespace: namespaces.vault,
        labelSelector: `kubernetes.io/service-name=${vault.release}`,
      }),
    );
    endpoints = items.flatMap((slice) => (slice.endpoints as V1Endpoint[] | null) ?? []); // null where there is none
    return endpoints.length === 0 || endpoints.some(isReady);
  };
  await waitUntil(isSettled, Date.now() + settleSeconds * 1000, 1000);
  if (endpoints.some(isReady)) return `Service ${namespaces.vault}/${vault.release} leads to it`;
  if (endpoints.length > 0) {
    const { namespace, labelSelector } = vaultServerPods(environment);
    throw new BrokenLinkError(
      `Service ${namespaces.vault}/${vault.release} leads to no Vault, since none of its pods is ready`,
      kubectl(environment, namespace, "describe", "pods", "-l", labelSelector),
    );
  }
  throw new BrokenLinkError(
    `Service ${namespaces.vault}/${vault.release} leads to no Vault, so the provider cannot reach it`,
    // Helm looks at what its release has installed once something of it is gone.
    `${kubectl(environment, namespaces.vault, "delete", "service", "--ignore-not-found", vault.release)} && ${mendDrift(environment)}`,
  );
}
