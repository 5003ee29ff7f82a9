import type { Problem } from "../../../secrets";
import type { CheckedProps } from "./checked-props";
import { environmentProblems } from "./environment";
import { exposureProblems } from "./exposure";
import { networkPolicyProblems } from "./network-policy";
import { portProblems } from "./ports";
import { scaleProblems } from "./scale";
import { securityProblems } from "./security";

export { findInitBundleClashes, initBundleVariable } from "./init-bundle";
export { findPodProblems, labelProblems, type OwnPod } from "./pod";
export { findReservedProblems } from "./table";

/** What is wrong with the props of an Aidbox, each with the values and the fix. It needs no cdk8s. */
export function findAidboxProblems(props: CheckedProps): Problem[] {
  return [
    ...scaleProblems(props),
    ...securityProblems(props),
    ...portProblems(props),
    ...exposureProblems(props),
    ...networkPolicyProblems(props),
    ...environmentProblems(props),
  ];
}
