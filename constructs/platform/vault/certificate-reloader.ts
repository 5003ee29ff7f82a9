import { inJsonLines } from "../../json-lines";
import { containerSecurityContext } from "../container-security";
import { reloadVault } from "./reload-signal";

/** How often the files are looked at, in seconds. */
const intervalSeconds = 5;

/**
 * A container beside Vault's that has it take a renewed certificate, which it reads at its start and at a SIGHUP alone.
 * kubelet renews the files of a volume together, by another target of the link `..data`.
 *
 * @param image Vault's own, which the node has already
 * @param tlsMount mount of the certificate's volume
 * @param logsJson whether each line of its log is JSON
 */
export function certificateReloader(
  image: string,
  tlsMount: { readonly name: string; readonly mountPath: string; readonly readOnly: boolean },
  logsJson = false,
): object {
  const script = [
    `seen=$(readlink ${tlsMount.mountPath}/..data)`,
    `while sleep ${intervalSeconds}; do`,
    `  now=$(readlink ${tlsMount.mountPath}/..data)`,
    '  [ "$now" = "$seen" ] && continue',
    `  ${reloadVault} && seen=$now && echo "Vault takes the renewed certificate"`,
    "done",
  ].join("\n");
  return {
    name: "certificate-reloader",
    image,
    command: ["sh", "-c", logsJson ? inJsonLines(script) : script],
    securityContext: containerSecurityContext,
    resources: { requests: { cpu: "5m", memory: "8Mi" }, limits: { memory: "32Mi" } },
    volumeMounts: [tlsMount],
  };
}
