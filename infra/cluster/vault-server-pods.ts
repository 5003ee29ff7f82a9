import { labelSelector } from "../../constructs/kubernetes/labels";
import { vaultServerLabels } from "../../constructs/stores/vault/names";
import type { Environment } from "../config/environment";
import type { PortForwardTarget } from "./port-forward";

/** The pods of the Vault that the environment's chart deploys. */
export function vaultServerPods({ vault, namespaces }: Environment): PortForwardTarget {
  return {
    namespace: namespaces.vault,
    labelSelector: labelSelector(vaultServerLabels(vault.release)),
    port: 8200,
  };
}
