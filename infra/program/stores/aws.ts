import { connectCluster } from "../../cluster/cluster";
import { type AwsEnvironment, awsProvider } from "../../config/stores/aws/provider";
import type { AwsStackArgs } from "../../stack/stores/aws/deploy";
import type { Preparation } from "./preparation";

/** What a stack of AWS's is deployed with. */
export async function prepareAws({
  environment,
  api,
  common,
  state,
}: Preparation<AwsEnvironment>): Promise<AwsStackArgs> {
  const cluster = await connectCluster(api, environment, awsProvider(environment), state);
  return { ...common, environment, cluster };
}
