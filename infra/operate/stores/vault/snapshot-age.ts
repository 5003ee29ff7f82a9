import { parseSchedule } from "../../../../constructs/cron";
import { vaultSnapshotsName } from "../../../../constructs/stores/vault/names";
import { snapshotsOf } from "../../../config/stores/vault/server";
import { inWords } from "../../age";
import { kubectl, mendDrift } from "../../hints";
import { BrokenLinkError, type Link } from "../../link";
import type { Backup } from "../../store-operator";
import type { VaultSession } from "./session";

/** How many runs of the schedule may go without a snapshot. */
const missedRuns = 3;
/** How long a run may take, in seconds. */
const runSeconds = 900;

/**
 * When the newest snapshot was taken, and what is wrong with it; undefined where the config asks for none.
 *
 * @throws PermissionDeniedError
 */
export async function readBackup({ api, environment, permitted }: VaultSession): Promise<Backup | undefined> {
  const config = snapshotsOf(environment);
  if (config === undefined) return undefined;
  const namespace = environment.namespaces.vault;
  const name = vaultSnapshotsName(environment.vault.release);
  const batch = api.config.makeApiClient(api.client.BatchV1Api);
  const found = await permitted(api.find(batch.readNamespacedCronJob({ namespace, name })));
  if (found === undefined) {
    return { problem: { cause: `the CronJob ${name} that takes snapshots is gone`, fix: mendDrift(environment) } };
  }
  const takenAt = found.status?.lastSuccessfulTime;
  const known = takenAt === undefined ? {} : { takenAt };
  if (found.spec?.suspend === true) {
    return { ...known, problem: { cause: `the CronJob ${name} is suspended`, fix: mendDrift(environment) } };
  }
  const since = takenAt ?? found.metadata?.creationTimestamp ?? new Date();
  const runs = parseSchedule(config.schedule).previousRuns(missedRuns, new Date(Date.now() - runSeconds * 1000));
  const [oldest] = runs.slice(-1);
  if (runs.length < missedRuns || oldest === undefined || since >= oldest) return known;
  const age = inWords((Date.now() - since.getTime()) / 1000);
  const what = wanted(config);
  const cause = takenAt === undefined ? `there is no ${what} after ${age}` : `the newest ${what} is ${age} old`;
  // Kubernetes shows one container's log, and the other one may be what failed.
  const all = config.copies === undefined ? [] : ["--all-containers"];
  const labels = "app.kubernetes.io/name=vault-snapshots";
  const fix = kubectl(environment, namespace, "logs", "-l", labels, ...all, "--tail=20");
  return { ...known, problem: { cause: `${cause}: ${missedRuns} runs of ${config.schedule} took none`, fix } };
}

/** What a run has made that succeeded. */
function wanted({ copies }: NonNullable<ReturnType<typeof snapshotsOf>>): string {
  return copies === undefined ? "snapshot" : "copied snapshot";
}

/** The snapshots, where the config asks for some. */
export function snapshotLinks(session: VaultSession): Link[] {
  const config = snapshotsOf(session.environment);
  if (config === undefined) return [];
  return [
    {
      name: "snapshots",
      checks: `a ${wanted(config)} of Vault is not older than ${missedRuns} runs of ${config.schedule}`,
      needs: ["cluster"],
      check: async () => {
        const { takenAt, problem } = (await readBackup(session)) ?? {};
        if (problem !== undefined) throw new BrokenLinkError(problem.cause, problem.fix);
        return takenAt === undefined
          ? "none yet: its time has not come"
          : `the newest one is ${inWords((Date.now() - takenAt.getTime()) / 1000)} old`;
      },
    },
  ];
}
