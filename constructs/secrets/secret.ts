import type { KeypairKind } from "./keypair-kind";

/**
 * Where a secret's value comes from.
 *
 * - `managed`: an operator puts it into the stack's encrypted config; Pulumi writes it to the store and keeps it there.
 * - `seeded`: a random value, generated once and written only where the store has none; Pulumi never holds it.
 * - `external`: an operator writes it to the store; Pulumi only checks that it is there and never holds it.
 * - `database`: a static role of Vault's database engine; Vault itself changes the password in the database each rotation
 *   period. Pulumi only checks that the role is there. Not a dynamic role: each publication of the volume makes another
 *   user (measured: 5 in 105 s, for one pod), and all pods share one synced Secret.
 */
export type SecretSource = "managed" | "seeded" | "external" | "database";

/** Which FHIR resource may use a secret: `scope` of an entry in Aidbox's vault-config.json. */
export interface SecretScope {
  /** FHIR resource type, as `Client`. */
  readonly resourceType: string;
  /**
   * Id of the one resource that may use the secret.
   * @default - every resource of the type
   */
  readonly id?: string;
}

/** One row of the table of secrets. Everything else in a stack is drawn from such rows. */
export interface SecretSpec {
  /** Name by which Aidbox's resources refer to the secret; a DNS label. */
  readonly name: string;
  /**
   * Path inside the KV v2 mount, without the mount and without `data/`, as `aidbox/client`; of source `database` the name
   * of the static role.
   */
  readonly path: string;
  /**
   * Key inside the secret at `path`; of source `database` it is `password` or `username`.
   * @default - the name; of source `database` "password"
   */
  readonly key?: string;
  /**
   * File below the mount path; may lie in folders (`tls/key.pem`).
   * @default - the name
   */
  readonly file?: string;
  /**
   * Which FHIR resource may use the secret.
   * @default - none: the file is mounted, but vault-config.json does not name it
   */
  readonly scope?: SecretScope;
  /**
   * Environment variable of the Aidbox container that takes the value too, by way of a synced Kubernetes Secret.
   * For what Aidbox must have to start; a variable does not follow a rotation, a file does.
   * @default - none: the value is a file only
   */
  readonly environment?: string;
  /**
   * Where the value comes from. Secrets on one path must share one source.
   * @default "external"
   */
  readonly source?: SecretSource;
  /**
   * Makes the row a keypair, in place of one value: its parts are secrets of their own (`NAME-private`, …), and lie at one
   * path. What signs Aidbox's tokens is environment; a certificate is for the IdentityProvider of the scope.
   * @default - the row is one value
   */
  readonly keypair?: KeypairKind;
  /**
   * How old the value may grow, in whole seconds. Nothing changes it by itself: `status` and `verify` tell, and `rotate --due`
   * rotates what is made at random. Such a row has a path of its own, as the store knows the age of a path alone.
   * @default - any age
   */
  readonly maxAgeSeconds?: number;
}

/** A row with its defaults filled in, or a part of one that is a keypair. */
export interface Secret extends Omit<SecretSpec, "keypair"> {
  /** Name of the keypair that it is a part of. @default - none */
  readonly pair?: string;
  readonly key: string;
  readonly file: string;
  readonly source: SecretSource;
}
