import { stringify } from "yaml";
import type { Environment } from "../config/environment";
import { storeTitle } from "../config/stores";
import { InvalidRequestError } from "../operate/errors";
import { operatorRights, type OperatorRole } from "../operate/rights";
import { exitCodes } from "./exit-codes";
import { print, printJson } from "./terminal";

export interface RightsOptions {
  readonly role: OperatorRole;
  /** Group of the operators in the cluster. */
  readonly group: string;
  readonly for: "kubernetes" | "store";
  readonly json?: boolean;
}

/** Prints what the operators' commands need: YAML for `kubectl apply`, or what to allow in the store. */
export function showRights(environment: Environment, options: RightsOptions): number {
  const rights = operatorRights(environment, options.role, options.group);
  if (options.role === "stack" && environment.tenant !== undefined) {
    throw new InvalidRequestError("one stack serves all tenants, and its rights are one: leave --tenant out");
  }
  if (options.role === "stack" && options.for === "kubernetes") {
    throw new InvalidRequestError(
      `the stack makes namespaces, cluster roles and CRDs: it needs cluster-admin. For its rights in ${storeTitle(environment)}: --for store`,
    );
  }
  if (options.json === true) printJson(rights);
  else if (options.for === "store") print(rights.store.trimEnd());
  else
    print(
      rights.kubernetes
        .map((object) => stringify(object))
        .join("---\n")
        .trimEnd(),
    );
  return exitCodes.done;
}
