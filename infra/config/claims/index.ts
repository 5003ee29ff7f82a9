import type { Problem } from "../../../constructs/secrets";
import { type Claim, findClashes } from "./claim";
import { kubernetesClaims } from "./kubernetes";
import type { Named } from "./named";
import { outsideClaims } from "./outside";
import { vaultClaims } from "./vault";

export type { Claim } from "./claim";
export { namedIn, nothingNamed, type Named } from "./named";
export { outsideClaims } from "./outside";
export { defaultNamespace } from "./owner";

/** Every name that a stack makes from its config, and whose it is. */
export function claimsOf(stack: Named): Claim[] {
  return [...kubernetesClaims(stack), ...vaultClaims(stack), ...outsideClaims(stack)];
}

/** What is wrong where two parts of a stack would have one name. */
export function clashProblems(stack: Named): Problem[] {
  return findClashes(claimsOf(stack));
}
