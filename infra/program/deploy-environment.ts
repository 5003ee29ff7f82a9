import * as pulumi from "@pulumi/pulumi";
import { refuseArguments } from "../../constructs/check-props";
import { visibleLines } from "../../constructs/visible";
import { KubeApi } from "../cluster/kube-api";
import { checkOwnership } from "../cluster/ownership";
import { checkVolumes, type VolumeGrowth } from "../cluster/volumes";
import { checkedEnvironment } from "../config/checked-environment";
import type { Environment } from "../config/environment";
import type { StackValues } from "../config/managed-values";
import { ownerOf } from "../config/names";
import { plaintextWarnings } from "../config/plaintext-problems";
import { projectName } from "../config/project";
import { storeWarnings } from "../config/stores/of-environment";
import { assertChartLogins } from "../images/chart-login";
import type { StackOutputs } from "../stack/outputs";
import { deployStack, kubernetesProvider } from "../stack/stack";
import { checkState, noticeText } from "../state/check-state";
import { ownState } from "../state/own-state";
import { makeStacksFinite } from "./finite-stacks";
import { prepareStore } from "./stores";

/**
 * Deploys a whole environment, as `up` does: it makes sure of the cluster and of what the state holds, installs the driver, the
 * store and its provider, reaches a Vault in the cluster and waits for it, and deploys each Aidbox. Call it in any Pulumi program,
 * once: an environment's resources have names of their own. Values and tokens are those of the stack's config below
 * `aidbox-secrets:`, as `values`, `vaultToken` and `sealToken`.
 *
 * @param environment as `checkEnvironment` of `aidbox-secrets-stack/operate` gives it; the operator's functions take the same
 * @throws pulumi.RunError about the config, the cluster or the store, before or while it is deployed
 * @example
 * ```ts
 * import { checkEnvironment } from "aidbox-secrets-stack/operate";
 * import { deployEnvironment } from "aidbox-secrets-stack/stack";
 *
 * export = async () => {
 *   const { verifyCommand } = await deployEnvironment(
 *     checkEnvironment("dev", {
 *       development: true,
 *       kubeContext: "kind-aidbox",
 *       secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded" }],
 *       vault: { mode: "dev" },
 *       aidbox: { image: "healthsamurai/aidboxone:2605" },
 *     }),
 *   );
 *   return { verifyCommand };
 * };
 * ```
 */
export async function deployEnvironment(environment: Environment): Promise<StackOutputs> {
  makeStacksFinite();
  return plainly(async () => {
    refuseArguments("deployEnvironment", { environment }, { environment: checkedEnvironment });
    for (const warning of [...plaintextWarnings(environment), ...storeWarnings(environment)]) {
      await pulumi.log.warn(warning);
    }
    const owner = ownerOf(pulumi.getProject(), pulumi.getStack());
    // Its plugin starts while the cluster is looked at; it touches nothing by itself.
    const kubernetes = kubernetesProvider(environment);
    const [api, state] = await Promise.all([
      KubeApi.connect(environment.kubeContext),
      ownState(),
      assertChartLogins(environment),
    ]);
    const [comparison, volumes] = await Promise.all([
      checkState(api, environment, state),
      checkVolumes(api, environment),
      checkOwnership(api, environment, owner, state),
    ]);
    if (comparison.notices.length > 0) await pulumi.log.warn(noticeText(comparison.notices));
    const config = new pulumi.Config(projectName);
    const common = {
      kubernetes,
      owner,
      managedValues: config.getSecretObject<StackValues>("values") ?? pulumi.output<StackValues>({}),
    };
    const { unprotected } = comparison;
    const args = await prepareStore({ environment, api, config, common, unprotected, state });
    await growVolumes(volumes);
    return deployStack({ ...args, makeWayForVolumes: volumes.makeWay });
  });
}

/** Has volumes grow; a preview says it alone. */
async function growVolumes({ larger, grow }: VolumeGrowth): Promise<void> {
  for (const each of larger) await pulumi.log.info(`The volume claim ${each} grows in place`);
  if (!pulumi.runtime.isDryRun()) await grow();
}

/** What fails is about the user's config or cluster, not about the program: no stack trace. */
export async function plainly<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new pulumi.RunError(visibleLines(error instanceof Error ? error.message : String(error)));
  }
}
