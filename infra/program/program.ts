import * as pulumi from "@pulumi/pulumi";
import { visibleLines } from "../../constructs/visible";
import { connectCluster } from "../cluster/cluster";
import { KubeApi } from "../cluster/kube-api";
import { checkOwnership } from "../cluster/ownership";
import { projectName } from "../config/project";
import type { Environment } from "../config/environment";
import { environmentOfStack } from "../config/load-stack";
import { Session } from "../operate/session";
import { NamesTakenError } from "../operate/stores/vault/own-names";
import { checkStackAccess, StackRightsError } from "../operate/stores/vault/stack-access";
import type { StackValues } from "../config/managed-values";
import { plaintextWarnings } from "../config/plaintext-problems";
import type { StackOutputs } from "../stack/outputs";
import { ownerOf, vaultCommand } from "../config/names";
import { reportResult } from "./program-result";
import { chooseSealToken } from "../stack/stores/vault/seal-token";
import { deployStack, kubernetesProvider } from "../stack/stack";
import { checkState, noticeText } from "../state/check-state";
import { ownState } from "../state/own-state";

/** What `pulumi up` runs: read the config, make sure of the cluster and of what the state holds, deploy. */
export async function program(): Promise<StackOutputs> {
  try {
    const environment = environmentOfStack(await KubeApi.contexts());
    for (const warning of plaintextWarnings(environment)) await pulumi.log.warn(warning);
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
    const vaultToken = config.getSecret("vaultToken") ?? pulumi.secret(process.env.VAULT_TOKEN ?? "");
    await checkVault(environment, vaultToken);
    const cluster = await connectCluster(api, environment, owner);
    return deployStack({
      environment,
      kubernetes,
      cluster,
      owner,
      unprotected: comparison.unprotected,
      managedValues: config.getSecretObject<StackValues>("values") ?? pulumi.output<StackValues>({}),
      externalVaultToken: vaultToken,
      sealToken: chooseSealToken(
        environment,
        config.getSecret("sealToken"),
        process.env.VAULT_SEAL_TOKEN,
        cluster.sealToken,
      ),
      vaultCommand: vaultCommand(environment),
    });
  } catch (error) {
    // These are about the user's config or cluster, not about the program: no stack trace.
    throw new pulumi.RunError(visibleLines(error instanceof Error ? error.message : String(error)));
  }
}

/** Looks, before anything is touched, whether the stack may do in Vault what it is going to do there. */
async function checkVault(environment: Environment, vaultToken: pulumi.Output<string>): Promise<void> {
  const token = await new Promise<string>((resolve) => vaultToken.apply(resolve));
  const session = await Session.open(environment, token === "" ? undefined : token);
  try {
    await checkStackAccess(session, `${pulumi.getProject()}/${pulumi.getStack()}`);
  } catch (error) {
    if (error instanceof StackRightsError) reportResult({ reason: "rights-missing" });
    if (error instanceof NamesTakenError) reportResult({ reason: "names-taken" });
    throw error;
  }
}
