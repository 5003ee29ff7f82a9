import { firstLine, UnreachableError } from "./errors";
import { MissingRightError } from "./missing-right";
import { ownCommand } from "../config/command-line";
import type { Session } from "./session";

/** @throws UnreachableError where the cluster does not answer */
export async function assertClusterAnswers({ api, environment, permitted }: Session): Promise<void> {
  try {
    await permitted(api.config.makeApiClient(api.client.VersionApi).getCode());
  } catch (error) {
    if (error instanceof MissingRightError) throw error;
    const cause = firstLine(error);
    throw new UnreachableError(`the cluster of context ${environment.kubeContext} does not answer: ${cause}`);
  }
}

/** @throws UnreachableError where the cluster does not answer, or Vault cannot be used */
export async function assertReachable(session: Session): Promise<void> {
  await assertClusterAnswers(session);
  const { environment } = session;
  const why = `to see why: ${ownCommand("verify", environment)}`;
  const health = await (await session.anonymousVault()).health().catch(() => {
    throw new UnreachableError(`Vault does not answer; ${why}`);
  });
  if (!health.initialized || health.sealed) {
    throw new UnreachableError(`Vault is ${health.initialized ? "sealed" : "not initialised"}; ${why}`);
  }
}
