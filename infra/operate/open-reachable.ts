import type { Environment } from "../config/environment";
import { assertClusterAnswers } from "./assert-reachable";
import type { OpenOptions, OpenStore } from "./store-operator";
import { openStore } from "./stores";

/** The environment's cluster and store. @throws UnreachableError where one of them cannot be used */
export async function openReachable(environment: Environment, options: OpenOptions): Promise<OpenStore> {
  const opened = await openStore(environment, options);
  await assertClusterAnswers(opened.session);
  await opened.store.assertReachable();
  return opened;
}
