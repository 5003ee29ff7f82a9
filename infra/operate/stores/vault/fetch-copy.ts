import { vaultSnapshotsLabels } from "../../../../constructs/stores/vault/names";
import { fetchScript } from "../../../../constructs/stores/vault/snapshot-copy";
import { snapshotName } from "../../../../constructs/stores/vault/snapshot-script";
import type { VaultEnvironment } from "../../../config/environment";
import { snapshotCopiesOf } from "../../../config/stores/vault/server";
import { InvalidRequestError, UnreachableError } from "../../errors";
import type { VaultSession } from "./session";
import { SnapshotPod } from "./snapshot-pod";

/** From where a snapshot is taken. */
export interface SnapshotSource {
  /** Name of the snapshot. @default - the newest */
  readonly snapshot?: string | undefined;
  /** Whether it is brought from the store of the copies first. @default false */
  readonly fromCopies?: boolean | undefined;
}

/** Whether snapshots are copied to a store. */
export function hasCopies(environment: VaultEnvironment): boolean {
  return snapshotCopiesOf(environment) !== undefined;
}

/** How long a copy may take to arrive, in seconds. */
const fetchSeconds = 1200;

/**
 * Brings a copy of a snapshot from its store to the volume of the snapshots, where it lacks it.
 *
 * @returns the name of the snapshot that is wanted; none where the newest one of the volume is
 * @throws InvalidRequestError where there are no copies; UnreachableError where the store does not give it
 */
export async function fetchWanted(
  session: VaultSession,
  { snapshot, fromCopies = false }: SnapshotSource,
  onProgress?: (text: string) => void,
): Promise<string | undefined> {
  if (!fromCopies) return snapshot;
  const copies = snapshotCopiesOf(session.environment);
  if (copies === undefined) throw new InvalidRequestError("there are no copies: vault.snapshots.copies is not set");
  if (snapshot !== undefined && !snapshotName.test(snapshot)) {
    throw new InvalidRequestError(`"${snapshot}" is no name of a snapshot: write one as 20261126T060000Z.snap`);
  }
  onProgress?.(`fetching ${snapshot ?? "the newest copy"} from ${copies.bucket}`);
  const labels = vaultSnapshotsLabels(session.environment.vault.release);
  const pod = await SnapshotPod.start(session, { purpose: "fetch", labels, copies, seconds: fetchSeconds });
  try {
    const args = ["fetch", ...(snapshot === undefined ? [] : [snapshot])];
    const { exitCode, stdout, stderr } = await pod.run(["sh", "-c", fetchScript, ...args], fetchSeconds);
    if (exitCode === 0) return stdout.toString().trim();
    const words = stderr.trim().split("\n").at(-1) ?? "";
    throw new UnreachableError(
      `the store of the copies did not give ${snapshot ?? "one"}, and nothing was changed: ${words}`,
    );
  } finally {
    await pod.end();
  }
}
