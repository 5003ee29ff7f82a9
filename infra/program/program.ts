import { KubeApi } from "../cluster/kube-api";
import { environmentOfStack } from "../config/load-stack";
import type { StackOutputs } from "../stack/outputs";
import { deployEnvironment, plainly } from "./deploy-environment";

/** What `pulumi up` runs: read the config, and deploy the environment. */
export async function program(): Promise<StackOutputs> {
  return deployEnvironment(await plainly(async () => environmentOfStack(await KubeApi.contexts())));
}
