import { VaultError } from "../../../../constructs/stores/vault/api/client";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { ownCommand } from "../../../config/command-line";
import { kubectl } from "../../hints";
import { BrokenLinkError, type Link } from "../../link";
import { PermissionDeniedError } from "../../permission-denied";
import { type AuditDevice, auditDevices, wantedDevices, wantsAudit } from "./audit-devices";
import type { VaultSession } from "./session";

/** How long before this moment a server's log is looked at, in seconds: the check's own request is in it. */
const logSeconds = 10;

/** The most of a server's log that is read, in bytes: standard output has the audit log too. */
const logBytes = 4 * 1024 ** 2;

/** Vault's audit devices, where they are the stack's. */
export function auditLinks(session: VaultSession): Link[] {
  if (!wantsAudit(session.environment)) return [];
  return [
    {
      name: "audit",
      checks: "each request of Vault is written to a file and to standard output, without values",
      needs: ["vault"],
      check: () => checkAudit(session),
    },
  ];
}

async function checkAudit(session: VaultSession): Promise<string> {
  const { environment } = session;
  const wanted = await wantedDevices(session);
  const devices = await readDevices(session);
  const missing = wanted.filter(({ filePath }) => !devices.some((device) => device.filePath === filePath));
  if (missing.length > 0) {
    throw new BrokenLinkError(
      `Vault has no audit device that writes to ${missing.map(({ filePath }) => filePath).join(", nor to ")}`,
      ownCommand("vault:grant", environment, "--shares", "--no-tokens"),
    );
  }
  const raw = devices.filter(({ isRaw }) => isRaw).map(({ name }) => name);
  if (raw.length > 0) {
    throw new BrokenLinkError(
      `the audit device ${raw.join(", ")} writes values in plain (log_raw)`,
      `vault audit disable ${raw[0]!}, with a root token`,
    );
  }
  const failures = await failuresOf(session);
  if (failures.length > 0) throw failing(session, devices, failures);
  return `written to ${wanted.map(({ filePath }) => filePath).join(" and ")}`;
}

/** Asks by a request that is audited itself. */
async function readDevices(session: VaultSession): Promise<readonly AuditDevice[]> {
  const vault = await session.operatorVault();
  try {
    return await auditDevices(vault);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    if (error.status === 403) throw new PermissionDeniedError('"read" and "sudo" on sys/audit in Vault');
    const failures = await failuresOf(session);
    throw failures.length === 0 ? error : failing(session, [], failures);
  }
}

/** A device that a server could not write to. */
interface Failure {
  readonly pod: string;
  readonly filePath: string;
  readonly why: string;
}

function failing(
  { environment }: VaultSession,
  devices: readonly AuditDevice[],
  failures: readonly Failure[],
): BrokenLinkError {
  const { pod, filePath, why } = failures[0]!;
  const name = devices.find((device) => device.filePath === filePath)?.name;
  const others = new Set(failures.map((failure) => `${failure.filePath} of ${failure.pod}`));
  others.delete(`${filePath} of ${pod}`);
  return new BrokenLinkError(
    `${pod} cannot write to the audit device ${name === undefined ? filePath : `${name}, ${filePath}`}: ${why}` +
      (others.size > 0 ? `; nor to ${[...others].join(", ")}` : ""),
    kubectl(
      environment,
      environment.namespaces.vault,
      "exec",
      pod,
      "-c",
      "vault",
      "--",
      "df",
      "-h",
      folderOf(filePath),
    ),
  );
}

/** What servers could not write just now, as they say themselves: Vault tells nobody else where another device is enough. */
async function failuresOf({ api, environment, permitted }: VaultSession): Promise<Failure[]> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { namespace, labelSelector } = vaultServerPods(environment);
  const { items } = await permitted(core.listNamespacedPod({ namespace, labelSelector }));
  const running = items.filter(({ status }) => status?.phase === "Running").map(({ metadata }) => metadata?.name ?? "");
  const found = await Promise.all(
    running.sort().map(async (pod) => {
      const log = await permitted(
        core.readNamespacedPodLog({
          namespace,
          name: pod,
          container: "vault",
          sinceSeconds: logSeconds,
          limitBytes: logBytes,
        }),
      );
      return log.split("\n").flatMap((line) => failureIn(pod, line) ?? []);
    }),
  );
  return found.flat();
}

/** The log's own lines, in either format; what is audited may hold any text. */
const ofAudit = /^\S+ \[ERROR\] audit: |^\{"@level":"error",.*"@module":"audit"/;

function failureIn(pod: string, line: string): Failure | undefined {
  if (!ofAudit.test(line)) return undefined;
  const [, filePath] = /for sink \\?"([^"\\]+)\\?":/.exec(line) ?? [];
  if (filePath === undefined) return undefined;
  const why = line
    .replace(/["}]+\s*$/, "")
    .split(": ")
    .at(-1)!;
  return { pod, filePath, why };
}

function folderOf(file: string): string {
  return file.replace(/\/[^/]*$/, "") || "/";
}
