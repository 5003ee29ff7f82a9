import { snapshotName, snapshotPaths } from "../../../../constructs/stores/vault/snapshot-script";
import { InvalidRequestError } from "../../errors";
import type { SnapshotPod } from "./snapshot-pod";

/** A snapshot of all that Vault held. */
export interface Snapshot {
  /** Name of its file. */
  readonly name: string;
  /** When it was begun. */
  readonly takenAt: Date;
}

/** How long a look at a snapshot, or its way out of the pod, may take, in seconds. */
const readSeconds = 600;

/** The snapshots on the volume, newest first. */
export async function listSnapshots(pod: SnapshotPod): Promise<Snapshot[]> {
  const { stdout } = await pod.run(["ls", snapshotPaths.folder], 30);
  const names = stdout.toString().split("\n").sort().reverse();
  return names.flatMap((name) => {
    const takenAt = timeOf(name);
    return takenAt === undefined ? [] : [{ name, takenAt }];
  });
}

/**
 * The newest one, or that of a name.
 *
 * @param hasCopies whether there may be another one in the store of the copies
 * @throws InvalidRequestError where there is none
 */
export function chooseSnapshot(all: readonly Snapshot[], name: string | undefined, hasCopies: boolean): Snapshot {
  const [newest] = all;
  const orCopy = hasCopies ? ". To take a copy, pass --from-copies" : "";
  if (newest === undefined) throw new InvalidRequestError(`there is no snapshot yet on the volume${orCopy}`);
  const found = name === undefined ? newest : all.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new InvalidRequestError(
    `there is no snapshot "${name!}" on the volume, but ${all.map((each) => each.name).join(", ")}${orCopy}`,
  );
}

/**
 * Has Vault's own command line compare a snapshot with the sums in it.
 *
 * @throws InvalidRequestError where it is damaged
 */
export async function checkSnapshot(pod: SnapshotPod, { name }: Snapshot): Promise<void> {
  const { exitCode, stderr } = await pod.run(
    ["vault", "operator", "raft", "snapshot", "inspect", `${snapshotPaths.folder}/${name}`],
    readSeconds,
  );
  if (exitCode === 0) return;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  throw new InvalidRequestError(`snapshot ${name} is damaged, and was not used: ${words}. Name an earlier one`);
}

/** All of a snapshot. It is encrypted. */
export async function readSnapshot(pod: SnapshotPod, { name }: Snapshot): Promise<Buffer> {
  const { exitCode, stdout, stderr } = await pod.run(["cat", `${snapshotPaths.folder}/${name}`], readSeconds);
  if (exitCode !== 0) throw new Error(`snapshot ${name} cannot be read: ${stderr.trim()}`);
  return stdout;
}

function timeOf(name: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = snapshotName.exec(name) ?? [];
  if (year === undefined) return undefined;
  return new Date(`${year}-${month!}-${day!}T${hour!}:${minute!}:${second!}Z`);
}
