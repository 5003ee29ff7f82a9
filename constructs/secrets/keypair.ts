import type { Duration } from "cdk8s";
import type { KeypairKind } from "./keypair-kind";
import type { Secret } from "./secret";
import type { SecretSource } from "./source";

/** A row that is a keypair: one path of the store, written, checked and rotated as one. */
export interface Keypair {
  /** Name of the row; its parts are secrets named `NAME-private` and so on. */
  readonly name: string;
  /** Which parts it has, and what they are for. */
  readonly kind: KeypairKind;
  /** Where all parts lie in the store; nothing else may lie there. */
  readonly path: string;
  /** Who makes it: `seeded` or `external`. */
  readonly source: SecretSource;
  /** Its parts, one for each file. */
  readonly secrets: readonly Secret[];
  /** How old it may grow. @default - any age */
  readonly maxAge?: Duration;
}

/** A secret that is a part of a keypair. */
export type KeypairPart = "private" | "public" | "secret" | "certificate";

const tokenParts = {
  private: "BOX_SECURITY_AUTH_KEYS_PRIVATE",
  public: "BOX_SECURITY_AUTH_KEYS_PUBLIC",
  secret: "BOX_SECURITY_AUTH_KEYS_SECRET",
} as const;

/**
 * Variables of Aidbox's own keypair; it starts with all of them or with none.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/configure-aidbox-and-multibox, "Key format requirements"
 */
export const tokenKeyVariables: readonly string[] = Object.values(tokenParts);

/** The parts of a kind, which are the keys at its path. */
export function partsOf(kind: KeypairKind): readonly KeypairPart[] {
  return kind === "certificate" ? ["private", "certificate"] : ["private", "public", "secret"];
}

/** Whether it is what Aidbox signs its tokens with. */
export function signsTokens(kind: KeypairKind | undefined): boolean {
  return kind === "rsa" || kind === "ec";
}

/** Variable of a part that is environment. @default - it is a file alone */
export function variableOf(kind: KeypairKind, part: KeypairPart): string | undefined {
  return part === "certificate" || kind === "certificate" ? undefined : tokenParts[part];
}
