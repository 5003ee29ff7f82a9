import { isIP } from "node:net";
import { dirname } from "node:path/posix";
import { auditLogFiles } from "../../../../constructs/platform/vault/audit-log";
import { sealConfig, type TransitSeal } from "../../../../constructs/platform/vault/auto-unseal";
import { VaultClient } from "../../../../constructs/stores/vault/api/client";
import { vaultDrillLabels } from "../../../../constructs/stores/vault/names";
import { snapshotPaths } from "../../../../constructs/stores/vault/snapshot-script";
import { openPortForward } from "../../../cluster/port-forward";
import type { VaultEnvironment } from "../../../config/environment";
import { vaultServer } from "../../../config/stores/vault/server";
import { asDeployed } from "../../as-deployed";
import { digestOf } from "../../digest";
import { InvalidRequestError } from "../../errors";
import { drillConfig, drillFolder, drillScript } from "./drill-script";
import { fetchWanted, hasCopies, type SnapshotSource } from "./fetch-copy";
import { generateRoot } from "./generate-root";
import { asPod, contentOf, readStored } from "./pod-login";
import { VaultSession } from "./session";
import { SnapshotPod } from "./snapshot-pod";
import { checkSnapshot, chooseSnapshot, listSnapshots } from "./snapshots";
import { sharesOf, type UnsealOptions, unsealServers, waitUntilServing } from "./unseal";

export interface DrillOptions extends UnsealOptions, SnapshotSource {
  /**
   * Asks for key shares of the Vault that the snapshot is of, once the snapshot is known to be whole; where a seal unseals it, for
   * those of its recovery key.
   */
  readonly shares: () => Promise<readonly string[]>;
}

/** What a drill found. */
export interface Drill {
  /** Name of the snapshot. */
  readonly snapshot: string;
  /** When it was taken. */
  readonly takenAt: Date;
  /** How much of time would be lost, in seconds. */
  readonly lostSeconds: number;
  /** How long it took from the last answer until every secret was read, in seconds. */
  readonly seconds: number;
  /** Each secret of the table, and of the tenants' tables. */
  readonly secrets: readonly DrilledSecret[];
}

export interface DrilledSecret {
  /** Name of the tenant. @default - the first Aidbox */
  readonly tenant?: string;
  readonly secret: string;
  readonly state:
    | "same"
    /** Another value is live: it was changed after the snapshot. */
    | "differs"
    /** It is live, and not in the snapshot. */
    | "not in the snapshot"
    /** It is in the snapshot, and not live. */
    | "not live";
}

/** How long the pod of a drill lives at most, in seconds. */
const podSeconds = 1800;
/** How long a snapshot may take to be put in place there, in seconds. */
const restoreSeconds = 600;

/**
 * Opens a snapshot in a Vault that nobody reaches and that reaches nobody but the key of a transit seal, and compares every
 * secret of the table, as its pods read it, with the live one, by digest. That Vault is in the memory of a pod, which ends with
 * this process.
 *
 * @throws InvalidRequestError where there is no such snapshot, or it is damaged, or the shares are wrong, or a cloud's key unseals
 * Vault
 */
