import { mountedKeys } from "../cluster/mounted-secrets";
import { everyKeyOf, withKeys } from "../config/all-keys";
import type { Environment } from "../config/environment";
import { assertClusterAnswers } from "./assert-reachable";
import { Session } from "./session";

/**
 * An environment whose rows with all keys have those that its pods mount.
 *
 * @throws UnreachableError where the cluster does not answer, PermissionDeniedError where one may not look
 */
export async function asDeployed<E extends Environment>(environment: E): Promise<E> {
  if (everyKeyOf(environment).length === 0) return environment;
  const session = await Session.connect(environment);
  await assertClusterAnswers(session);
  return withKeys(environment, await session.permitted(mountedKeys(session.api, environment)));
}
