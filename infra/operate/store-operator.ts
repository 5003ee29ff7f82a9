import type { DaemonSetReference } from "../../constructs/platform";
import type { MarkedRelease } from "../../constructs/platform/release-mark";
import type { Keypair, Secret } from "../../constructs/secrets";
import type { Environment } from "../config/environment";
import type { StoreReaders } from "./access/store-readers";
import type { Change } from "./change";
import type { Link } from "./link";
import type { OperatorRole, StoreRights } from "./operator-role";
import type { Rotated } from "./rotated";
import type { SecretVersion } from "./secret-version";
import type { Session } from "./session";
import type { Station } from "./station";

/** What a file of a secret has: text, or bytes that the store holds in an encoding. */
export type SecretContent = string | Buffer;

/** Contents by the name of the secret; only ever in memory. */
export type CurrentValues = Map<string, SecretContent>;

/** Where a secret stands; its value is not read. */
export interface SecretState {
  /** Version that pods read; none where there is no live one, or the store keeps no versions. */
  readonly version?: SecretVersion | undefined;
  /** When the live value was written; none where there is no such one. */
  readonly rotatedAt?: Date | undefined;
  /** The versions that the store keeps, the newest first. */
  readonly versions: readonly SecretVersion[];
  /** When the store takes the live value away, or says that it ends, by a sentence about it. @default - never */
  readonly end?: { readonly at: Date; readonly words: string };
  /** Why its value is not what its file has, as of a certificate. @default - it is */
  readonly incomparable?: string;
}

/** What a write goes on top of. */
export interface KnownVersions {
  /** The current one, of a keypair whose parts have versions of their own that of its first. */
  readonly current: SecretVersion;
  /** Those to which a row can go back, the oldest first. */
  readonly readable: readonly SecretVersion[];
  /** Those that were there, by the secret's name. */
  readonly known: ReadonlyMap<string, readonly SecretVersion[]>;
}

/** What a write did. */
export interface WrittenVersion {
  /** Of a keypair whose parts have versions of their own that of its first. */
  readonly version: SecretVersion;
  readonly previousVersion: SecretVersion;
  /** What the files have then, by the secret's name. */
  readonly contents: ReadonlyMap<string, SecretContent>;
  /** What the operator must know of it, a line each. @default - nothing */
  readonly notes?: readonly string[];
}

/** Reads a secret with the pods' own login. @returns undefined where there is no such value */
export type ReadAsPod = (secret: Secret, version?: SecretVersion) => Promise<SecretContent | undefined>;

/** How far back a restore of the store would go. */
export interface Backup {
  /** When the newest one was taken. @default - there is none */
  readonly takenAt?: Date;
  /** What is wrong, and the command that fixes it or shows why. @default - nothing */
  readonly problem?: { readonly cause: string; readonly fix: string };
}

/** What an operator's commands do with an environment's store, with the operator's own rights. */
export interface StoreOperator {
  /** @throws UnreachableError where it cannot be used */
  assertReachable(): Promise<void>;
  /** Which store it is, for people: `Vault 2.0.4`. */
  describe(): Promise<string>;
  /** Where a secret lies, as an operator names it to the store. */
  locate(secret: Secret): string;
  /** @throws PermissionDeniedError */
  state(secret: Secret): Promise<SecretState>;
  /** Does something with the pods' own login, and ends that. @throws PermissionDeniedError */
  asPod<T>(action: (read: ReadAsPod) => Promise<T>): Promise<T>;
  /** What is to be warned of beside the secrets, as of the operator's own login, a sentence each. @throws PermissionDeniedError */
  warnings(): Promise<readonly string[]>;

  /** The keys that there are at a secret's path, and none of their values. @default - it has no keys @throws PermissionDeniedError */
  keys?(secret: Secret): Promise<readonly string[]>;

  /** The backup that the config asks for. @default - it asks for none @throws PermissionDeniedError */
  backup?(): Promise<Backup | undefined>;

  /** The rights that a change of a row lacks, where the store can tell. */
  findMissingPermissions(rotated: Rotated): Promise<readonly string[]>;
  /** @throws InvalidRequestError where there is nothing to change */
  knownVersions(rotated: Rotated): Promise<KnownVersions>;
  /**
   * The values that a row had in an earlier version, as the store has them, by the secret's name; those that it had not are
   * left out.
   *
   * @throws InvalidRequestError where there can be no such version
   */
  formerValues(rotated: Rotated, version: SecretVersion): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Writes a new version of a row, and nothing where it is no longer as it was known.
   *
   * @param values by the secret's name: text, or what `formerValues` gave
   * @throws VersionConflictError, InvalidRequestError where nothing was written
   */
  write(rotated: Rotated, values: ReadonlyMap<string, unknown>, on: KnownVersions): Promise<WrittenVersion>;
  /** Has the store make a new value, of a row whose values it makes itself. @default - it makes none */
  remake?(secret: Secret): Promise<Change>;
  /**
   * Writes a first value.
   *
   * @param value called once it is known that there is none yet
   * @throws InvalidRequestError, PermissionDeniedError where nothing was written
   */
  writeFirst(secret: Secret, value: () => Promise<string>): Promise<void>;
  /** Command that writes a keypair which others make. */
  writePairCommand(keypair: Keypair): Promise<string>;

  /**
   * The links from the store to the pods' login, each a `secret NAME` of the table among them, and `access`, which takes the
   * values.
   */
  links(values: CurrentValues): readonly Link[];
  /** Ends what the links have begun. */
  close(): Promise<void>;
  /** Who can read what by the store's own rules. @default - it is not known of this store */
  readers?(): Promise<StoreReaders>;
}

/** A store's CSI provider in the cluster. */
export interface ProviderInCluster {
  /** What people call it: `the Vault provider`. */
  readonly title: string;
  /** Label of its DaemonSet, whoever installed it. */
  readonly label: string;
  /** Its DaemonSet where this stack installs it. @default - another has installed it */
  readonly daemonSet?: DaemonSetReference;
}

/** How an operator's commands know a store. All but `open` ask nobody. */
export interface OperatedStore<E extends Environment> {
  csiProvider(environment: E): ProviderInCluster;
  /** The releases of Helm that this stack installs for the store. */
  helmReleases(environment: E): readonly MarkedRelease[];
  /** The store's part of a secret's way, up to the SecretProviderClass. */
  stations(environment: E, secret: Secret): readonly Station[];
  /** What the SecretProviderClass says of a secret. */
  classLines(environment: E, secret: Secret): readonly string[];
  /** Whether these commands write it. @default - they write all that is not managed */
  writes?(environment: E, secret: Secret): boolean;
  /** What to say after an `up`, of what it left undone. @default - nothing */
  noticeAfterUp?(environment: E): Promise<string>;
  /** The least rights that a role needs in the store, and in the cluster on the way to it. */
  rights(environment: E, role: OperatorRole): StoreRights;
  /**
   * Touches nothing yet.
   *
   * @throws UnreachableError where this machine lacks what the store needs
   */
  open(environment: E, options: OpenOptions): Promise<OpenStore>;
}

/** As whom the store is asked. */
export interface OpenOptions {
  /** Vault token of the operator, where the store is Vault. @default `VAULT_TOKEN`, else dev mode's root token from its Secret */
  readonly vaultToken?: string;
}

/** An environment's cluster and store, as an operator reaches them. */
export interface OpenStore {
  readonly session: Session;
  readonly store: StoreOperator;
}
