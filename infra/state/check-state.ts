import type { KubeApi } from "../cluster/kube-api";
import type { Environment } from "../config/environment";
import { projectName } from "../config/project";
import { reportResult } from "../program/program-result";
import { claimsIn } from "./claims";
import { compareWithState, type Comparison } from "./compare";
import { endVolume } from "./end-command";
import type { StateResource } from "./stack-state";

/** An `up` that would delete values: nothing was touched. */
export class ValuesAtRiskError extends Error {
  public constructor(refusals: readonly string[]) {
    super(
      [
        "This would delete what holds values, so nothing was touched:",
        ...refusals.map((each) => `  ${projectName}:${each}`),
      ].join("\n"),
    );
    this.name = "ValuesAtRiskError";
  }
}

/**
 * Looks, before anything is touched, whether an `up` by this config would delete values.
 *
 * @throws ValuesAtRiskError that lists all that would go, each with the ways out
 */
export async function checkState(
  api: KubeApi,
  environment: Environment,
  state: readonly StateResource[],
): Promise<Comparison> {
  const comparison = compareWithState(environment, state);
  const claims = await Promise.all(comparison.leavingNamespaces.map((name) => claimsRefusal(api, environment, name)));
  const refusals = [...comparison.refusals, ...claims.filter((each) => each !== undefined)];
  if (refusals.length > 0) {
    reportResult({ reason: "values-at-risk" });
    throw new ValuesAtRiskError(refusals);
  }
  return comparison;
}

/** What stays, as one text. */
export function noticeText(notices: readonly string[]): string {
  return [
    'No value is deleted; what Pulumi calls "deleted [retain]" stays where it is:',
    ...notices.map((each) => `  ${each}`),
  ].join("\n");
}

/** Why a namespace must not go: the volumes that somebody claims in it, be it another program than this. */
async function claimsRefusal(api: KubeApi, environment: Environment, namespace: string): Promise<string | undefined> {
  const names = await claimsIn(api, namespace);
  if (names.length === 0) return undefined;
  const commands = names.map((name) => `\`${endVolume(environment, { namespace, name })}\``);
  return (
    `namespaces: the namespace ${namespace} would go, and with it the volumes ${names.join(", ")}: put its name or its ` +
    `tenant back; or, where nothing on them is needed any more, delete them by name first: ${commands.join(", ")}`
  );
}
