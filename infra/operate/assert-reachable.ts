import { firstLine, UnreachableError } from "./errors";
import { PermissionDeniedError } from "./permission-denied";
import type { Session } from "./session";

/** @throws UnreachableError where the cluster does not answer */
export async function assertClusterAnswers({ api, environment, permitted }: Session): Promise<void> {
  try {
    await permitted(api.config.makeApiClient(api.client.VersionApi).getCode());
  } catch (error) {
    if (error instanceof PermissionDeniedError) throw error;
    const cause = firstLine(error);
    throw new UnreachableError(`the cluster of context ${environment.kubeContext} does not answer: ${cause}`);
  }
}
