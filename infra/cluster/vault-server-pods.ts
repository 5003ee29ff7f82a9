import { labelSelector } from "../../constructs/kubernetes/labels";
import { vaultServerLabels } from "../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../config/environment";
import type { PortForwardTarget } from "./port-forward";

/** The pods of the Vault that the environment's chart deploys. */
export function vaultServerPods({ vault, namespaces }: VaultEnvironment): PortForwardTarget {
  return {
    namespace: namespaces.vault,
    labelSelector: labelSelector(vaultServerLabels(vault.release)),
    port: 8200,
  };
}
