import * as pulumi from "@pulumi/pulumi";
import { visibleLines } from "../../constructs/visible";
import { KubeApi } from "../cluster/kube-api";
import { checkOwnership } from "../cluster/ownership";
import { projectName } from "../config/project";
import { environmentOfStack } from "../config/load-stack";
import type { StackValues } from "../config/managed-values";
import { plaintextWarnings } from "../config/plaintext-problems";
import { storeWarnings } from "../config/stores/of-environment";
import type { StackOutputs } from "../stack/outputs";
import { ownerOf } from "../config/names";
import { prepareStore } from "./stores";
import { deployStack, kubernetesProvider } from "../stack/stack";
import { checkState, noticeText } from "../state/check-state";
import { ownState } from "../state/own-state";

/** What `pulumi up` runs: read the config, make sure of the cluster and of what the state holds, deploy. */
export async function program(): Promise<StackOutputs> {
  try {
    const environment = environmentOfStack(await KubeApi.contexts());
    for (const warning of [...plaintextWarnings(environment), ...storeWarnings(environment)]) {
      await pulumi.log.warn(warning);
    }
    const owner = ownerOf(pulumi.getProject(), pulumi.getStack());
    // Its plugin starts while the cluster is looked at; it touches nothing by itself.
    const kubernetes = kubernetesProvider(environment);
    const [api, state] = await Promise.all([KubeApi.connect(environment.kubeContext), ownState()]);
    const [comparison] = await Promise.all([
      checkState(api, environment, state),
      checkOwnership(api, environment, owner),
    ]);
    if (comparison.notices.length > 0) await pulumi.log.warn(noticeText(comparison.notices));
    const config = new pulumi.Config(projectName);
    const common = {
      kubernetes,
      owner,
      managedValues: config.getSecretObject<StackValues>("values") ?? pulumi.output<StackValues>({}),
    };
    const { unprotected } = comparison;
    return deployStack(await prepareStore({ environment, api, config, common, unprotected }));
  } catch (error) {
    // These are about the user's config or cluster, not about the program: no stack trace.
    throw new pulumi.RunError(visibleLines(error instanceof Error ? error.message : String(error)));
  }
}