export async function drill(environment: VaultEnvironment, options: DrillOptions): Promise<Drill> {
  const { onProgress } = options;
  const seal = transitSealOf(environment);
  const session = await VaultSession.open(environment);
  const wanted = await fetchWanted(session, options, onProgress);
  onProgress?.("looking at the snapshots");
  const pod = await SnapshotPod.start(session, {
    purpose: "drill",
    labels: vaultDrillLabels(environment.vault.release),
    isAlone: true,
    memory: {
      drill: { path: drillFolder, size: "512Mi" },
      // Where the snapshot's Vault has its audit log: without a place for any of its devices, Vault opens nothing.
      audit: { path: dirname(auditLogFiles.volume), size: "64Mi" },
      "audit-storage": { path: dirname(auditLogFiles.storage), size: "64Mi" },
    },
    seconds: podSeconds,
    ...(seal === undefined ? {} : { seal, isAlone: isIP(hostOf(seal.address)) !== 0 }),
  });
  try {
    const snapshot = chooseSnapshot(await listSnapshots(pod), wanted, hasCopies(environment));
    onProgress?.(`checking ${snapshot.name}`);
    await checkSnapshot(pod, snapshot);
    const shares = await options.shares();
    const start = Date.now();
    onProgress?.(`putting ${snapshot.name} in place, in a Vault of the drill's own`);
    const file = `${snapshotPaths.folder}/${snapshot.name}`;
    const args = [drillConfig(), drillConfig(seal && { transit: drillSeal(seal) }), file];
    const { exitCode, stderr } = await pod.run(["sh", "-c", drillScript, "drill", ...args], restoreSeconds);
    if (exitCode !== 0) throw new Error(`the drill's Vault does not take ${snapshot.name}: ${stderr.trim()}`);
    const opened = await open(session, pod, shares, seal === undefined, options);
    onProgress?.("comparing every secret");
    const secrets = await Promise.all([environment, ...environment.tenants].map((each) => compare(each, opened)));
    const { name, takenAt } = snapshot;
    return {
      snapshot: name,
      takenAt,
      lostSeconds: Math.round((start - takenAt.getTime()) / 1000),
      seconds: Math.round((Date.now() - start) / 1000),
      secrets: secrets.flat(),
    };
  } finally {
    await pod.end();
  }
}

/** The transit seal that opens the snapshots; none where key shares do. @throws InvalidRequestError where a cloud's key does */
function transitSealOf(environment: VaultEnvironment): TransitSeal | undefined {
  const server = vaultServer(environment);
  const seal = server === undefined || server.mode === "dev" ? undefined : server.seal;
  if (seal === undefined || seal.type === "transit") return seal;
  throw new InvalidRequestError(
    "a cloud's key opens the snapshots, by an identity that Vault's servers alone have: a drill's pod does not get it. " +
      "Restore a snapshot into a cluster for that",
  );
}

/** As a server's configuration has it: the token, which is the live servers' too, stays as it is. */
function drillSeal(seal: TransitSeal): object {
  const { transit } = sealConfig(seal) as { transit: object };
  return { ...transit, disable_renewal: "true" };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** The drill's Vault, unsealed, with a root token of its own. */
async function open(
  session: VaultSession,
  pod: SnapshotPod,
  shares: readonly string[],
  isSealed: boolean,
  options: DrillOptions,
): Promise<VaultClient> {
  const forward = await openPortForward(session.api, { ...pod.target, port: 8200 }, 0);
  const connection = { address: `http://127.0.0.1:${forward.port}` };
  const server = { pod: "the drill's Vault", client: new VaultClient({ ...connection, token: "" }) };
  if (isSealed) {
    const { sealed } = await unsealServers([server], sharesOf(shares), options);
    const [lacks] = sealed;
    if (lacks !== undefined) {
      throw new InvalidRequestError(`${lacks.pod} has ${lacks.given} of ${lacks.needed} key shares: give more of them`);
    }
  }
  await waitUntilServing([server]);
  const token = await generateRoot(server.client, session.environment, shares);
  return new VaultClient({ ...connection, token });
}

/** Compares an Aidbox's secrets, which no other token than its pods' reads. */
async function compare(configured: VaultEnvironment, opened: VaultClient): Promise<DrilledSecret[]> {
  const environment = await asDeployed(configured);
  const session = await VaultSession.open(environment);
  return asPod(session, async (live) => {
    const paths = await Promise.all(
      environment.table.paths.map(async (path) => {
        const [now, then] = await Promise.all([live, opened].map((vault) => readStored(vault, environment, path)));
        return path.secrets.map((secret): DrilledSecret => {
          const [present, former] = [now, then].map((values) => {
            const value = values?.[secret.key];
            return value === undefined ? undefined : digestOf(contentOf(environment, secret, value));
          });
          return { ...tenantOf(environment), secret: secret.name, state: stateOf(present, former) };
        });
      }),
    );
    return paths.flat();
  });
}

function tenantOf({ tenant }: VaultEnvironment): { readonly tenant?: string } {
  return tenant === undefined ? {} : { tenant };
}

function stateOf(live: string | undefined, snapshot: string | undefined): DrilledSecret["state"] {
  if (live === snapshot) return "same";
  if (snapshot === undefined) return "not in the snapshot";
  return live === undefined ? "not live" : "differs";
}
