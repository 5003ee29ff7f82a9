import { vaultPaths } from "../config/stores/vault/server";
import { KvMount } from "../../constructs/stores/vault/api/kv-mount";
import type { VaultEnvironment } from "../config/environment";
import { ownCommand } from "../config/command-line";
import { assertReachable } from "./assert-reachable";
import { InvalidRequestError } from "./errors";
import { MissingRightError } from "./missing-right";
import { secretNamed } from "./secret-named";
import { Session } from "./session";

/**
 * Writes the first value of a secret that an operator writes, and leaves the path's other keys alone.
 *
 * @param name the secret's name in the table
 * @param value makes or reads the value; called once it is known that there is none yet
 * @returns path of the secret in the store
 * @throws InvalidRequestError, MissingRightError or UnreachableError where nothing was written
 */
export async function writeFirst(
  environment: VaultEnvironment,
  name: string,
  value: () => Promise<string>,
): Promise<{ readonly path: string }> {
  const secret = secretNamed(environment, name);
  if (secret.source !== "external") {
    throw new InvalidRequestError(`${name} is of source ${secret.source}: an operator writes those of external alone`);
  }
  if (secret.pair !== undefined) {
    throw new InvalidRequestError(`${name} is a half of the keypair ${secret.pair}, whose halves are written together`);
  }
  const session = await Session.open(environment);
  await assertReachable(session);
  const vault = await session.operatorVault();
  const path = vaultPaths(environment).data(secret);
  const kv = new KvMount(vault, vaultPaths(environment).kvMount);
  const [capabilities, present] = await Promise.all([
    session.permitted(vault.capabilities(path)),
    session.permitted(kv.keys(secret.path)),
    session.permitted(kv.assertVersion2(secret.path)),
  ]);
  const there = new InvalidRequestError(
    `${name} has a value: to change it: ${ownCommand("rotate", environment, name, "--stdin")}`,
  );
  if (present.keys.includes(secret.key)) throw there;
  const needed = present.keys.length > 0 ? ["patch"] : present.version > 0 ? ["update"] : ["create"];
  const lacks = needed.filter((each) => !capabilities.includes(each) && !capabilities.includes("root"));
  if (lacks.length > 0)
    throw new MissingRightError(`${lacks.map((each) => `"${each}"`).join(", ")} on ${path} in Vault`);
  const given = await value();
  const written = await kv.addMissing(secret.path, [secret.key], () => given);
  if (written.length === 0) throw there;
  return { path: vaultPaths(environment).operator(secret) };
}
