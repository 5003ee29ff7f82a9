import type { Keypair, Secret, SecretSource } from "../../constructs/secrets";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
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
  /** How old its value may grow, in seconds; none where any age will do. */
  readonly maxAgeSeconds?: number | undefined;
}

/** All that can be rotated, each row of the table once. */
export function allRotated({ table }: Environment): Rotated[] {
  const single = table.secrets.filter(({ pair }) => pair === undefined);
  return [
    ...single.map((secret) => ({ ...rotatedOf(secret), maxAgeSeconds: secret.maxAge?.toSeconds() })),
    ...table.keypairs.map((keypair) => ({ ...keypair, keypair, maxAgeSeconds: keypair.maxAge?.toSeconds() })),
  ];
}

function rotatedOf(secret: Secret): Rotated {
  const { name, path, source } = secret;
  return { name, path, source, secrets: [secret] };
}

/**
 * The table's row of a name.
 *
 * @throws InvalidRequestError where there is none, or it is a part of a keypair
 */
export function rotatedNamed(environment: Environment, name: string): Rotated {
  const keypair = keypairNamed(environment, name);
  if (keypair !== undefined) return { ...keypair, keypair, maxAgeSeconds: keypair.maxAge?.toSeconds() };
  const secret = secretNamed(environment, name);
  if (secret.pair !== undefined) {
    throw new InvalidRequestError(
      `${name} is a part of the keypair ${secret.pair}, which changes as one: ${ownCommand("rotate", environment, secret.pair)}`,
    );
  }
  return rotatedOf(secret);
}

/** The table's keypair of a name; none where it is no keypair. */
export function keypairNamed({ table }: Environment, name: string): Keypair | undefined {
  return table.keypairs.find((each) => each.name === name);
}
