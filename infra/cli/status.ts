import CliTable from "cli-table3";
import type { Environment } from "../config/environment";
import { storeTitle } from "../config/stores";
import { inWords } from "../operate/age";
import { readStatus, type SecretStatus, type Status } from "../operate/status";
import { exitCodes } from "./exit-codes";
import { statusMetrics } from "./status-metrics";
import { colours, print, show, showProgress } from "./terminal";

export interface StatusOptions {
  readonly json: boolean;
  /** Whether to print what Prometheus takes. */
  readonly metrics: boolean;
}

/** Shows where the environment's secrets stand; its exit code tells whether something is to be warned of. */
export async function showStatus(environment: Environment, { json, metrics }: StatusOptions): Promise<number> {
  const progress = await showProgress(`looking at ${storeTitle(environment)} and the pods`, json || metrics);
  const status = await readStatus(environment).finally(progress.stop);
  if (metrics) {
    print(statusMetrics(environment, status));
    return exitCodes.done; // a schedule hands them on, and an alert tells the rest
  }
  show(status, json, (shown) => format(environment, shown));
  const stale = status.secrets.some(({ pods }) => pods.some(({ isCurrent }) => !isCurrent));
  return stale ? exitCodes.broken : exitCodes.done;
}

function format(environment: Environment, status: Status): string {
  const title = storeTitle(environment);
  const table = new CliTable({
    head: ["secret", `in ${title}`, "version", "rotated", "in the pods"],
    style: { head: [], border: [], compact: true },
  });
  for (const secret of status.secrets) {
    table.push([
      secret.secret,
      secret.path,
      secret.version ?? (secret.rotatedAt === undefined ? colours.red("none") : "current"),
      secret.rotatedAt === undefined ? "" : `${formatAge(secret.rotatedAt)} ago`,
      formatPods(title, secret),
    ]);
  }
  return [
    `Environment "${status.environment}", cluster "${environment.kubeContext}", ${status.store}`,
    table.toString(),
    ...(status.pendingRoll === undefined
      ? []
      : [
          `A change of ${formatAge(status.pendingRoll.since)} ago waits to be rolled until ${status.pendingRoll.at.toISOString()}.`,
        ]),
    ...(status.newestSnapshot === undefined
      ? []
      : [`The newest snapshot of ${title} was taken ${formatAge(status.newestSnapshot)} ago.`]),
    `A change by somebody else is in the pods within ${status.nextPickUpSeconds} s and what a publication takes.`,
    ...status.warnings.map((warning) => colours.yellow(`! ${warning}`)),
  ].join("\n");
}

function formatPods(store: string, { pods, incomparable }: SecretStatus): string {
  if (incomparable !== undefined) return incomparable;
  if (pods.length === 0) return "no pod runs";
  return pods
    .map(({ pod, version, isCurrent }) =>
      isCurrent
        ? `${pod}: ${version ?? "current"}`
        : colours.yellow(`${pod}: ${version ?? `none that ${store} knows`} (stale)`),
    )
    .join("\n");
}

function formatAge(since: Date): string {
  return inWords((Date.now() - since.getTime()) / 1000);
}
