import type { Secret } from "../../constructs/secrets";

/** What a secret passes on its way from the store to the pods that read it. */
export interface Station {
  readonly title: string;
  /** What matters of it, in short lines of one sentence. */
  readonly lines: readonly string[];
  /** What the plan makes for it, as `Vault policy aidbox`; nothing where it is there already. */
  readonly madeOf: readonly string[];
}

/** Who reads secrets: whose pods, with an access of their own. */
export type ReaderKind = "aidbox" | "postgres";

/** The stations that depend on the store. */
export interface StoreStations {
  readonly store: Station;
  readonly provider: Station;
  /** What lets the pods of a reader read. */
  readonly access: (reader: ReaderKind) => Station;
  /** What the plan makes for a secret, as `madeOf` names it. */
  readonly madeFor: (secret: Secret) => readonly string[];
}
