import { auditLogFiles, auditLogRotatorName } from "../../../../constructs/platform/vault/audit-log";
import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import { presentAuditPlace } from "../../../cluster/audit-place";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { policyMark } from "../../../config/names";
import { isStored } from "../../../config/stores/vault/server";
import { InvalidRequestError } from "../../errors";
import type { RootWork } from "./root-step";
import { serverRevisions } from "./server-revisions";
import type { VaultSession } from "./session";

/** An audit device of Vault's. */
export interface AuditDevice {
  /** Its name, as `file`. */
  readonly name: string;
  /** Where it writes: a file of the active server's, or `stdout`; none where it is no file device. */
  readonly filePath: string | undefined;
  /** Whether it writes values in plain. */
  readonly isRaw: boolean;
}

/** What Vault writes each request to. With one device alone, Vault refuses every request where that one cannot write. */
export interface WantedDevice {
  readonly name: "stdout" | "file";
  readonly filePath: string;
}

export function wantsAudit({ vault }: VaultEnvironment): boolean {
  return isStored(vault) && vault.audit.enabled;
}

/** The devices that a Vault of the stack's own should have. */
export async function wantedDevices({ api, environment, permitted }: VaultSession): Promise<readonly WantedDevice[]> {
  const place = (await permitted(presentAuditPlace(api, environment))) ?? "volume";
  return [
    { name: "stdout", filePath: "stdout" },
    { name: "file", filePath: auditLogFiles[place] },
  ];
}

/** @param vault with a token that may `read` and `sudo` on sys/audit, a path that Vault's root protects */
export async function auditDevices(vault: VaultClient): Promise<readonly AuditDevice[]> {
  const mounts = ((await vault.read("sys/audit")) ?? {}) as Record<string, { options?: Record<string, string> }>;
  return Object.entries(mounts).map(([path, { options = {} }]) => ({
    name: path.replace(/\/$/, ""),
    filePath: options.file_path,
    isRaw: options.log_raw === "true",
  }));
}

/**
 * Enables the devices that are not there. One that cannot be is told of: the other is enough for Vault to serve.
 *
 * @throws InvalidRequestError where none can be
 */
export async function enableAuditDevices({ root, environment, session, tell }: RootWork): Promise<void> {
  if (!wantsAudit(environment)) return;
  const present = await auditDevices(root).catch((error: unknown) => {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    return undefined; // a token that Vault does not know is refused in better words, right after
  });
  if (present === undefined) return;
  const wanted = await wantedDevices(session);
  const lacking = wanted.filter(({ filePath }) => !present.some((device) => device.filePath === filePath));
  const failures: string[] = [];
  for (const device of lacking) {
    const other = present.find(({ name }) => name === device.name);
    const failure =
      other === undefined
        ? ((await whyNotYet(session, device)) ?? (await enable(root, environment, device)))
        : `one of that name writes to ${other.filePath ?? "elsewhere"}: disable it by \`vault audit disable ${device.name}\``;
    if (failure !== undefined) failures.push(`the audit device ${device.name} is not enabled: ${failure}`);
  }
  if (failures.length === wanted.length) throw new InvalidRequestError(failures.join("; "));
  for (const failure of failures) tell(failure);
}

/** A file that nobody rotates would fill the servers' storage. */
async function whyNotYet(session: VaultSession, { name }: WantedDevice): Promise<string | undefined> {
  if (name !== "file") return undefined;
  const { outdated, containers } = await serverRevisions(session);
  const { environment } = session;
  const again = ownCommand("vault:grant", environment, "--shares", "--no-tokens");
  if (!containers.includes(auditLogRotatorName)) {
    return `nothing rotates its file yet: ${ownCommand("up", environment)}, ${ownCommand("vault:roll", environment)}, then ${again}`;
  }
  if (outdated.length === 0) return undefined;
  return `${outdated.join(", ")} rotate no file yet: ${ownCommand("vault:roll", environment)}, then ${again}`;
}

async function enable(
  root: VaultClient,
  environment: VaultEnvironment,
  { name, filePath }: WantedDevice,
): Promise<string | undefined> {
  const body = { type: "file", description: policyMark(environment), options: { file_path: filePath } };
  try {
    await root.request("PUT", `sys/audit/${name}`, { body });
    return undefined;
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 400) throw error;
    return error.errors.join("; ");
  }
}
