import type { Duration } from "cdk8s";
import type { KeypairKind } from "./keypair-kind";
import type { SecretSource } from "./source";

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
   * Where it lies in the store: in Vault a path inside the KV v2 mount, without the mount and without `data/`, as
   * `aidbox/client`; of source `database` the name of the static role.
   */
  readonly path: string;
  /**
   * Key inside the secret at `path`, where the store has several values at one; of source `database` it is `password` or
   * `username`.
   * @default - the name; of source `database` "password"
   */
  readonly key?: string;
  /**
   * Makes the row one secret for each of these keys at the path, called `NAME/KEY`. `all` is every key that the store has there:
   * `up` looks which, and constructs, which cannot, take a list alone.
   * @default - the row is one value
   */
  readonly keys?: "all" | readonly string[];
  /**
   * File below the mount path; may lie in folders (`tls/key.pem`). Of a row with `keys` the folder of their files.
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
   * How old the value may grow; whole seconds. Nothing changes it by itself: `status` and `verify` tell, and `rotate --due`
   * rotates what is made at random. Such a row has a path of its own, as the store knows the age of a path alone.
   * @default - any age
   */
  readonly maxAge?: Duration;
  /**
   * Whether the value may be empty. Else no pod starts with an empty file, since that is more often a slip than meant.
   * @default false
   */
  readonly mayBeEmpty?: boolean;
  /**
   * Whether the stack goes without the value until the store has it. Pods mount it, and Aidbox is told of it, once an `up` has
   * found it there: one object that is missing would fail the whole mount.
   * @default false
   */
  readonly optional?: boolean;
}

/** A row with its defaults filled in, or a part of one that is a keypair or has keys. */
export interface Secret extends Omit<SecretSpec, "keypair" | "keys"> {
  /** Name of the keypair that it is a part of. @default - none */
  readonly pair?: string;
  /** Name of the row with keys that it is one of. @default - none */
  readonly keysOf?: string;
  /** Whether it stands for all keys at its path, since nobody has looked yet which there are. @default false */
  readonly isEveryKey?: boolean;
  readonly key: string;
  readonly file: string;
  readonly source: SecretSource;
}
