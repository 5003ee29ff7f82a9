import { stringify } from "yaml";
import type { Environment } from "../config/environment";
import { type OperatorRole, operatorRights } from "../operate/rights";
import { printJson } from "./terminal";

export interface RightsOptions {
  readonly role: OperatorRole;
  /** Group of the operators in the cluster. */
  readonly group: string;
  readonly for: "kubernetes" | "vault";
  readonly json?: boolean;
}

/** Prints what the operators' commands need: YAML for `kubectl apply`, or a policy for `vault policy write`. */
export function showRights(environment: Environment, options: RightsOptions): void {
  const rights = operatorRights(environment, options.role, options.group);
  if (options.json === true) printJson(rights);
  else if (options.for === "vault") console.log(rights.vaultPolicy.trimEnd());
  else
    console.log(
      rights.kubernetes
        .map((object) => stringify(object))
        .join("---\n")
        .trimEnd(),
    );
}
