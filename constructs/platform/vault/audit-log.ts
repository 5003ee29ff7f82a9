import type { Size } from "cdk8s";
import { inJsonLines } from "../../json-lines";
import type { VolumeSize } from "../../quantities";
import { containerSecurityContext } from "../container-security";
import { reloadVault } from "./reload-signal";

/** The file in which servers write who did what. */
export interface AuditLog {
  /**
   * A volume of its own for each server, or the server's storage. The volumes of servers that are there cannot
   * change, so those without one keep it in their storage.
   */
  readonly place: AuditVolume | "storage";
  /** Size at which the file is closed, and another begun; whole MiB. */
  readonly rotateAt: Size;
  /** Number of closed files that stay. */
  readonly keep: number;
}

/** A volume of each server for its audit log. */
export interface AuditVolume {
  /** Size of each volume. */
  readonly size: VolumeSize;
  /** @default - the cluster's own */
  readonly storageClass?: string | undefined;
}

/** Name of the container that rotates the file. */
export const auditLogRotatorName = "audit-log-rotator";

/** Name of the volume, in the StatefulSet of HashiCorp's chart. */
export const auditVolumeName = "audit";

/** Where servers keep the file. Vault would make a folder that only root can enter. */
export const auditLogFiles = { volume: "/vault/audit/audit.log", storage: "/vault/data/audit.log" };

/** How often the file's size is looked at, in seconds. */
const intervalSeconds = 5;

/** The volume's part of the chart's values. */
export function auditStorage({ place }: AuditLog): object {
  if (place === "storage") return {};
  const { size, storageClass } = place;
  return {
    auditStorage: { enabled: true, size: size.asString(), ...(storageClass === undefined ? {} : { storageClass }) },
  };
}

/**
 * A container beside Vault's that keeps the audit log within its bounds. Vault goes on writing to a file that was renamed until
 * it is told to open it anew, so no line is lost, and a rotation that was cut short is brought to its end.
 *
 * @param image Vault's own, which the node has already
 * @param logsJson whether each line of its log is JSON
 */
export function auditLogRotator(image: string, log: AuditLog, logsJson = false): object {
  const script = rotationScript(log);
  const volumeMount =
    log.place === "storage"
      ? { name: "data", mountPath: "/vault/data" }
      : { name: auditVolumeName, mountPath: "/vault/audit" };
  return {
    name: auditLogRotatorName,
    image,
    command: ["sh", "-c", logsJson ? inJsonLines(script) : script],
    securityContext: containerSecurityContext,
    resources: { requests: { cpu: "5m", memory: "8Mi" }, limits: { memory: "32Mi" } },
    volumeMounts: [volumeMount],
  };
}

/** @param file for a test, another than the servers' */
export function rotationScript({ place, rotateAt, keep }: AuditLog, file?: string): string {
  return [
    `log=${file ?? auditLogFiles[place === "storage" ? "storage" : "volume"]}`,
    `while sleep ${intervalSeconds}; do`,
    '  if [ -e "$log.closing" ]; then',
    `    ${reloadVault} && mv "$log.closing" "$log.$(date -u +%Y%m%dT%H%M%SZ)" && echo "a new audit file is begun"`,
    `    ls "$log".2* | head -n -${keep} | while read -r oldest; do rm "$oldest"; done`,
    `  elif [ -e "$log" ] && [ "$(stat -c %s "$log")" -ge ${rotateAt.toMebibytes() * 1024 ** 2} ]; then`,
    '    mv "$log" "$log.closing"',
    "  fi",
    "done",
  ].join("\n");
}
