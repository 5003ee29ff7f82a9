import { projectName } from "../config/project";
import { nameOf, type StateResource } from "./stack-state";
import { sealTokenResource } from "./value-holders";

/** Components that an environment's resources are in. */
const ownComponents = /^(aidbox-secrets:\w+:\w+|cdk8s-pulumi:index:DeployedChart)\$/;
/** Names of its charts and components, which a tenant's have before its own; what is kept once more is in none. */
const ownNames = /^(kept\/)?(namespaces|aidbox|postgres|vault|vault-access)(-[^/]*)?(\/|$)/;

/**
 * What of a stack's state is an environment's. A program of somebody else's has resources of its own beside it, and those
 * are not the environment's to keep or to refuse.
 *
 * @param project of the stack: all that is in this project's own is the environment's
 */
export function ownResources(state: readonly StateResource[], project: string): readonly StateResource[] {
  return project === projectName ? state : state.filter(isOwn);
}

function isOwn(resource: StateResource): boolean {
  const name = nameOf(resource);
  const [, , types = ""] = resource.urn.split("::");
  const isPlaced = ownComponents.test(types) || name.startsWith("kept/") || name === sealTokenResource;
  return isPlaced && ownNames.test(name);
}
