import type { Keypair, Secret, SecretSource } from "../../constructs/secrets";
import type { Environment } from "../config/environment";
import { ownCommand } from "../own-command";
import { InvalidRequestError } from "./errors";
import { secretNamed } from "./secret-named";

/** What a rotation changes: one secret, or all parts of a keypair. */
export interface Rotated {
  /** Name of the row. */
  readonly name: string;
  readonly path: string;
  readonly source: SecretSource;
  readonly secrets: readonly Secret[];
  /** None where it is one secret. */
  readonly keypair?: Keypair;
}

/**
 * The table's row of a name.
 *
 * @throws InvalidRequestError where there is none, or it is a part of a keypair
 */
export function rotatedNamed(environment: Environment, name: string): Rotated {
  const keypair = keypairNamed(environment, name);
  if (keypair !== undefined) return { ...keypair, keypair };
  const secret = secretNamed(environment, name);
  if (secret.pair !== undefined) {
    throw new InvalidRequestError(
      `${name} is a part of the keypair ${secret.pair}, which changes as one: ${ownCommand("rotate", environment, secret.pair)}`,
    );
  }
  const { path, source } = secret;
  return { name, path, source, secrets: [secret] };
}

/** The table's keypair of a name; none where it is no keypair. */
export function keypairNamed({ table }: Environment, name: string): Keypair | undefined {
  return table.keypairs.find((each) => each.name === name);
}
