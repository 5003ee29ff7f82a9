import * as pulumi from "@pulumi/pulumi";
import type { ManagedValues } from "../constructs/vault";
import { connectCluster } from "./cluster/cluster";
import { KubeApi } from "./cluster/kube-api";
import { projectName } from "./config/environment";
import { environmentOfStack } from "./config/load-stack";
import type { StackOutputs } from "./outputs";
import { ownerOf, vaultCommand } from "./naming";
import { chooseSealToken } from "./seal-token";
import { deployStack, kubernetesProvider } from "./stack";

/** What `pulumi up` runs: read the config, make sure of the cluster, deploy. */
export async function program(): Promise<StackOutputs> {
  try {
    const environment = environmentOfStack(await KubeApi.contexts());
    const owner = ownerOf(pulumi.getProject(), pulumi.getStack());
    // Its plugin starts while the cluster is looked at; it touches nothing by itself.
    const kubernetes = kubernetesProvider(environment);
    const cluster = await connectCluster(environment, owner);
    const config = new pulumi.Config(projectName);
    return deployStack({
      environment,
      kubernetes,
      cluster,
      owner,
      managedValues: config.getSecretObject<ManagedValues>("values") ?? pulumi.output<ManagedValues>({}),
      externalVaultToken: config.getSecret("vaultToken") ?? pulumi.secret(process.env.VAULT_TOKEN ?? ""),
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
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}
