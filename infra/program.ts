import * as pulumi from "@pulumi/pulumi";
import type { ManagedValues } from "../constructs/vault";
import { connectCluster } from "./cluster/cluster";
import { type Environment, projectName } from "./config/environment";
import { environmentOfStack } from "./config/load-stack";
import type { StackOutputs } from "./outputs";
import { deployStack } from "./stack";

/** What `pulumi up` runs: read the config, make sure of the cluster, deploy. */
export async function program(): Promise<StackOutputs> {
  try {
    const environment = environmentOfStack();
    const owner = ownerOf(pulumi.getProject(), pulumi.getStack());
    const cluster = await connectCluster(environment, owner);
    const config = new pulumi.Config(projectName);
    return deployStack({
      environment,
      cluster,
      owner,
      managedValues: config.getSecretObject<ManagedValues>("values") ?? pulumi.output<ManagedValues>({}),
      externalVaultToken: config.getSecret("vaultToken") ?? pulumi.secret(process.env.VAULT_TOKEN ?? ""),
      vaultCommand: vaultCommand(environment),
    });
  } catch (error) {
    // These are about the user's config or cluster, not about the program: no stack trace.
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** Label value for a stack; labels allow up to 63 letters, digits, dots, dashes and underscores. */
function ownerOf(project: string, stack: string): string {
  return `${project}.${stack}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 63);
}

function vaultCommand({ vault, kubeContext, namespaces }: Environment): string {
  if (vault.mode === "external") return `VAULT_ADDR=${vault.addressFromHere ?? vault.address} vault`;
  return `kubectl --context ${kubeContext} -n ${namespaces.vault} exec -i ${vault.release}-0 -- vault`;
}
