import type { Secret } from "../../../constructs/secrets";
import type { Origin } from "./origin";

/** ServiceAccounts of this cluster; a name or namespace may have `*` in it. */
export interface ServiceAccounts {
  /** Their namespaces. */
  readonly namespaces: readonly string[];
  /** Their names. */
  readonly names: readonly string[];
}

/** Somebody who can read a secret by the store's own rules. */
export interface StoreReader {
  /** As `ServiceAccount aidbox/aidbox`. */
  readonly who: string;
  /** By what they get in, as `role aidbox of auth/kubernetes`. */
  readonly by: string;
  /** Names of the store's rules that allow it. */
  readonly policies: readonly string[];
  /** Whether it is certain, or depends on what is not known here. */
  readonly certain: boolean;
  /** What a read must have beside, in words. */
  readonly conditions: readonly string[];
  /** Whose the rule is. */
  readonly origin: Origin;
  /** Those of this cluster who get in so. @default - none */
  readonly serviceAccounts?: ServiceAccounts;
}

/** Somebody who can change who reads, by the store's own rules. */
export interface StoreChanger extends Omit<StoreReader, "serviceAccounts"> {
  /** What they may do, a part of a sentence each. */
  readonly may: readonly string[];
}

/** A read that the store's audit log knows. */
export interface LastRead {
  /** As the audit log names it. */
  readonly who: string;
  /** When. */
  readonly at: Date;
}

/** What belongs to the store in the cluster, and holds what opens it. */
export interface StoreHolder {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Kubernetes Secrets that open the store. */
  readonly secrets: readonly string[];
}

/** Who can read what by the store's own rules. */
export interface StoreReaders {
  readonly readers: (secret: Secret) => readonly StoreReader[];
  readonly changers: readonly StoreChanger[];
  /** The newest first; undefined where it cannot be known. */
  readonly lastReads: (secret: Secret) => readonly LastRead[] | undefined;
  readonly holders: readonly StoreHolder[];
  /** What was to be read and could not be, and why: a sentence each. */
  readonly notRead: readonly string[];
  /** What the store tells nobody, a sentence each. */
  readonly cannotKnow: readonly string[];
}
