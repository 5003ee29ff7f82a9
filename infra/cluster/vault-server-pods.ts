import type { Environment } from "../config/environment";
import type { PortForwardTarget } from "./port-forward";

/** The pods of the Vault that the environment's chart deploys. */
export function vaultServerPods({ vault, namespaces }: Environment): PortForwardTarget {
  return {
    namespace: namespaces.vault,
    labelSelector: `app.kubernetes.io/instance=${vault.release},component=server`,
    port: 8200,
  };
}
