import { withKeyNamed } from "../config/all-keys";
import type { Environment } from "../config/environment";
import { InvalidRequestError } from "./errors";
import { openReachable } from "./open-reachable";
import { secretNamed } from "./secret-named";

/**
 * Writes the first value of a secret that an operator writes, and leaves all else alone.
 *
 * @param name the secret's name in the table
 * @param value makes or reads the value; called once it is known that there is none yet
 * @returns path of the secret in the store
 * @throws InvalidRequestError, PermissionDeniedError or UnreachableError where nothing was written
 */
export async function writeFirst(
  configured: Environment,
  name: string,
  value: () => Promise<string>,
): Promise<{ readonly path: string }> {
  const environment = withKeyNamed(configured, name);
  const secret = secretNamed(environment, name);
  if (secret.source !== "external") {
    throw new InvalidRequestError(`${name} is of source ${secret.source}: an operator writes those of external alone`);
  }
  if (secret.pair !== undefined) {
    throw new InvalidRequestError(`${name} is a half of the keypair ${secret.pair}, whose halves are written together`);
  }
  const { store } = await openReachable(environment, {});
  await store.writeFirst(secret, value);
  return { path: store.locate(secret) };
}
