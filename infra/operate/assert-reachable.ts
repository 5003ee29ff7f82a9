import { firstLine, UnreachableError } from "./errors";
import { PermissionDeniedError } from "./permission-denied";
import type { Session } from "./session";

/** @throws UnreachableError where the cluster does not answer, or does not know who asks */
export async function assertClusterAnswers(session: Session): Promise<void> {
  const { api, permitted } = session;
  try {
    await permitted(api.config.makeApiClient(api.client.VersionApi).getCode());
  } catch (error) {
    if (error instanceof PermissionDeniedError) throw error;
    throw new UnreachableError(whyNoAnswer(session, error));
  }
}

/** Why the first call to the cluster failed, in a sentence. */
export function whyNoAnswer({ api, environment }: Session, error: unknown): string {
  const cluster = `the cluster of context ${environment.kubeContext}`;
  return error instanceof api.client.ApiException && error.code === 401
    ? `${cluster} refuses your credentials (401), which may have ended: log in to it again`
    : `${cluster} does not answer: ${firstLine(error)}`;
}
